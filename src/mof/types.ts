import type { FeatureClass, FeatureMember, ScalarType } from './feature-class.ts';

/** JavaScript type of one value (see `Settings`). */
const TS_TYPE: Readonly<Record<ScalarType, string>> = {
  boolean: 'boolean',
  uint8: 'number',
  sint8: 'number',
  uint16: 'number',
  sint16: 'number',
  uint32: 'number',
  sint32: 'number',
  uint64: 'bigint',
  sint64: 'bigint',
  real32: 'number',
  real64: 'number',
  char16: 'string',
  datetime: 'string',
  string: 'string',
};

/** Words TypeScript does not allow as the name of an interface. */
const RESERVED = new Set(
  (
    'any as bigint boolean break case catch class const continue debugger default delete do else enum export extends ' +
    'false finally for function if implements import in instanceof interface let never new null number object package ' +
    'private protected public return static string super switch symbol this throw true try type typeof undefined ' +
    'unknown var void while with yield FeatureTypes'
  ).split(' '),
);

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** Text for the inside of a doc comment: one line, unable to end it. */
function commentText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replaceAll('*/', '* /')
    .trim();
}

function doc(indent: string, lines: readonly string[]): string[] {
  const shown = lines.map(commentText).filter((line) => line !== '');
  if (shown.length === 0) return [];
  if (shown.length === 1) return [`${indent}/** ${shown[0]} */`];
  return [`${indent}/**`, ...shown.map((line) => `${indent} * ${line}`), `${indent} */`];
}

/** MOF type with its qualifiers, e.g. `uint32[] Max(8), MinValue(1)`. */
function limits(m: FeatureMember): string {
  const parts: string[] = [];
  if (m.array?.max !== undefined) parts.push(`Max(${m.array.max})`);
  if (m.maxLen !== undefined) parts.push(`MaxLen(${m.maxLen})`);
  if (m.minValue !== undefined) parts.push(`MinValue(${m.minValue})`);
  if (m.maxValue !== undefined) parts.push(`MaxValue(${m.maxValue})`);
  const type = m.array === undefined ? m.type : `${m.type}[]`;
  return parts.length === 0 ? `${type}.` : `${type}, ${parts.join(', ')}.`;
}

function valueNames(m: FeatureMember): string {
  const pairs = Object.entries(m.valueNames ?? {}).map(([value, name]) => `${value} ${name}`);
  return pairs.length === 0 ? '' : `Values: ${pairs.join(', ')}.`;
}

function memberLines(m: FeatureMember): string[] {
  const type = m.array === undefined ? TS_TYPE[m.type] : `readonly ${TS_TYPE[m.type]}[]`;
  const key = IDENTIFIER.test(m.name) ? m.name : JSON.stringify(m.name);
  const lines = [m.displayName ?? '', m.description ?? '', limits(m), valueNames(m)];
  return [...doc('  ', lines), `  readonly ${key}: ${type};`];
}

/** A name for each class, all different. */
function interfaceNames(features: readonly FeatureClass[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const { name } of features) {
    if (names.has(name)) continue;
    let candidate = name.replace(/[^\p{ID_Continue}$]/gu, '_');
    if (!IDENTIFIER.test(candidate)) candidate = `_${candidate}`;
    while (RESERVED.has(candidate) || taken.has(candidate)) candidate += '_';
    taken.add(candidate);
    names.set(name, candidate);
  }
  return names;
}

/** A single-quoted TypeScript string. */
function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

function interfaceLines(feature: FeatureClass, name: string): string[] {
  const version = `${feature.version >> 8}.${feature.version & 0xff}`;
  const what = `${feature.scope} ${feature.kind}, version ${version}, ${feature.id}.`;
  return [
    ...doc('', [feature.displayName, feature.description, `${feature.name}: ${what}`]),
    `export interface ${name} {`,
    ...feature.members.flatMap(memberLines),
    '}',
    '',
  ];
}

/**
 * TypeScript types of feature classes: an interface per class and their entries in the SDK's `FeatureTypes`, so that
 * `PortProperty<'Fabrikam_PortCustomSettingData'>` has typed settings once the file is part of the project. The text serves as
 * `.ts` and as `.d.ts`.
 */
export function typescriptTypes(features: readonly FeatureClass[]): string {
  const names = interfaceNames(features);
  const lines = [
    '// Written by `extswitch mof types`. Do not edit: change the MOF file instead.',
    '',
  ];
  const seen = new Set<string>();
  const entries: string[] = [];
  for (const feature of features) {
    if (seen.has(feature.name)) continue;
    seen.add(feature.name);
    const name = names.get(feature.name) ?? feature.name;
    lines.push(...interfaceLines(feature, name));
    entries.push(`    ${quoted(feature.name)}: ${name};`);
  }
  lines.push(
    "declare module 'extswitch/extension' {",
    '  interface FeatureTypes {',
    ...entries,
    '  }',
    '}',
    '',
  );
  // An import or export makes the file a module; without one the declaration above would replace the SDK's.
  if (seen.size === 0) lines.push('export {};', '');
  return lines.join('\n');
}
