/** Member names already quoted, with their colon. Bounded: names come from our shapes and from feature classes. */
const names = new Map<string, string>();
const MAX_NAMES = 10_000;

function quotedName(name: string): string {
  let quoted = names.get(name);
  if (quoted === undefined) {
    quoted = `${JSON.stringify(name)}:`;
    if (names.size < MAX_NAMES) names.set(name, quoted);
  }
  return quoted;
}

/** Printable ASCII without what JSON writes in another way: nearly all of ours, and found out in a third of the time. */
const AS_IT_IS = /^[ !#-[\]-~]*$/;

/**
 * JSON text of an answer: `bigint` as a decimal string, `Uint8Array` as base64, NaN and infinities as strings, members
 * that are `undefined` left out (interfaces.md 3).
 */
export function jsonText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return AS_IT_IS.test(value) ? `"${value}"` : JSON.stringify(value);
    case 'number':
      return Number.isFinite(value) ? `${value}` : `"${value}"`;
    case 'bigint':
      return `"${value}"`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? 'null' : compoundText(value);
    default:
      return 'null';
  }
}

function compoundText(value: object): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    let text = `[${jsonText(value[0])}`;
    for (let i = 1; i < value.length; i += 1) text += `,${jsonText(value[i])}`;
    return `${text}]`;
  }
  if (value instanceof Uint8Array) {
    return `"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"`;
  }
  let text = '';
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${quotedName(name)}${jsonText(member)}`;
  }
  return `{${text}}`;
}
