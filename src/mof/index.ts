/**
 * Public entry `extswitch/mof`: MOF text to feature classes, their layout in memory, the bytes an extension sees, and what
 * is generated from them.
 */
export { builtInClasses } from './builtin-classes.ts';
export { builtinFeatures } from './builtin-features.ts';
export { ClassTree } from './class-tree.ts';
export { type CompileOptions, compileMof, type MofResult } from './compiler.ts';
export { type Diagnostic, formatDiagnostic, isMofValid, mofError } from './diagnostic.ts';
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
export { MAX_FIXED_SIZE_BYTES, MAX_STRING_LENGTH } from './feature-plan.ts';
export { featureAtVersion } from './feature-version.ts';
export { cHeader, type HeaderOptions } from './header.ts';
export { layoutOf } from './layout.ts';
export {
  defaultSettings,
  type JsonSetting,
  normalizeSettings,
  type Settings,
  type SettingsProblem,
  settingsToJson,
} from './settings.ts';
export type { OverlapListener, TailOverlap } from './tail-overlap.ts';
export { typescriptTypes } from './types.ts';
export type { IncludeReader } from './unit-reader.ts';
