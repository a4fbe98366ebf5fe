import type { Guid } from '../../core/guid.ts';
import type {
  MofClass,
  MofInstance,
  MofPragma,
  MofProperty,
  MofQualifier,
  MofQualifierDeclaration,
} from '../ast.ts';
import type { ClassTree } from '../class-tree.ts';
import type { DiagnosticSink } from '../diagnostic.ts';
import type { FeatureClass } from '../feature-class.ts';

/** A class that is a feature: it derives from one of the four bases and is not abstract. */
export interface FeatureCandidate {
  readonly declaration: MofClass;
  readonly scope: FeatureClass['scope'];
  readonly kind: FeatureClass['kind'];
  /** Canonical name of the superclass. */
  readonly superclass: string;
  /** Properties with WmiDataId, own and inherited, in WmiDataId order once `check-data-ids` has run. */
  members: readonly CandidateMember[];
}

export interface CandidateMember {
  readonly property: MofProperty;
  readonly wmiDataId: number;
  readonly idQualifier: MofQualifier;
}

/** What the passes work on; each reads what earlier ones left. */
export interface CompileState {
  readonly sink: DiagnosticSink;
  readonly tree: ClassTree;
  /** Classes in source order, without refused duplicates once `resolve-classes` has run. */
  classes: readonly MofClass[];
  readonly instances: readonly MofInstance[];
  readonly pragmas: readonly MofPragma[];
  readonly qualifierDeclarations: readonly MofQualifierDeclaration[];
  /** Namespace in force where a class was declared; absent: none was named. */
  readonly namespaces: ReadonlyMap<MofClass, string>;
  readonly installedExtensions: ((id: Guid) => boolean) | undefined;
  candidates: readonly FeatureCandidate[];
  features: readonly FeatureClass[];
}
