import type { MofClass, MofQualifier } from '../ast.ts';
import { findQualifier, hasFlag, stringValue } from '../qualifiers.ts';
import { describeValue } from '../values.ts';
import type { CompileState, FeatureCandidate } from './state.ts';

const ROLES = [
  { base: 'Msvm_EthernetSwitchPortFeatureSettingData', scope: 'port', kind: 'setting' },
  { base: 'Msvm_EthernetSwitchFeatureSettingData', scope: 'switch', kind: 'setting' },
  { base: 'Msvm_EthernetPortData', scope: 'port', kind: 'status' },
  { base: 'Msvm_EthernetSwitchData', scope: 'switch', kind: 'status' },
] as const;

const PROVIDER = 'vmmswmiinstanceandmethodprovider';

/** Finds the feature classes: superclass gives scope and kind, `Provider` binds them to the management service (management.md 1.5). */
export function selectFeatures(state: CompileState): void {
  const candidates: FeatureCandidate[] = [];
  for (const declaration of state.classes) {
    const info = state.tree.get(declaration.name);
    if (info === undefined || info.declaration !== declaration) continue;
    if (hasFlag(declaration.qualifiers, 'abstract')) continue;
    const role = ROLES.find(({ base }) => state.tree.isA(declaration.name, base));
    const superclass = info.superclass ?? '';
    if (role === undefined) {
      checkScopeless(state, declaration);
      continue;
    }
    if (!hasProvider(state, declaration)) continue;
    const { scope, kind } = role;
    checkApplicability(state, declaration, scope, superclass);
    candidates.push({ declaration, scope, kind, superclass, members: [] });
  }
  state.candidates = candidates;
}

function checkScopeless(state: CompileState, declaration: MofClass): void {
  if (!state.tree.isA(declaration.name, 'Msvm_FeatureSettingData')) return;
  const span = declaration.superclass?.span ?? declaration.span;
  const message = `${declaration.name} is neither a port feature nor a switch feature`;
  const hint =
    'derive it from Msvm_EthernetSwitchPortFeatureSettingData or Msvm_EthernetSwitchFeatureSettingData';
  state.sink.report('E-APPLICABILITY', span, message, { hint });
}

function hasProvider(state: CompileState, declaration: MofClass): boolean {
  const { name, qualifiers, span } = declaration;
  const provider = findQualifier(qualifiers, 'provider');
  const hint = 'write Provider("VmmsWmiInstanceAndMethodProvider")';
  if (provider === undefined) {
    if (declaration.broken) return true;
    const message = `feature class ${name} has no Provider qualifier`;
    state.sink.report('E-PROVIDER-MISSING', span, message, { hint });
    return true;
  }
  const text = stringValue(provider);
  if (text === undefined || text.toLowerCase() === PROVIDER) return true;
  const message = `${name} has the provider "${text}", so it is not a feature class`;
  state.sink.report('W-PROVIDER', provider.span, message, { hint });
  return false;
}

/** 1 port, 2 switch, as in `Msvm_EthernetSwitchFeatureCapabilities.Applicability`; number or string. */
function checkApplicability(
  state: CompileState,
  declaration: MofClass,
  scope: 'port' | 'switch',
  superclass: string,
): void {
  const qualifier = findQualifier(declaration.qualifiers, 'applicability');
  if (qualifier?.value === undefined) return;
  const number = applicabilityOf(qualifier);
  if (number === (scope === 'port' ? '1' : '2')) return;
  const message =
    number === '1' || number === '2'
      ? `Applicability ${number} means ${number === '1' ? 'port' : 'switch'}, but ${superclass} is for a ${scope}`
      : `Applicability is 1 (port) or 2 (switch); found ${describeValue(qualifier.value)}`;
  state.sink.report('E-APPLICABILITY', qualifier.value.span, message);
}

function applicabilityOf(qualifier: MofQualifier): string | undefined {
  const value = qualifier.value;
  if (value?.kind === 'integer') return String(value.value);
  return value?.kind === 'string' ? value.value.trim() : undefined;
}
