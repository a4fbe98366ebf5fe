import type { FeatureClass, SerializationProfile } from './feature-class.ts';
import {
  C_TYPE,
  DATETIME_LENGTH,
  type FeaturePlan,
  isTail,
  type MemberPlan,
  Op,
  planFeature,
} from './feature-plan.ts';
import { fullProfile } from './layout.ts';

export interface HeaderOptions {
  readonly profile?: Partial<SerializationProfile>;
  /** The MOF file's name, for the opening comment and the include guard. */
  readonly sourceName?: string;
}

/** Words C or C++ keep to themselves, and what Windows headers define as macros. */
const RESERVED = new Set(
  (
    'alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class compl ' +
    'concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default ' +
    'delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long ' +
    'mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register ' +
    'reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch ' +
    'template this thread_local throw true try typedef typeid typename typeof union unsigned using virtual void ' +
    'volatile wchar_t while xor xor_eq interface small near far IN OUT OPTIONAL NULL TRUE FALSE BOOLEAN WCHAR UINT8 ' +
    'INT8 UINT16 INT16 UINT32 INT32 UINT64 INT64 GUID'
  ).split(' '),
);

/** A C identifier of a MOF name: other letters become `_uXXXX`, keywords get an underscore. */
function identifier(name: string): string {
  let text = '';
  for (const char of name) {
    const code = char.codePointAt(0) ?? 0;
    text += /[A-Za-z0-9_]/.test(char) ? char : `_u${code.toString(16).padStart(4, '0')}`;
  }
  if (/^[0-9]/.test(text) || text === '') text = `_${text}`;
  return RESERVED.has(text) ? `${text}_` : text;
}

/** Text for the inside of a C comment: printable ASCII, unable to end it, to open another or to continue a line. */
function commentText(text: string): string {
  return text
    .replace(/[^ -~]+/g, ' ')
    .replaceAll('\\', '/')
    .replaceAll('*/', '* /')
    .replaceAll('/*', '/ *')
    .replaceAll('??', '? ?')
    .trim();
}

/** Declarator of one C field; the layout's types in C's order. */
function declaration(ctype: string, name: string, m: MemberPlan, count: string): string {
  if (ctype.startsWith('{')) return `${block(m, count)} ${name}[${m.max}];`;
  const bracket = ctype.indexOf('[');
  if (bracket < 0) return `${ctype} ${name};`;
  return `${ctype.slice(0, bracket)} ${name}${ctype.slice(bracket)};`;
}

function block(m: MemberPlan, count: string): string {
  return `struct { UINT16 ${count}; WCHAR String[${m.maxLen + 1}]; }`;
}

/** What an offset field leads to. */
function tailComment(m: MemberPlan, count: string): string {
  const record = `{ UINT16 ${count}; WCHAR String[]; }`;
  switch (m.op) {
    case Op.tailString:
      return ` /* to ${record} */`;
    case Op.tailBlocks:
      return ` /* to ${block(m, count)}[] */`;
    case Op.tailStrings:
      return ` /* to UINT32[], each the offset of ${record} */`;
    default:
      return ` /* to ${C_TYPE[m.type]}[]${m.type === 'datetime' ? `[${DATETIME_LENGTH}]` : ''} */`;
  }
}

const TYPES: readonly (readonly [string, string])[] = [
  ['BOOLEAN', 'uint8_t'],
  ['WCHAR', 'uint16_t'],
  ['UINT8', 'uint8_t'],
  ['INT8', 'int8_t'],
  ['UINT16', 'uint16_t'],
  ['INT16', 'int16_t'],
  ['UINT32', 'uint32_t'],
  ['INT32', 'int32_t'],
  ['UINT64', 'uint64_t'],
  ['INT64', 'int64_t'],
];

/** Types and assertion of the compiler at hand; what is defined here ends with the file. */
const OPENING: readonly string[] = [
  '#include <stddef.h>',
  '#if !defined(_WIN32)',
  '/* Elsewhere than on Windows (there: include ntddk.h, ndis.h or windows.h first). */',
  '#include <stdint.h>',
  ...TYPES.flatMap(([name]) => [`#pragma push_macro("${name}")`, `#undef ${name}`]),
  ...TYPES.map(([name, type]) => `#define ${name} ${type}`),
  '#endif',
  '',
  '#if defined(__cplusplus)',
  '#define EXTSWITCH_ASSERT(condition, text) static_assert(condition, text)',
  '#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L',
  '#define EXTSWITCH_ASSERT(condition, text) _Static_assert(condition, text)',
  '#else',
  '#define EXTSWITCH_ASSERT_NAME_(line) extswitch_assert_##line',
  '#define EXTSWITCH_ASSERT_NAME(line) EXTSWITCH_ASSERT_NAME_(line)',
  '#define EXTSWITCH_ASSERT(condition, text) \\',
  '    extern char EXTSWITCH_ASSERT_NAME(__LINE__)[(condition) ? 1 : -1]',
  '#endif',
  '',
  '#pragma pack(push, 8)',
  '',
];
const CLOSING: readonly string[] = [
  '#pragma pack(pop)',
  '',
  '#undef EXTSWITCH_ASSERT',
  '#if !defined(_WIN32)',
  ...TYPES.map(([name]) => `#pragma pop_macro("${name}")`),
  '#endif',
  '',
];

/** Lines that check one struct in the compiler: every offset and the size. */
function assertions(plan: FeaturePlan, struct: string, names: readonly string[]): string[] {
  const lines = plan.fields.map((field, i) => {
    const what = `offsetof(${struct}, ${names[i]}) == ${field.offset}`;
    return `EXTSWITCH_ASSERT(${what}, "${struct}.${names[i]} is not at ${field.offset}");`;
  });
  lines.push(
    `EXTSWITCH_ASSERT(sizeof(${struct}) == ${plan.size}, "${struct} has not ${plan.size} bytes");`,
  );
  return lines;
}

/** `{0x11111111,0x2222,…}` as DEFINE_GUID's and the GUID struct's initialiser want it. */
function guidInitializer(guid: string): string {
  const [a, b, c, d = '', e = ''] = guid.split('-');
  const tail = `${d}${e}`.match(/../g) ?? [];
  return `{ 0x${a}, 0x${b}, 0x${c}, { ${tail.map((byte) => `0x${byte}`).join(', ')} } }`;
}

/** Names for the fields of one struct: C identifiers, all different. */
function fieldNames(plan: FeaturePlan): string[] {
  const taken = new Set<string>();
  return plan.fields.map((field) => {
    let name = identifier(field.name);
    while (taken.has(name)) name += '_';
    taken.add(name);
    return name;
  });
}

function structLines(
  feature: FeatureClass,
  struct: string,
  profile: SerializationProfile,
): string[] {
  const plan = planFeature(feature, profile);
  const version = `${feature.version >> 8}.${feature.version & 0xff}`;
  const hex = `0x${feature.version.toString(16).padStart(4, '0')}`;
  const lines = [
    `/* ${commentText(feature.name)}: ${commentText(feature.displayName)}`,
    ` * ${feature.scope} ${feature.kind}, version ${version}, UUID ${feature.id}, ExtensionId ${feature.extensionId}`,
    ` * Fixed part ${plan.size} bytes. Offsets count from the first byte of this structure. */`,
    `#define ${struct}_ID_INIT ${guidInitializer(feature.id)}`,
    `#define ${struct}_EXTENSION_ID_INIT ${guidInitializer(feature.extensionId)}`,
    `#define ${struct}_VERSION ${hex}`,
    `#define ${struct}_FIXED_SIZE ${plan.size}`,
  ];
  if (plan.fields.length === 0) {
    return [...lines, '/* No members: nothing is serialized. */', ''];
  }
  const names = fieldNames(plan);
  const byId = new Map(plan.members.map((m) => [m.wmiDataId, m]));
  const count = profile.stringUnit === 'bytes' ? 'ByteCount' : 'CharCount';
  lines.push(`typedef struct ${struct} {`);
  plan.fields.forEach((field, i) => {
    const m = byId.get(field.wmiDataId);
    if (m === undefined) return;
    const isOffset = isTail(m) && plan.fields[i + 1]?.wmiDataId !== field.wmiDataId;
    const comment = isOffset ? tailComment(m, count) : '';
    lines.push(`    ${declaration(field.ctype, names[i] ?? '', m, count)}${comment}`);
  });
  lines.push(`} ${struct};`, '');
  return [...lines, ...assertions(plan, struct, names), ''];
}

/** File name without folders, so that a header does not tell where it was made. */
function baseName(path: string): string {
  return path.split(/[\\/]/).pop() ?? path;
}

/**
 * A C header with the struct of each feature class as an extension's driver sees it: for C and C++, gcc, clang and MSVC,
 * user and kernel mode. Every offset and size is asserted in the compiler, so a wrong packing option or a driver's own
 * header that differs is an error at build time. GUIDs come as initialisers (`GUID id = Class_ID_INIT;`). Throws
 * `MOF_INVALID` as {@link layoutOf}.
 */
export function cHeader(features: readonly FeatureClass[], options: HeaderOptions = {}): string {
  const profile = fullProfile(options.profile);
  const source = baseName(options.sourceName ?? features[0]?.source.file ?? 'features.mof');
  const guard = `EXTSWITCH_${identifier(source.replace(/[^A-Za-z0-9]+/g, '_')).toUpperCase()}_H`;
  const lines = [
    `/* Written by \`extswitch mof header\` from ${commentText(source)}. Do not edit: change the MOF file.`,
    ` * uint16: ${profile.uint16}, string counts in ${profile.stringUnit}, terminating NUL ${profile.nul}. */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    ...OPENING,
  ];
  const structs = new Set<string>();
  for (const feature of features) {
    let struct = identifier(feature.name);
    while (structs.has(struct)) struct += '_';
    structs.add(struct);
    lines.push(...structLines(feature, struct, profile));
  }
  return [...lines, ...CLOSING, `#endif /* ${guard} */`, ''].join('\n');
}
