import type { Span } from '../source.ts';
import type { CompileState } from './state.ts';

/** Names are case-insensitive: no class, method or instance may use one twice (management.md 1.2). */
export function checkNames(state: CompileState): void {
  for (const declaration of state.classes) {
    checkUnique(state, declaration.features, `class ${declaration.name}`);
    for (const feature of declaration.features) {
      if (feature.kind === 'method') {
        checkUnique(state, feature.parameters, `method ${feature.name}`);
      }
    }
  }
}

function checkUnique(
  state: CompileState,
  items: readonly { readonly name: string; readonly span: Span }[],
  where: string,
): void {
  const seen = new Map<string, Span>();
  for (const { name, span } of items) {
    const first = seen.get(name.toLowerCase());
    if (first === undefined) seen.set(name.toLowerCase(), span);
    else {
      const message = `${where} has the name ${name} twice`;
      state.sink.report('E-NAME-DUPLICATE', span, message, { related: first });
    }
  }
}
