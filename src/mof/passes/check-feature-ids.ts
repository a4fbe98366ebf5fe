import type { FeatureClass } from '../feature-class.ts';
import { findQualifier } from '../qualifiers.ts';
import type { Span } from '../source.ts';
import type { CompileState } from './state.ts';

/**
 * UUIDs are unique within one kind (management.md 1.4); built-in bandwidth and offload use one for both kinds, rule F6
 * wants two. A known class of the same name is being replaced, so it does not count.
 */
export function checkFeatureIds(state: CompileState): void {
  const own = new Map<string, { feature: FeatureClass; span: Span }>();
  const names = new Set(state.features.map((feature) => feature.name.toLowerCase()));
  const known = new Map<string, FeatureClass>();
  for (const feature of state.tree.features()) {
    if (names.has(feature.name.toLowerCase())) continue;
    known.set(`${feature.kind} ${feature.id}`, feature);
  }
  const sound: FeatureClass[] = [];
  for (const feature of state.features) {
    const span = idSpan(state, feature);
    const key = `${feature.kind} ${feature.id}`;
    const twin = own.get(key);
    const other = twin?.feature ?? known.get(key);
    if (other !== undefined) {
      const { file, line } = other.source;
      const message = `${feature.name} has the UUID of ${other.name} (${file}:${line}); both are ${feature.kind} classes`;
      const related = twin?.span ?? { file, line, column: 1 };
      state.sink.report('E-UUID-DUPLICATE', span, message, { related });
      continue;
    }
    const otherKey = `${feature.kind === 'setting' ? 'status' : 'setting'} ${feature.id}`;
    const shared = own.get(otherKey)?.feature ?? known.get(otherKey);
    if (shared !== undefined) {
      const message = `${feature.name} (${feature.kind}) has the UUID of ${shared.name} (${shared.kind})`;
      state.sink.report('W-UUID-SHARED', span, message, { hint: 'give each its own UUID (F6)' });
    }
    checkExtension(state, feature);
    own.set(key, { feature, span });
    sound.push(feature);
  }
  state.features = sound;
}

function checkExtension(state: CompileState, feature: FeatureClass): void {
  const { installedExtensions } = state;
  if (installedExtensions === undefined || installedExtensions(feature.extensionId)) return;
  const message = `no extension ${feature.extensionId} is installed, so nobody receives ${feature.name}`;
  state.sink.report('W-EXTENSION-UNKNOWN', qualifierSpan(state, feature, 'extensionid'), message);
}

function idSpan(state: CompileState, feature: FeatureClass): Span {
  return qualifierSpan(state, feature, 'uuid');
}

function qualifierSpan(state: CompileState, feature: FeatureClass, name: string): Span {
  const declaration = state.tree.get(feature.name)?.declaration;
  if (declaration === undefined) throw new Error(`feature ${feature.name} has no declaration`);
  return findQualifier(declaration.qualifiers, name)?.value?.span ?? declaration.span;
}
