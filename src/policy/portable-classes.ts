import { PropertyInstance } from '../../switch/ports.ts';
import { ExtSwitchError, isExtSwitchError } from '../core/errors.ts';
import type { Guid } from '../core/guid.ts';
import type { FeatureClass } from '../mof/feature-class.ts';
import type { JsonSetting } from '../mof/settings.ts';
import type { Settings } from '../sdk/extension.ts';
import type { Transaction } from './change-log.ts';
import { compileFeature, relateClass, upgradeSettings, versionText } from './class-relation.ts';
import type { RegisteredFeature } from './feature-registry.ts';
import type { JsonSettings, PortableFeature, PortableProperty } from './migration-api.ts';
import { putClasses } from './opaque-policies.ts';
import { wrongAt } from './portable-shape.ts';
import { checkAddition, checkScope } from './property-rules.ts';
import { type FeatureRecord, featureKey, put } from './records.ts';
import type { World } from './world.ts';

/*
 * Classes of a document and those of a world: one that is missing comes from the document's MOF (class-relation.ts).
 */

/** The classes of a document in this world: what its policies become here. */
export class ClassMap {
  readonly #world: World;
  readonly #theirs = new Map<Guid, FeatureClass>();
  readonly #notes: string[];
  readonly #noted = new Set<string>();

  private constructor(world: World, notes: string[]) {
    this.#world = world;
    this.#notes = notes;
  }

  /**
   * Registers what is missing, as part of `transaction`; throws for what does not fit. `notes` gets what was registered and,
   * later, what was upgraded.
   */
  static register(
    world: World,
    transaction: Transaction | undefined,
    features: readonly PortableFeature[],
    notes: string[],
  ): ClassMap {
    const map = new ClassMap(world, notes);
    features.forEach((given, i) => {
      const theirs = compileFeature(given, `features[${i}]`);
      const related = relateClass(
        world.registry.byId(theirs.kind, theirs.id),
        theirs,
        given.uint16,
      );
      if ('error' in related) throw related.error;
      if (related.relation === 'missing') {
        registerClass(world, transaction, theirs, given.uint16);
        notes.push(`class ${theirs.name} ${versionText(theirs.version)} was registered`);
      }
      if (theirs.kind === 'setting') map.#theirs.set(theirs.id, theirs);
    });
    return map;
  }

  /** The policies at `path` as instances of this world's classes, in order; `freshIds` gives each a new id. */
  instances(
    given: readonly PortableProperty[],
    scope: 'port' | 'switch',
    freshIds: boolean,
    path: string,
  ): Map<Guid, PropertyInstance> {
    const all = new Map<Guid, PropertyInstance>();
    given.forEach((one, i) => {
      const at = `${path}.properties[${i}]`;
      try {
        const { registered, settings } = this.#settings(one, at);
        checkScope(registered, scope);
        const id = freshIds ? this.#world.rng.guid() : one.id;
        checkAddition(all, registered, id);
        const property = new PropertyInstance(id, registered.codec, settings);
        property.revision = one.revision;
        property.order = this.#world.nextOrder();
        all.set(id, property);
      } catch (error) {
        if (!isExtSwitchError(error) || error.message.startsWith(at)) throw error;
        throw new ExtSwitchError(error.code, `${at}: ${error.message}`, error.place);
      }
    });
    return all;
  }

  #settings(
    { featureId, feature: name, version, settings }: PortableProperty,
    path: string,
  ): { registered: RegisteredFeature; settings: Settings } {
    const registered = this.#world.registry.byId('setting', featureId);
    if (registered === undefined) {
      throw new ExtSwitchError(
        'NOT_FOUND',
        `${path}: class ${name} (${featureId}) is neither in the document nor registered here`,
        { member: `${path}.featureId`, found: featureId },
      );
    }
    const { feature, codec } = registered;
    const theirs = this.#theirs.get(featureId) ?? feature;
    if (theirs.name !== name) throw wrongAt(`${path}.feature`, theirs.name, name);
    if (theirs.version !== version) {
      const where = this.#theirs.has(featureId) ? 'in the document' : 'here';
      const expected = `${theirs.version}, the version of ${name} ${where}`;
      throw wrongAt(`${path}.version`, expected, version);
    }
    const upgraded =
      theirs.version === feature.version ? settings : this.#upgraded(settings, theirs, feature);
    return { registered, settings: codec.normalize(upgraded) };
  }

  #upgraded(
    settings: JsonSettings,
    theirs: FeatureClass,
    mine: FeatureClass,
  ): Record<string, JsonSetting> {
    const versions = `${versionText(theirs.version)} to ${versionText(mine.version)}`;
    if (!this.#noted.has(mine.id)) {
      this.#noted.add(mine.id);
      this.#notes.push(`values of class ${mine.name} were upgraded from version ${versions}`);
    }
    return upgradeSettings(settings, theirs, mine);
  }
}

/** Throws `ALREADY_EXISTS` when another class has its name. */
function registerClass(
  world: World,
  transaction: Transaction | undefined,
  feature: FeatureClass,
  uint16: PortableFeature['uint16'],
): void {
  const { registry, changes } = world;
  registry.compare(feature, uint16);
  const takeBack = putClasses(world, [feature], uint16);
  const record: FeatureRecord = { feature, uint16 };
  const ops = [put(featureKey(feature.kind, feature.id), record)];
  void changes.commit(transaction, ops, takeBack);
}
