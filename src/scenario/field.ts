import { nearestName } from '../mof/nearest-name.ts';
import type { Reader } from './reader.ts';
import { type Entry, plainValue, type SourceNode, shown } from './source-node.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** One field of a verb or of the file: reading, JSON Schema and the reference page all come from it. */
export interface Field<T, Required extends boolean = boolean> {
  /** For people, e.g. `name of a VM`. */
  readonly type: string;
  readonly help: string;
  readonly required: Required;
  readonly schema: JsonSchema;
  /** The value; `undefined` when it is wrong, which has then been added to the problems. */
  read(node: SourceNode, reader: Reader, what: string): T | undefined;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;
/** What the fields give when all were read. */
export type Values<F> = {
  readonly [K in keyof F]: F[K] extends Field<infer T, infer R>
    ? R extends true
      ? T
      : T | undefined
    : never;
};

/** The text that a parameter may stand in for a value of another type. */
const PARAMETER: JsonSchema = { type: 'string', pattern: '\\$\\{[^}]*\\}' };

export function field<T>(
  type: string,
  help: string,
  schema: JsonSchema,
  read: Field<T>['read'],
): Field<T, false> {
  return { type, help, schema: { description: help, ...schema }, required: false, read };
}

export function need<T>(optional: Field<T>): Field<T, true> {
  return { ...optional, required: true };
}

export function text(help: string, type = 'text'): Field<string, false> {
  const schema = { type: ['string', 'number'] };
  return field(type, help, schema, (given, reader, what) => {
    const node = reader.resolve(given);
    if (node.kind === 'scalar') {
      const { value } = node;
      if (typeof value === 'string' && value !== '') return value;
      if (typeof value === 'number' || typeof value === 'bigint') return String(value);
    }
    return reader.wrong(node, what, type);
  });
}

export function whole(help: string, from = 0, to = Number.MAX_SAFE_INTEGER): Field<number, false> {
  const range =
    to === Number.MAX_SAFE_INTEGER
      ? `a whole number from ${from}`
      : `a whole number ${from} to ${to}`;
  const bounds = to === Number.MAX_SAFE_INTEGER ? {} : { maximum: to };
  const schema = { anyOf: [{ type: 'integer', minimum: from, ...bounds }, PARAMETER] };
  return field(range, help, schema, (given, reader, what) => {
    const node = reader.resolve(given);
    const value = node.kind === 'scalar' ? node.value : undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= from && value <= to) {
      return value;
    }
    return reader.wrong(node, what, range);
  });
}

export function yesNo(help: string): Field<boolean, false> {
  const schema = { anyOf: [{ type: 'boolean' }, PARAMETER] };
  return field('true or false', help, schema, (given, reader, what) => {
    const node = reader.resolve(given);
    if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value;
    return reader.wrong(node, what, 'true or false');
  });
}

export function oneOf<const C extends string>(
  help: string,
  choices: readonly C[],
): Field<C, false> {
  const type = choices.map((choice) => `\`${choice}\``).join(', ');
  const schema = { anyOf: [{ enum: choices }, PARAMETER] };
  return field(type, help, schema, (given, reader, what) => {
    const node = reader.resolve(given);
    const found = choices.find((choice) => node.kind === 'scalar' && choice === node.value);
    if (found !== undefined) return found;
    const near = node.kind === 'scalar' ? nearestName(String(node.value), choices) : undefined;
    reader.problems.add(
      node.place,
      `${what}: expected one of ${choices.join(', ')}, found ${shown(node)}`,
      near,
    );
    return undefined;
  });
}

/** A list; a single value stands for a list of one. */
export function listOf<T>(item: Field<T>, help = item.help): Field<readonly T[], false> {
  const schema = { anyOf: [{ type: 'array', items: item.schema }, item.schema] };
  return field(`list of ${item.type}`, help, schema, (given, reader, what) => {
    const node = reader.resolve(given);
    if (node.kind !== 'list') {
      const one = item.read(node, reader, what);
      return one === undefined ? undefined : [one];
    }
    const values: T[] = [];
    for (const [i, each] of node.items.entries()) {
      const value = item.read(each, reader, `${what}[${i}]`);
      if (value !== undefined) values.push(value);
    }
    return values.length === node.items.length ? values : undefined;
  });
}

/** A map with these fields; `short` is the field that a plain value stands for. */
export function objectOf<F extends Fields>(
  help: string,
  fields: F,
  short?: keyof F & string,
): Field<Values<F>, false> {
  const names = Object.keys(fields)
    .map((name) => `\`${name}\``)
    .join(', ');
  return field(`map of ${names}`, help, objectSchema(fields, short), (given, reader, what) => {
    const node = reader.resolve(given);
    return readFields(node, fields, reader, what, short);
  });
}

export function objectSchema(fields: Fields, short?: string): JsonSchema {
  const all = Object.entries(fields);
  const required = all.filter(([, each]) => each.required).map(([name]) => name);
  const object: JsonSchema = {
    type: 'object',
    properties: Object.fromEntries(all.map(([name, each]) => [name, each.schema])),
    additionalProperties: false,
    ...(required.length > 0 ? { required } : {}),
  };
  const plain = short === undefined ? undefined : fields[short]?.schema;
  return plain === undefined ? object : { anyOf: [plain, object] };
}

/** Reads a map by its fields: unknown and missing ones are problems, with the nearest name. */
export function readFields<F extends Fields>(
  node: SourceNode,
  fields: F,
  reader: Reader,
  what: string,
  short?: keyof F & string,
): Values<F> | undefined {
  const map = entriesOf(node, short);
  if (map === undefined) return reader.wrong(node, what, 'a map of fields');
  const values: Record<string, unknown> = {};
  let isFine = true;
  const meant = new Set<string>();
  for (const [name, { key }] of map) {
    if (Object.hasOwn(fields, name)) continue;
    const known = Object.keys(fields);
    const near = nearestName(name, known);
    if (near !== undefined) meant.add(near);
    const message = `unknown field ${JSON.stringify(name)} in ${what}: expected ${known.join(', ')}`;
    reader.problems.add(key, message, near);
    isFine = false;
  }
  for (const [name, each] of Object.entries(fields)) {
    const entry = map.get(name);
    if (entry === undefined) {
      if (each.required && !meant.has(name)) {
        reader.problems.add(node.place, `${what}: the field ${name} (${each.type}) is missing`);
        isFine = false;
      }
      continue;
    }
    const value = each.read(entry.value, reader, `${what}.${name}`);
    if (value === undefined) isFine = false;
    values[name] = value;
  }
  return isFine ? (values as Values<F>) : undefined;
}

function entriesOf(node: SourceNode, short?: string): ReadonlyMap<string, Entry> | undefined {
  if (node.kind === 'map') return node.entries;
  if (
    short !== undefined &&
    (node.kind === 'list' || (node.kind === 'scalar' && node.value !== null))
  ) {
    return new Map([[short, { key: node.place, value: node }]]);
  }
  return node.kind === 'scalar' && node.value === null ? new Map() : undefined;
}

/** Any value as it is, with its parameters filled in. */
export function anyValue(
  help: string,
  type = 'any value',
  schema: JsonSchema = {},
): Field<unknown, false> {
  return field(type, help, schema, (node, reader) => plainValue(filled(node, reader)));
}

/** A node with every parameter below it filled in. */
export function filled(given: SourceNode, reader: Reader): SourceNode {
  const node = reader.resolve(given);
  if (node.kind === 'list') {
    return { ...node, items: node.items.map((item) => filled(item, reader)) };
  }
  if (node.kind !== 'map') return node;
  const entries = new Map<string, Entry>();
  for (const [name, { key, value }] of node.entries) {
    entries.set(name, { key, value: filled(value, reader) });
  }
  return { ...node, entries };
}

/** A map whose names are free. */
export function mapOf<T>(item: Field<T>, help: string): Field<ReadonlyMap<string, T>, false> {
  const schema = { type: 'object', additionalProperties: item.schema };
  return field(`map of ${item.type}`, help, schema, (node, reader, what) => {
    if (node.kind !== 'map') return reader.wrong(node, what, 'a map');
    const values = new Map<string, T>();
    for (const [name, { value }] of node.entries) {
      const read = item.read(value, reader, `${what}.${name}`);
      if (read !== undefined) values.set(name, read);
    }
    return values.size === node.entries.size ? values : undefined;
  });
}
