import type { MofFeature, MofType } from '../ast.ts';
import { nearestName } from '../nearest-name.ts';
import { typeHint } from '../type-names.ts';
import { convertValue } from '../values.ts';
import type { CompileState } from './state.ts';

/** Types that are neither scalar nor a known class are refused; initial values fit their type. */
export function checkTypes(state: CompileState): void {
  const declared = new Map(state.classes.map(({ name }) => [name.toLowerCase(), name]));
  for (const declaration of state.classes) {
    for (const feature of declaration.features) checkFeature(state, feature, declared);
  }
}

function checkFeature(
  state: CompileState,
  feature: MofFeature,
  declared: ReadonlyMap<string, string>,
): void {
  if (feature.kind === 'method') {
    if (feature.returns !== undefined) checkType(state, feature.returns, declared);
    for (const parameter of feature.parameters) checkType(state, parameter.type, declared);
    return;
  }
  checkType(state, feature.type, declared);
}

function checkType(
  state: CompileState,
  type: MofType,
  declared: ReadonlyMap<string, string>,
): void {
  if (type.kind !== 'class') return;
  const lower = type.name.toLowerCase();
  // A class may be embedded before its declaration: WDM files do it.
  if (lower === 'object' || declared.has(lower) || state.tree.get(lower) !== undefined) return;
  const near =
    nearestName(type.name, [...declared.values()]) ??
    nearestName(type.name, [...state.tree.names()]);
  const hint = typeHint(type.name) ?? (near === undefined ? undefined : `did you mean ${near}?`);
  state.sink.report('E-TYPE', type.span, `unknown type "${type.name}"`, { hint });
}

/**
 * Initial values of classes that are no features; those of features are converted, with their bounds, where the feature is
 * built.
 */
export function checkInitials(state: CompileState): void {
  const features = new Set(state.candidates.map((candidate) => candidate.declaration));
  for (const declaration of state.classes) {
    if (features.has(declaration)) continue;
    for (const feature of declaration.features) {
      if (feature.kind !== 'property' || feature.type.kind !== 'scalar') continue;
      if (feature.initial === undefined) continue;
      const { name, array } = feature;
      const target = { name, type: feature.type.name, isArray: array !== undefined };
      convertValue(feature.initial, target, state.sink);
    }
  }
}
