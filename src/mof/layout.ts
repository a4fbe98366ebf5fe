import type { FeatureClass, FeatureLayout, SerializationProfile } from './feature-class.ts';
import { DEFAULT_PROFILE, planFeature } from './feature-plan.ts';

/** The profile with the defaults filled in: `native`, `bytes`, `appended` (management.md 2.4). */
export function fullProfile(profile: Partial<SerializationProfile> = {}): SerializationProfile {
  return {
    uint16: profile.uint16 ?? DEFAULT_PROFILE.uint16,
    stringUnit: profile.stringUnit ?? DEFAULT_PROFILE.stringUnit,
    nul: profile.nul ?? DEFAULT_PROFILE.nul,
  };
}

/**
 * Layout of a class in memory: the C struct a driver sees, little-endian, `#pragma pack(8)` (management.md 2.2 R1-R11,
 * rules E58-E60). Offsets and sizes in bytes from the start of the serialized class (R10). Throws `MOF_INVALID` when
 * the fixed part is larger than 1 MiB.
 */
export function layoutOf(
  feature: FeatureClass,
  profile?: Partial<SerializationProfile>,
): FeatureLayout {
  const plan = planFeature(feature, fullProfile(profile));
  return { size: plan.size, alignment: plan.alignment, members: plan.fields };
}
