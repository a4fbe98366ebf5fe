import type { MofProperty } from '../ast.ts';
import { findQualifier } from '../qualifiers.ts';
import type { CandidateMember, CompileState, FeatureCandidate } from './state.ts';

/**
 * Collects the serialized properties, own and inherited, by WmiDataId (R2). The ids must be 1, 2, 3, … without a gap: the
 * order in the buffer is read from them, so a hole means that a property was lost.
 */
export function checkDataIds(state: CompileState): void {
  for (const candidate of state.candidates) {
    const members: CandidateMember[] = [];
    let isWhole = !candidate.declaration.broken;
    for (const { feature, owner } of state.tree.membersOf(candidate.declaration.name)) {
      if (feature.kind !== 'property') continue;
      const idQualifier = findQualifier(feature.qualifiers, 'wmidataid');
      if (idQualifier === undefined) {
        if (!owner.builtIn) reportMissing(state, candidate, feature);
        continue;
      }
      const value = idQualifier.value;
      if (value?.kind !== 'integer') {
        isWhole = false;
      } else if (value.value < 1n || value.value > 0x7fffffffn) {
        const message = `WmiDataId of ${feature.name} is ${value.value}; the ids are 1, 2, 3, …`;
        state.sink.report('E-DATAID', value.span, message);
        isWhole = false;
      } else members.push({ property: feature, wmiDataId: Number(value.value), idQualifier });
    }
    members.sort((a, b) => a.wmiDataId - b.wmiDataId);
    if (reportDuplicates(state, members)) isWhole = false;
    if (isWhole) reportGap(state, candidate, members);
    candidate.members = members;
  }
}

function reportMissing(
  state: CompileState,
  candidate: FeatureCandidate,
  property: MofProperty,
): void {
  if (property.type.kind !== 'scalar') return;
  const message = `${property.name} of ${candidate.declaration.name} has no WmiDataId, so it is not sent`;
  state.sink.report('W-DATAID-MISSING', property.span, message);
}

function reportDuplicates(state: CompileState, members: readonly CandidateMember[]): boolean {
  let previous: CandidateMember | undefined;
  let found = false;
  for (const member of members) {
    if (previous?.wmiDataId === member.wmiDataId) {
      const message = `${member.property.name} has the WmiDataId ${member.wmiDataId} of ${previous.property.name}`;
      const related = previous.idQualifier.span;
      state.sink.report('E-DATAID-DUPLICATE', member.idQualifier.span, message, { related });
      found = true;
    } else previous = member;
  }
  return found;
}

function reportGap(
  state: CompileState,
  candidate: FeatureCandidate,
  members: readonly CandidateMember[],
): void {
  let expected = 1;
  for (const { property, wmiDataId, idQualifier } of members) {
    if (wmiDataId !== expected) {
      const last = wmiDataId - 1;
      const ids = last === expected ? `${last} is` : `${expected} to ${last} are`;
      const message = `WmiDataId ${ids} missing in ${candidate.declaration.name}: ${property.name} has ${wmiDataId}`;
      const hint = `number the properties 1 to ${members.length}`;
      state.sink.report('E-DATAID-GAP', idQualifier.span, message, { hint });
    }
    expected = wmiDataId + 1;
  }
}
