import type { MofClass, MofFeature, MofProperty } from '../ast.ts';
import { findQualifier, hasFlag } from '../qualifiers.ts';
import type { CompileState, FeatureCandidate } from './state.ts';

/** What cannot travel in a property buffer is refused by name (R15; management.md 1.5). */
export function checkFeatureContents(state: CompileState): void {
  for (const candidate of state.candidates) {
    const { declaration } = candidate;
    for (const name of ['association', 'aggregation', 'indication']) {
      const qualifier = findQualifier(declaration.qualifiers, name);
      if (qualifier === undefined || !hasFlag(declaration.qualifiers, name)) continue;
      const message = `feature class ${declaration.name} cannot be an ${name}`;
      state.sink.report('E-FEATURE-ASSOCIATION', qualifier.span, message);
    }
    for (const { feature, owner } of state.tree.membersOf(declaration.name)) {
      if (!owner.builtIn) checkFeature(state, declaration, feature);
    }
    checkAccess(state, candidate);
  }
}

function checkFeature(state: CompileState, declaration: MofClass, feature: MofFeature): void {
  const { sink } = state;
  const { name, span } = feature;
  const where = `feature class ${declaration.name}`;
  if (feature.kind === 'method') {
    sink.report('E-FEATURE-METHOD', span, `${where} cannot have the method ${name}`);
    return;
  }
  if (feature.type.kind === 'reference') {
    sink.report('E-FEATURE-REFERENCE', span, `${where} cannot have the reference ${name}`);
    return;
  }
  if (isEmbedded(state, feature)) {
    const message = `${where} cannot have the embedded object ${name}`;
    sink.report('E-FEATURE-EMBEDDED', span, message);
  }
  if (hasFlag(feature.qualifiers, 'key')) {
    const message = `${where} cannot have the key ${name}; its key is inherited`;
    sink.report('E-FEATURE-KEY', span, message, { hint: 'remove the Key qualifier' });
  }
  if (hasFlag(feature.qualifiers, 'octetstring')) {
    const message = `${where} cannot have the octet string ${name}`;
    sink.report('E-FEATURE-OCTETSTRING', span, message, { hint: 'use uint8 with Max(n)' });
  }
}

/** An unknown type was already reported as such. */
function isEmbedded(state: CompileState, property: MofProperty): boolean {
  const { type, qualifiers } = property;
  if (hasFlag(qualifiers, 'embeddedobject')) return true;
  if (findQualifier(qualifiers, 'embeddedinstance') !== undefined) return true;
  if (type.kind !== 'class') return false;
  return type.name.toLowerCase() === 'object' || state.tree.get(type.name) !== undefined;
}

/** Properties without Read and Write are read/write all the same (policy overview page); status is read-only anyway. */
function checkAccess(state: CompileState, candidate: FeatureCandidate): void {
  const { declaration, kind } = candidate;
  if (kind === 'status') return;
  const bare = declaration.features.filter((feature) => {
    const isProperty = feature.kind === 'property';
    const { qualifiers } = feature;
    return isProperty && !hasFlag(qualifiers, 'read') && !hasFlag(qualifiers, 'write');
  });
  const [first] = bare;
  if (first === undefined) return;
  const more = bare.length > 1 ? ` and ${bare.length - 1} more` : '';
  const message = `${first.name}${more} of ${declaration.name} says neither Read nor Write; taken as both`;
  state.sink.report('W-ACCESS', first.span, message, { hint: 'add Read, Write' });
}
