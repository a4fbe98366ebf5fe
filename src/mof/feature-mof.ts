import type { MofClass, MofProperty, MofQualifier, MofValue } from './ast.ts';
import type { FeatureClass, FeatureMember, MemberValue } from './feature-class.ts';
import { SourceFile, type Span } from './source.ts';

const NOWHERE: Span = { source: new SourceFile('generated', ''), start: 0, end: 0 };

/** A feature class as a MOF declaration, e.g. to print it; compiling the print gives the feature class again. */
export function classOfFeature(feature: FeatureClass): MofClass {
  const span = NOWHERE;
  const qualifiers: MofQualifier[] = [
    flag('Dynamic'),
    text('UUID', feature.id),
    text('ExtensionId', feature.extensionId),
    text('Provider', 'VmmsWmiInstanceAndMethodProvider'),
    qualifier('Locale', integer(0x409n)),
    text('InterfaceVersion', versionText(feature.version)),
    text('InterfaceRevision', '0'),
    { ...text('DisplayName', feature.displayName), flavors: ['Amended'] },
    { ...text('Description', feature.description), flavors: ['Amended'] },
  ];
  const features = feature.members.map((member) => propertyOfMember(member, feature.kind));
  const superclass = { text: feature.superclass, span };
  return {
    kind: 'class',
    name: feature.name,
    superclass,
    qualifiers,
    features,
    broken: false,
    span,
  };
}

/** `major` or `major.minor` of a version number. */
function versionText(version: number): string {
  const minor = version & 0xff;
  return minor === 0 ? String(version >> 8) : `${version >> 8}.${minor}`;
}

function propertyOfMember(member: FeatureMember, kind: FeatureClass['kind']): MofProperty {
  const { name, type, array } = member;
  const qualifiers = [flag('Read')];
  if (kind === 'setting') qualifiers.push(flag('Write'));
  qualifiers.push(
    qualifier('WmiDataId', integer(BigInt(member.wmiDataId))),
    text('InterfaceVersion', versionText(member.version)),
    text('InterfaceRevision', '0'),
  );
  if (member.maxLen !== undefined) {
    qualifiers.push(qualifier('MaxLen', integer(BigInt(member.maxLen))));
  }
  if (array?.max !== undefined) qualifiers.push(qualifier('Max', integer(BigInt(array.max))));
  if (member.minValue !== undefined) qualifiers.push(qualifier('MinValue', bound(member.minValue)));
  if (member.maxValue !== undefined) qualifiers.push(qualifier('MaxValue', bound(member.maxValue)));
  if (member.displayName !== undefined) qualifiers.push(text('DisplayName', member.displayName));
  if (member.description !== undefined) qualifiers.push(text('Description', member.description));
  if (member.valueNames !== undefined) {
    qualifiers.push(
      qualifier('ValueMap', strings(Object.keys(member.valueNames))),
      qualifier('Values', strings(Object.values(member.valueNames))),
    );
  }
  const initial =
    member.default === undefined ? {} : { initial: constantOf(member.default, member) };
  const brackets = array === undefined ? {} : { array: {} };
  const mofType = { kind: 'scalar', name: type, span: NOWHERE } as const;
  return {
    kind: 'property',
    name,
    type: mofType,
    ...brackets,
    ...initial,
    qualifiers,
    span: NOWHERE,
  };
}

function constantOf(value: MemberValue, member: FeatureMember): MofValue {
  const span = NOWHERE;
  if (typeof value === 'boolean') return { kind: 'boolean', value, span };
  if (typeof value === 'bigint') return integer(value);
  if (typeof value === 'number') {
    const isReal = member.type === 'real32' || member.type === 'real64';
    return isReal ? { kind: 'real', value, span } : integer(BigInt(value));
  }
  if (typeof value === 'string') {
    // '' is U+0000.
    if (member.type === 'char16') return { kind: 'char', value: value.charCodeAt(0) || 0, span };
    return { kind: 'string', value, span };
  }
  return { kind: 'array', items: value.map((item) => constantOf(item, member)), span };
}

function qualifier(name: string, value: MofValue): MofQualifier {
  return { name, value, flavors: [], span: NOWHERE };
}
function flag(name: string): MofQualifier {
  return { name, flavors: [], span: NOWHERE };
}
function text(name: string, value: string): MofQualifier {
  return qualifier(name, { kind: 'string', value, span: NOWHERE });
}
function integer(value: bigint): MofValue {
  return { kind: 'integer', value, span: NOWHERE };
}
function bound(value: number | bigint): MofValue {
  if (typeof value === 'bigint') return integer(value);
  return Number.isInteger(value) ? integer(BigInt(value)) : { kind: 'real', value, span: NOWHERE };
}
function strings(items: readonly string[]): MofValue {
  return {
    kind: 'array',
    items: items.map((value) => ({ kind: 'string', value, span: NOWHERE })),
    span: NOWHERE,
  };
}
