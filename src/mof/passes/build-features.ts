import { isExtSwitchError } from '../../core/errors.ts';
import { type Guid, tryParseGuid } from '../../core/guid.ts';
import type { MofClass, MofQualifier } from '../ast.ts';
import type { DiagnosticCode } from '../diagnostic-codes.ts';
import type { FeatureClass, FeatureMember } from '../feature-class.ts';
import { layoutOf } from '../layout.ts';
import { findQualifier, hasFlag, stringValue } from '../qualifiers.ts';
import { buildMember } from './build-member.ts';
import { VersionReader } from './feature-version.ts';
import type { CompileState, FeatureCandidate } from './state.ts';

const NAMESPACE = 'root\\virtualization\\v2';

/** Turns the candidates into feature classes; one that has errors is left out. */
export function buildFeatures(state: CompileState): void {
  const features: FeatureClass[] = [];
  for (const candidate of state.candidates) {
    const before = state.sink.errorCount;
    // What seems missing from a class with syntax errors may just not have been read.
    if (candidate.declaration.broken) continue;
    const feature = buildFeature(state, candidate);
    checkAdvice(state, candidate);
    const isSound = state.sink.errorCount === before;
    if (feature !== undefined && isSound) features.push(feature);
  }
  state.features = features;
}

function buildFeature(state: CompileState, candidate: FeatureCandidate): FeatureClass | undefined {
  const { declaration, scope, kind, superclass } = candidate;
  const { name, qualifiers, span } = declaration;
  // Rule E53.
  const id = readGuid(state, declaration, 'UUID', 'E-UUID-MISSING');
  const extensionId = readGuid(state, declaration, 'ExtensionId', 'E-EXTENSION-MISSING');
  const versions = new VersionReader(state);
  const version = versions.read(qualifiers);
  if (
    version === undefined &&
    findQualifier(qualifiers, 'interfaceversion', 'version') === undefined
  ) {
    const message = `feature class ${name} has no InterfaceVersion qualifier`;
    state.sink.report('E-VERSION-MISSING', span, message, { hint: 'write InterfaceVersion("1")' });
  }
  const members: FeatureMember[] = [];
  for (const member of candidate.members) {
    const memberVersion = versions.read(member.property.qualifiers);
    if (version !== undefined && memberVersion !== undefined && memberVersion > version) {
      reportNewer(state, declaration, member.property.qualifiers, memberVersion, version);
    }
    const built = buildMember(member, memberVersion ?? version ?? 0, state.sink);
    if (built !== undefined) members.push(built);
  }
  if (id === undefined || extensionId === undefined || version === undefined) return undefined;
  const { line } = span.source.position(span.start);
  const feature: FeatureClass = {
    name,
    id,
    extensionId,
    scope,
    kind,
    version,
    displayName: stringValue(findQualifier(qualifiers, 'displayname')) ?? name,
    description: stringValue(findQualifier(qualifiers, 'description')) ?? '',
    superclass,
    members,
    source: { file: span.source.name, line },
    builtIn: false,
  };
  return isLaidOut(state, feature, declaration) ? feature : undefined;
}

/** The layout has a limit on the fixed part; `doc32` makes it largest. */
function isLaidOut(state: CompileState, feature: FeatureClass, declaration: MofClass): boolean {
  try {
    layoutOf(feature, { uint16: 'doc32' });
    return true;
  } catch (error) {
    if (!isExtSwitchError(error)) throw error;
    const member = declaration.features.find((each) => each.name === error.place.member);
    state.sink.report('E-CLASS-SIZE', member?.span ?? declaration.span, error.message);
    return false;
  }
}

function reportNewer(
  state: CompileState,
  declaration: MofClass,
  qualifiers: readonly MofQualifier[],
  found: number,
  version: number,
): void {
  const qualifier = findQualifier(qualifiers, 'interfaceversion', 'version');
  const text = (number: number): string => `${number >> 8}.${number & 0xff}`;
  const message = `the property has version ${text(found)}, but class ${declaration.name} only ${text(version)}`;
  const span = qualifier?.span ?? declaration.span;
  state.sink.report('E-PROPERTY-VERSION', span, message, {
    hint: 'the class has the version of its newest property',
  });
}

function readGuid(
  state: CompileState,
  declaration: MofClass,
  name: string,
  missing: DiagnosticCode,
): Guid | undefined {
  const qualifier = findQualifier(declaration.qualifiers, name.toLowerCase());
  if (qualifier === undefined) {
    const message = `feature class ${declaration.name} has no ${name} qualifier`;
    const hint = `write ${name}("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")`;
    state.sink.report(missing, declaration.span, message, { hint });
    return undefined;
  }
  const text = stringValue(qualifier);
  if (text === undefined) return undefined;
  const guid = tryParseGuid(text.trim());
  const span = qualifier.value?.span ?? qualifier.span;
  if (guid === undefined) {
    state.sink.report('E-GUID', span, `${name} "${text.slice(0, 60)}" is not a GUID`);
  } else if (text.includes('{')) {
    const message = `${name} is written with braces`;
    state.sink.report('W-GUID-BRACES', span, message, { hint: 'leave the braces out' });
  }
  return guid;
}

/** Warnings about what is legal but rarely meant. */
function checkAdvice(state: CompileState, candidate: FeatureCandidate): void {
  const { declaration } = candidate;
  const { name, qualifiers, span } = declaration;
  const { sink, tree } = state;
  if (!hasFlag(qualifiers, 'dynamic')) {
    sink.report('W-DYNAMIC', span, `feature class ${name} has no Dynamic qualifier`);
  }
  if (stringValue(findQualifier(qualifiers, 'displayname')) === undefined) {
    const message = `feature class ${name} has no DisplayName; PowerShell finds it by that name`;
    sink.report('W-DISPLAYNAME', span, message);
  }
  if (!/^[^_]+_./.test(name)) {
    const message = `the class name ${name} must begin with the vendor's name`;
    sink.report('W-VENDOR', span, message, { hint: `for example Fabrikam_${name}` });
  }
  const hasMember = tree
    .membersOf(name)
    .some(({ feature }) => findQualifier(feature.qualifiers, 'wmidataid') !== undefined);
  if (!hasMember) {
    sink.report('W-NO-MEMBERS', span, `feature class ${name} has no property with WmiDataId`);
  }
  const namespace = state.namespaces.get(declaration);
  if (namespace !== undefined && namespace.toLowerCase() !== NAMESPACE) {
    const message = `feature class ${name} is in namespace ${namespace}, not in ${NAMESPACE}`;
    sink.report('W-NAMESPACE', span, message);
  }
  checkStatusBase(state, candidate);
}

/**
 * `Fabrikam_CustomSwitchData` of the status page derives from the setting base, so it registers as a setting. Nothing in
 * the language says "status": the name, the Applicability qualifier and the texts do.
 */
function checkStatusBase(state: CompileState, candidate: FeatureCandidate): void {
  const { declaration, kind, scope } = candidate;
  const { name, qualifiers } = declaration;
  if (kind !== 'setting' || /setting(s|data)?$/i.test(name)) return;
  const isNamedStatus = /(data|status)$/i.test(name);
  const isMarked = findQualifier(qualifiers, 'applicability') !== undefined;
  const text = stringValue(findQualifier(qualifiers, 'displayname')) ?? '';
  if (!isNamedStatus && !isMarked && !/\bstatus\b/i.test(text)) return;
  const base = scope === 'port' ? 'Msvm_EthernetPortData' : 'Msvm_EthernetSwitchData';
  const message = `${name} looks like a status, but derives from a setting base: it registers as a setting`;
  const span = declaration.superclass?.span ?? declaration.span;
  state.sink.report('W-STATUS-BASE', span, message, { hint: `a status derives from ${base}` });
}
