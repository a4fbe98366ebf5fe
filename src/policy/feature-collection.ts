import { ExtSwitchError } from '../core/errors.ts';
import { type CompileOptions, compileMof } from '../mof/compiler.ts';
import { isMofValid, mofError } from '../mof/diagnostic.ts';
import type { FeatureClass } from '../mof/feature-class.ts';
import type { FeatureCollection, FeatureInfo, RegisterOptions, RegisterResult } from './api.ts';
import type { Transaction } from './change-log.ts';
import type { FeatureKind, RegisteredFeature } from './feature-registry.ts';
import { mayReplace, usersOf } from './feature-usage.ts';
import { featureInfo } from './info.ts';
import { putClasses, readKept } from './opaque-policies.ts';
import { type FeatureRecord, featureKey, put, remove } from './records.ts';
import type { World } from './world.ts';

/** The feature classes of a world: registering takes effect at once, without the restart of Windows (management.md 1.1). */
export class Features implements FeatureCollection {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;

  constructor(world: World, transaction: Transaction | undefined) {
    this.#world = world;
    this.#transaction = transaction;
  }

  async register(mof: string | Uint8Array, options: RegisterOptions = {}): Promise<RegisterResult> {
    const { registry, extensions, changes } = this.#world;
    const compileOptions: CompileOptions = {
      file: options.source ?? 'mof',
      installedExtensions: (id) => extensions.has(id),
    };
    if (typeof mof !== 'string' && !(mof instanceof Uint8Array)) {
      const found = mof === null ? 'null' : typeof mof;
      throw new ExtSwitchError(
        'INVALID_ARGUMENT',
        `mof: expected MOF text or its bytes, found ${found}`,
        {
          member: 'mof',
          expected: 'MOF text or its bytes',
          found,
        },
      );
    }
    const compiled = compileMof(mof, compileOptions);
    if (!isMofValid(compiled)) throw mofError(compiled);
    if (compiled.features.length === 0) {
      throw new ExtSwitchError(
        'MOF_INVALID',
        `${compileOptions.file} has no feature class: expected one that derives from Msvm_EthernetSwitchPortFeatureSettingData, ` +
          'Msvm_EthernetSwitchFeatureSettingData, Msvm_EthernetPortData or Msvm_EthernetSwitchData',
        { file: compileOptions.file ?? 'mof', line: 1, column: 1 },
      );
    }
    const uint16 = options.uint16 ?? 'native';
    const registered = await changes.run(this.#transaction, () => {
      const fresh: FeatureClass[] = [];
      for (const feature of compiled.features) {
        const comparison = registry.compare(feature, uint16);
        if (comparison === 'newer') mayReplace(this.#world, feature);
        if (comparison !== 'same') fresh.push(feature);
      }
      const takeBack = putClasses(this.#world, fresh, uint16);
      const result: RegisterResult = {
        features: compiled.features.map((feature) =>
          featureInfo(registry.byId(feature.kind, feature.id) as RegisteredFeature),
        ),
        warnings: compiled.diagnostics.map(({ code, message, line, column }) => ({
          code,
          message,
          line,
          column,
        })),
        changed: fresh.length > 0,
      };
      if (fresh.length === 0) return result;
      const ops = fresh.map((feature) => {
        const record: FeatureRecord = { feature, uint16 };
        return put(featureKey(feature.kind, feature.id), record);
      });
      const durable = changes.commit(this.#transaction, ops, takeBack);
      return durable === undefined ? result : durable.then(() => result);
    });
    // Also of classes that were registered before: what could not be told then is tried again.
    await readKept(this.#world, this.#transaction);
    return registered;
  }

  list(): readonly FeatureInfo[] {
    this.#world.mustHold();
    return Array.from(this.#world.registry.all(), featureInfo);
  }

  get(idOrName: string, kind?: FeatureKind): FeatureInfo {
    this.#world.mustHold();
    return featureInfo(this.#world.registry.get(idOrName, kind));
  }

  classOf(idOrName: string, kind?: FeatureKind): FeatureClass {
    this.#world.mustHold();
    return this.#world.registry.get(idOrName, kind).feature;
  }

  async delete(idOrName: string, kind?: FeatureKind): Promise<void> {
    const { registry, changes } = this.#world;
    return changes.run(this.#transaction, () => {
      const { feature, uint16 } = registry.get(idOrName, kind);
      if (feature.builtIn) {
        throw new ExtSwitchError(
          'FEATURE_IN_USE',
          `${feature.name} is built in and cannot be removed`,
        );
      }
      const users = usersOf(this.#world, feature);
      if (users > 0) {
        throw new ExtSwitchError('FEATURE_IN_USE', `${feature.name} has ${users} instance(s)`, {
          found: feature.id,
        });
      }
      registry.remove(feature.kind, feature.id);
      return changes.commit(this.#transaction, [remove(featureKey(feature.kind, feature.id))], () =>
        registry.put(feature, uint16),
      );
    });
  }
}
