/** Public entry `extswitch/mof`: feature classes, their layout in memory, and the bytes an extension sees. */

export type {
  MofAssignment,
  MofClass,
  MofDeclaration,
  MofFeature,
  MofInstance,
  MofMethod,
  MofParameter,
  MofPragma,
  MofProperty,
  MofQualifier,
  MofQualifierDeclaration,
  MofType,
  MofValue,
} from './ast.ts';
export { builtInClasses } from './builtin-classes.ts';
export { builtinFeatures } from './builtin-features.ts';
export { type ClassInfo, ClassTree } from './class-tree.ts';
export { type CompileOptions, compileMof, type MofResult } from './compiler.ts';
export { type Diagnostic, formatDiagnostic, isMofValid, mofError } from './diagnostic.ts';
export { DIAGNOSTIC_CODES, type DiagnosticCode, type DiagnosticRule } from './diagnostic-codes.ts';
export type {
  FeatureClass,
  FeatureLayout,
  FeatureMember,
  LayoutMember,
  MemberValue,
  ScalarType,
  SerializationProfile,
} from './feature-class.ts';
export { FeatureCodec } from './feature-codec.ts';
export type { AnnotatedField } from './feature-dump.ts';
export { classOfFeature } from './feature-mof.ts';
export { MAX_FIXED_SIZE_BYTES, MAX_STRING_LENGTH } from './feature-plan.ts';
export { featureAtVersion } from './feature-version.ts';
export { layoutOf } from './layout.ts';
export { printClass, printInstance, printMof } from './print.ts';
export {
  defaultSettings,
  type JsonSetting,
  normalizeSettings,
  type Settings,
  type SettingsProblem,
  settingsToJson,
} from './settings.ts';
export type { OverlapListener, TailOverlap } from './tail-overlap.ts';
