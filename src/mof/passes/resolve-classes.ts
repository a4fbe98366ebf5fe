import type { MofClass } from '../ast.ts';
import type { ClassInfo } from '../class-tree.ts';
import { nearestName } from '../nearest-name.ts';
import { MAX_DEPTH } from '../parser-cursor.ts';
import type { CompileState } from './state.ts';

/** Classes every feature derives from: their misspelling in the policy overview page is repaired (management.md 1.4). */
const FEATURE_BASES = [
  'Msvm_EthernetSwitchPortFeatureSettingData',
  'Msvm_EthernetSwitchFeatureSettingData',
  'Msvm_EthernetPortData',
  'Msvm_EthernetSwitchData',
] as const;

const SYSTEM_NAME = /^(msvm|cim)_/i;

/**
 * Puts the classes into the tree in source order and finds their superclasses. A superclass must exist already or stand
 * earlier in the text, as mofcomp demands (management.md 1.3).
 */
export function resolveClasses(state: CompileState): void {
  const { sink, tree } = state;
  const later = new Map<string, MofClass>();
  for (const declaration of state.classes) {
    const key = declaration.name.toLowerCase();
    if (!later.has(key)) later.set(key, declaration);
  }
  const accepted = new Map<string, MofClass>();
  for (const declaration of state.classes) {
    const key = declaration.name.toLowerCase();
    const first = accepted.get(key);
    if (first !== undefined) {
      const isRefused = isFeature(state, first.name);
      const message = `class ${declaration.name} is declared twice`;
      const code = isRefused ? 'E-CLASS-DUPLICATE' : 'W-CLASS-AGAIN';
      sink.report(code, declaration.span, message, { related: first.span });
      if (isRefused) continue;
    }
    later.delete(key);
    const superclass = resolveSuperclass(state, declaration, later);
    accepted.set(key, declaration);
    if (tree.get(declaration.name)?.builtIn === true) {
      reportBuiltIn(state, declaration, superclass);
      continue;
    }
    const name = declaration.name;
    const part = superclass === undefined ? {} : { superclass: superclass.name };
    const isOpen = declaration.superclass !== undefined && superclass === undefined;
    tree.add({ name, ...part, declaration, builtIn: false, isOpen });
    if (SYSTEM_NAME.test(name) && isFeature(state, name)) {
      const message = `class ${name}: names with Msvm_ and CIM_ are Microsoft's and DMTF's`;
      sink.report('E-CLASS-CLASH', declaration.span, message, {
        hint: 'begin it with your vendor name',
      });
    }
  }
  state.classes = [...accepted.values()];
}

/** The built-in class stays; the text may carry its own copy of a base class. */
function reportBuiltIn(
  state: CompileState,
  declaration: MofClass,
  superclass: ClassInfo | undefined,
): void {
  const { name, span } = declaration;
  const isBase = FEATURE_BASES.some((base) => base.toLowerCase() === name.toLowerCase());
  if (!isBase && superclass !== undefined && isFeature(state, superclass.name)) {
    state.sink.report('E-CLASS-CLASH', span, `${name} is a built-in feature class`, {
      hint: 'begin the name with your vendor name',
    });
    return;
  }
  const message = `${name} is a built-in class; this declaration is not used`;
  state.sink.report('W-CLASS-BUILTIN', span, message);
}

function isFeature(state: CompileState, name: string): boolean {
  return FEATURE_BASES.some((base) => state.tree.isA(name, base));
}

function resolveSuperclass(
  state: CompileState,
  declaration: MofClass,
  later: ReadonlyMap<string, MofClass>,
): ClassInfo | undefined {
  const written = declaration.superclass;
  if (written === undefined) return undefined;
  const { sink, tree } = state;
  const { text, span } = written;
  const isItself = text.toLowerCase() === declaration.name.toLowerCase();
  const found = isItself ? undefined : tree.get(text);
  if (found !== undefined) {
    // Every question about a class walks its superclasses, so their number has a bound.
    if (tree.lineage(found.name).length < MAX_DEPTH) return found;
    sink.report(
      'E-DEPTH',
      span,
      `class ${declaration.name} has more than ${MAX_DEPTH} superclasses`,
    );
    return undefined;
  }
  const declaredLater = isItself ? declaration : later.get(text.toLowerCase());
  if (declaredLater !== undefined) {
    const message = isItself
      ? `class ${text} cannot derive from itself`
      : `superclass ${text} is declared later`;
    const hint = isItself ? undefined : `move class ${text} in front of ${declaration.name}`;
    sink.report('E-SUPER-FORWARD', span, message, { hint, related: declaredLater.span });
    return undefined;
  }
  const repaired = repairedBase(text);
  if (repaired !== undefined) {
    const message = `unknown superclass ${text}; read as ${repaired}`;
    sink.report('W-SUPER', span, message, { hint: `write ${repaired}` });
    return tree.get(repaired);
  }
  const near = nearestName(text, [...tree.names()]);
  const hint =
    near === undefined ? 'declare it earlier, or register its file first' : `did you mean ${near}?`;
  sink.report('E-SUPER', span, `unknown superclass ${text}`, { hint });
  return undefined;
}

/** `Msvm_EthernetSwitchPortFeatureSettingDataMsvm` of the policy overview page, in all its languages. */
function repairedBase(text: string): string | undefined {
  const short = text.toLowerCase().replace(/msvm$/, '');
  if (short.length === text.length) return undefined;
  return FEATURE_BASES.find((base) => base.toLowerCase() === short);
}
