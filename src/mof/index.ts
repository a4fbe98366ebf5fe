/** Public entry `extswitch/mof`: feature classes, their layout in memory, and the bytes an extension sees. */
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
export type { OverlapListener, TailOverlap } from './feature-reader.ts';
export { featureAtVersion } from './feature-version.ts';
export { layoutOf } from './layout.ts';
export {
  defaultSettings,
  type JsonSetting,
  normalizeSettings,
  type Settings,
  type SettingsProblem,
  settingsToJson,
} from './settings.ts';
