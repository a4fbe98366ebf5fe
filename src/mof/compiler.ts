import type { Guid } from '../core/guid.ts';
import type { MofClass, MofInstance, MofPragma, MofQualifierDeclaration } from './ast.ts';
import { builtInClasses } from './builtin-classes.ts';
import { ClassTree } from './class-tree.ts';
import { type Diagnostic, DiagnosticSink, TooManyDiagnostics } from './diagnostic.ts';
import type { FeatureClass } from './feature-class.ts';
import { buildFeatures } from './passes/build-features.ts';
import { checkDataIds } from './passes/check-data-ids.ts';
import { checkFeatureContents } from './passes/check-feature-contents.ts';
import { checkFeatureIds } from './passes/check-feature-ids.ts';
import { checkInstances } from './passes/check-instances.ts';
import { checkNames } from './passes/check-names.ts';
import { checkQualifiers } from './passes/check-qualifiers.ts';
import { checkInitials, checkTypes } from './passes/check-types.ts';
import { resolveClasses } from './passes/resolve-classes.ts';
import { selectFeatures } from './passes/select-features.ts';
import type { CompileState } from './passes/state.ts';
import { findQualifier } from './qualifiers.ts';
import { type IncludeReader, UnitReader } from './unit-reader.ts';

export interface CompileOptions {
  /** Name of the file in diagnostics and `FeatureClass.source`. Default `mof`. */
  readonly file?: string;
  /** Every quirk of published files becomes an error. */
  readonly strict?: boolean;
  /** Run the C preprocessor first (WDM sources), with these macros defined. */
  readonly preprocess?: boolean | { readonly defines?: Readonly<Record<string, string>> };
  /** Reads included files; without it an include is an error. */
  readonly include?: IncludeReader;
  /** Classes registered before; default the built-in ones. */
  readonly knownClasses?: ClassTree;
  /** Tells whether an extension is installed; without it nobody is warned about unknown ones. */
  readonly installedExtensions?: (id: Guid) => boolean;
}

export interface MofResult {
  /** Feature classes in source order; empty when there is an error. */
  readonly features: readonly FeatureClass[];
  readonly classes: readonly MofClass[];
  readonly instances: readonly MofInstance[];
  /** `namespace` pragmas have their normalized argument. */
  readonly pragmas: readonly MofPragma[];
  readonly qualifierDeclarations: readonly MofQualifierDeclaration[];
  /** Which of the three MOF dialects the file is in (management.md 1.1). */
  readonly dialect: 'dmtf' | 'wmi' | 'wdm';
  /** Errors and warnings in the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
  /** The known classes and, over them, those of this file: `knownClasses.adopt(result)` keeps them. */
  readonly tree: ClassTree;
}

/** The semantic passes in their order: each needs what the ones before it checked or filled in. */
const PASSES: readonly ((state: CompileState) => void)[] = [
  // resolve
  resolveClasses,
  // check
  checkNames,
  checkQualifiers,
  checkTypes,
  checkInstances,
  // features
  selectFeatures,
  checkInitials,
  checkFeatureContents,
  checkDataIds,
  buildFeatures,
  checkFeatureIds,
];

/**
 * Compiles MOF text: parses it, resolves classes, checks them, and turns those that derive from the feature bases into
 * feature classes. Never throws on bad input; all errors of the file and its includes are in `diagnostics`.
 */
export function compileMof(input: string | Uint8Array, options: CompileOptions = {}): MofResult {
  const sink = new DiagnosticSink(options.strict ?? false);
  const { preprocess, include, installedExtensions } = options;
  const defines =
    typeof preprocess === 'object'
      ? (preprocess.defines ?? {})
      : preprocess === true
        ? {}
        : undefined;
  const reader = new UnitReader(sink, { include, defines });
  const { instances, pragmas, qualifierDeclarations, namespaces } = reader;
  const state: CompileState = {
    sink,
    tree: new ClassTree(options.knownClasses ?? builtInClasses()),
    classes: reader.classes,
    instances,
    pragmas,
    qualifierDeclarations,
    namespaces,
    installedExtensions,
    candidates: [],
    features: [],
  };
  try {
    reader.read(options.file ?? 'mof', input);
    for (const pass of PASSES) pass(state);
  } catch (stop) {
    if (!(stop instanceof TooManyDiagnostics)) throw stop;
  }
  const features = sink.errorCount === 0 ? state.features : [];
  const { tree, classes } = state;
  const dialect = dialectOf(state);
  const diagnostics = sink.diagnostics.sort(byPlace);
  return {
    features,
    classes,
    instances,
    pragmas,
    qualifierDeclarations,
    dialect,
    diagnostics,
    tree,
  };
}

/** In the order of the text; files keep the order in which they were first met. */
function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (a.code === 'E-TOO-MANY' || b.code === 'E-TOO-MANY') return a.code === 'E-TOO-MANY' ? 1 : -1;
  if (a.file !== b.file) return 0;
  return a.line - b.line || a.column - b.column;
}

function dialectOf(state: CompileState): MofResult['dialect'] {
  if (state.qualifierDeclarations.some((each) => each.type !== undefined)) return 'dmtf';
  const isWdm = state.classes.some((declaration) => {
    const { qualifiers, features } = declaration;
    if (findQualifier(qualifiers, 'wmi', 'guid') !== undefined) return true;
    return features.some((each) => each.kind === 'property' && each.type.kind === 'class');
  });
  return isWdm ? 'wdm' : 'wmi';
}
