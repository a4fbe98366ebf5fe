import type { FeatureClass } from './feature-class.ts';

/**
 * The class as an older interface version knew it: members introduced after `version` (major * 256 + minor) are
 * dropped, so that an older reader's buffer can be written or read (management.md 2.7). Gives the class itself when it
 * is not newer than that.
 */
export function featureAtVersion(feature: FeatureClass, version: number): FeatureClass {
  if (version >= feature.version) return feature;
  const members = feature.members.filter((member) => member.version <= version);
  return { ...feature, version, members };
}
