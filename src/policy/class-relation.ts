import { ExtSwitchError } from '../core/errors.ts';
import { compileMof } from '../mof/compiler.ts';
import { isMofValid, mofError } from '../mof/diagnostic.ts';
import type { FeatureClass } from '../mof/feature-class.ts';
import { defaultSettings, type JsonSetting, settingsToJson } from '../mof/settings.ts';
import type { RegisteredFeature } from './feature-registry.ts';
import type { JsonSettings, PortableFeature } from './migration-api.ts';
import { wrongAt } from './portable-shape.ts';

/*
 * A class that comes with policies from elsewhere, and the one that is registered here: a newer one here takes the values over; an
 * older one would lose what it does not know and is refused by name.
 */

/** A class version as people read it: major * 256 + minor. */
export function versionText(version: number): string {
  return `${version >> 8}.${version & 0xff}`;
}

/** Compiled text of a document's class: the same text comes with every VM that is moved. */
const compiled = new Map<string, FeatureClass>();
const COMPILED_MAX = 256;

/** The one class of a document's MOF text; throws naming `path` when it is another one than the document says. */
export function compileFeature(feature: PortableFeature, path: string): FeatureClass {
  const known = compiled.get(feature.mof);
  const found = known ?? compileOne(feature, path);
  const { id, name, kind, version, extensionId } = feature;
  for (const [member, expected] of Object.entries({ id, name, kind, version, extensionId })) {
    const there = found[member as 'id' | 'name' | 'kind' | 'version' | 'extensionId'];
    if (there === expected) continue;
    throw wrongAt(`${path}.${member}`, `${there}, as its MOF says`, expected);
  }
  if (known === undefined) {
    if (compiled.size >= COMPILED_MAX) compiled.clear();
    compiled.set(feature.mof, found);
  }
  return found;
}

function compileOne({ mof }: PortableFeature, path: string): FeatureClass {
  const result = compileMof(mof, { file: `${path}.mof`, installedExtensions: () => true });
  if (!isMofValid(result)) throw mofError(result);
  const [one, ...more] = result.features;
  if (one !== undefined && more.length === 0) return one;
  throw wrongAt(`${path}.mof`, 'one feature class', `${result.features.length} classes`);
}

/** How a document's class and this world's stand to each other. */
type ClassRelation =
  | { readonly relation: 'same' | 'missing' | 'newer' }
  | { readonly relation: 'older' | 'uint16' | 'members'; readonly error: ExtSwitchError };

/**
 * What it means to bring policies of `theirs` here: `missing` is registered, `newer` (here) upgrades; `older`, another uint16
 * form and other members under the same version cannot be, with the error that says so. `whose`: what has `theirs`.
 */
export function relateClass(
  here: RegisteredFeature | undefined,
  theirs: FeatureClass,
  uint16: PortableFeature['uint16'],
  whose = 'the document',
): ClassRelation {
  if (here === undefined) return { relation: 'missing' };
  const { feature } = here;
  const mismatch = (
    relation: 'older' | 'uint16' | 'members',
    expected: string,
    found: string,
    why: string,
  ): ClassRelation => {
    const message = `class ${theirs.name} (${theirs.id}): ${whose} has ${expected}, here is ${found}: ${why}`;
    const place = { member: relation === 'older' ? 'version' : relation, expected, found };
    return { relation, error: new ExtSwitchError('CLASS_MISMATCH', message, place) };
  };
  const [there, mine] = [versionText(theirs.version), versionText(feature.version)];
  if (feature.version < theirs.version) {
    const why =
      'its values would lose what the older class does not have; register the newer one first';
    return mismatch('older', `version ${there}`, `version ${mine}`, why);
  }
  if (!feature.builtIn && here.uint16 !== uint16) {
    const why = 'extensions would read its uint16 members at other places';
    return mismatch('uint16', `uint16 ${uint16}`, `uint16 ${here.uint16}`, why);
  }
  if (feature.name !== theirs.name || feature.scope !== theirs.scope) {
    const found = `${feature.scope} class ${feature.name}`;
    return mismatch(
      'members',
      `${theirs.scope} class ${theirs.name}`,
      found,
      'one UUID, two classes',
    );
  }
  if (feature.version > theirs.version) return { relation: 'newer' };
  if (wireShape(feature) === wireShape(theirs)) return { relation: 'same' };
  const why = 'a class that changes needs a higher InterfaceVersion';
  return mismatch('members', `version ${there}`, `version ${mine} with other members`, why);
}

/** What decides the bytes of a class; names of values and descriptions do not. */
function wireShape({ members }: FeatureClass): string {
  return JSON.stringify(
    members.map(({ name, wmiDataId, type, array, maxLen }) => [
      name,
      wmiDataId,
      type,
      array === undefined ? 'one' : (array.max ?? 'any'),
      maxLen ?? null,
    ]),
  );
}

/**
 * Values of an older class as the newer one takes them: members by name, else by WmiDataId and type (a member that was renamed);
 * new members are left to their defaults. A value other than the default whose member is gone is refused, not dropped.
 */
export function upgradeSettings(
  settings: JsonSettings,
  older: FeatureClass,
  newer: FeatureClass,
): Record<string, JsonSetting> {
  const names = new Set(newer.members.map(({ name }) => name));
  const byId = new Map(newer.members.map((member) => [member.wmiDataId, member]));
  const defaults = settingsToJson(older, defaultSettings(older));
  const result: Record<string, JsonSetting> = {};
  const taken = new Set<string>();
  const ids = new Map(older.members.map((member) => [member.name, member]));
  const set = (name: string, value: JsonSetting): void => {
    taken.add(name);
    Object.defineProperty(result, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  };
  const entries = Object.entries(settings);
  // Names first: only what none of them is may be a renamed one.
  for (const [name, value] of entries) {
    // What neither class knows is left for the newer one's own check to name.
    if (names.has(name) || !ids.has(name)) set(name, value);
  }
  for (const [name, value] of entries) {
    if (names.has(name) || !ids.has(name)) continue;
    const before = ids.get(name);
    const now = before === undefined ? undefined : byId.get(before.wmiDataId);
    const isRenamed = now !== undefined && !taken.has(now.name) && !ids.has(now.name);
    if (isRenamed && now.type === before?.type && !now.array === !before.array)
      set(now.name, value);
    else if (JSON.stringify(value) !== JSON.stringify(defaults[name])) {
      throw new ExtSwitchError(
        'CLASS_MISMATCH',
        `class ${newer.name} ${versionText(newer.version)} has no member ${name} any more, and its value ` +
          `${JSON.stringify(value)} is not the default of version ${versionText(older.version)}: it would be lost`,
        { member: name, expected: `a member ${name}`, found: 'none' },
      );
    }
  }
  return result;
}
