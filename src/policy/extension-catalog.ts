import { ExtSwitchError } from '../core/errors.ts';
import type { Guid } from '../core/guid.ts';
import type { Isolation } from '../isolation/isolation.ts';
import { compileMof } from '../mof/compiler.ts';
import { isMofValid, mofError } from '../mof/diagnostic.ts';
import type { FeatureClass } from '../mof/feature-class.ts';
import { defineExtension, isExtensionDefinition, mofFilesOf } from '../sdk/define.ts';
import type { ExtensionDefinition } from '../sdk/extension.ts';
import type { StoreOp } from '../store/store.ts';
import type { ExtensionCollection, ExtensionInfo } from './api.ts';
import type { Transaction } from './change-log.ts';
import { mayReplace } from './feature-usage.ts';
import { findOne } from './lookup.ts';
import { putClasses, readKept } from './opaque-policies.ts';
import { type FeatureRecord, featureKey, put } from './records.ts';
import type { SwitchEntry, World } from './world.ts';

export function extensionInfo(
  definition: ExtensionDefinition,
  isolation?: Isolation,
): ExtensionInfo {
  const { id, name, vendor, version, type } = definition;
  const isolated = isolation?.counts(definition);
  return { id, name, vendor, version, type, ...(isolated === undefined ? {} : { isolated }) };
}

/** Installed extensions of a world. */
export class Extensions implements ExtensionCollection {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;

  constructor(world: World, transaction: Transaction | undefined) {
    this.#world = world;
    this.#transaction = transaction;
  }

  async install(given: ExtensionDefinition): Promise<ExtensionInfo> {
    const definition = isExtensionDefinition(given) ? given : defineExtension(given);
    const { changes, isolation } = this.#world;
    await isolation?.prepare(definition);
    const info = await changes.run(this.#transaction, async () => {
      const installed = installExtension(this.#world, definition);
      if (installed !== undefined) {
        await changes.commit(this.#transaction, installed.ops, installed.undo);
      }
      return extensionInfo(definition, this.#world.isolation);
    });
    await readKept(this.#world, this.#transaction);
    return info;
  }

  list(): readonly ExtensionInfo[] {
    this.#world.mustHold();
    const { extensions, isolation } = this.#world;
    return Array.from(extensions.values(), (each) => extensionInfo(each, isolation));
  }

  get(idOrName: string): ExtensionInfo {
    this.#world.mustHold();
    return extensionInfo(findExtension(this.#world, idOrName), this.#world.isolation);
  }

  failed(idOrName: string, message: string): readonly Guid[] {
    const { id } = findExtension(this.#world, idOrName);
    const { switches, environment } = this.#world;
    const on = [...switches.values()].filter(({ machine }) =>
      machine.modules.some((module) => module.id === id),
    );
    for (const { name } of on) {
      environment.finding(name, { rule: 'D6', severity: 'error', message, extensionId: id });
    }
    return on.map((entry) => entry.id);
  }
}

export function findExtension(world: World, idOrName: string): ExtensionDefinition {
  return findOne(
    'extension',
    idOrName,
    (id) => world.extensions.get(id),
    world.extensions.values(),
    (definition) => definition.name,
  );
}

/** What installing an extension means for the store, and how it is taken back. */
export interface Installation {
  readonly ops: readonly StoreOp[];
  readonly undo: () => void;
}

/**
 * Installs, in memory: registers its MOF classes (a newer version replaces one without instances) and binds it, disabled,
 * on top of its class on every switch (rules A36, A42). The caller commits. `undefined`: it is installed already.
 */
export function installExtension(
  world: World,
  definition: ExtensionDefinition,
): Installation | undefined {
  const existing = world.extensions.get(definition.id);
  if (existing === definition) return undefined;
  if (existing !== undefined) {
    throw new ExtSwitchError(
      'ALREADY_EXISTS',
      `extension ${definition.name} has the id ${definition.id} of the installed extension ${existing.name}`,
      { extensionId: definition.id },
    );
  }
  world.isolation?.check(definition);
  const fresh = freshClasses(world, definition);
  const ops = fresh.map((feature) => {
    const record: FeatureRecord = { feature, uint16: 'native' };
    return put(featureKey(feature.kind, feature.id), record);
  });
  const takeBack = putClasses(world, fresh, 'native');
  world.extensions.set(definition.id, definition);
  const before = new Set<SwitchEntry>();
  for (const entry of world.switches.values()) {
    if (entry.bindings.some((binding) => binding.id === definition.id)) before.add(entry);
    else entry.bindings.unshift({ id: definition.id, enabled: false });
  }
  const undo = (): void => {
    // Also those that were made meanwhile.
    for (const entry of world.switches.values()) {
      if (before.has(entry)) continue;
      entry.bindings = entry.bindings.filter((binding) => binding.id !== definition.id);
    }
    world.extensions.delete(definition.id);
    takeBack();
  };
  return { ops, undo };
}

/** Classes by definition: what a module brought with it is compiled once, however many worlds install it. */
const compiledClasses = new WeakMap<ExtensionDefinition, readonly FeatureClass[]>();

function classesOf(definition: ExtensionDefinition): readonly FeatureClass[] {
  const known = compiledClasses.get(definition);
  if (known !== undefined) return known;
  const features = mofFilesOf(definition).flatMap(({ path, bytes }) => {
    const compiled = compileMof(bytes, { file: path });
    if (!isMofValid(compiled)) throw mofError(compiled);
    return compiled.features;
  });
  compiledClasses.set(definition, features);
  return features;
}

/** The classes of its MOF files that are not registered yet, or in an older version that nothing uses. */
function freshClasses(world: World, definition: ExtensionDefinition): readonly FeatureClass[] {
  const features = classesOf(definition);
  for (const feature of features) {
    if (feature.extensionId === definition.id) continue;
    throw new ExtSwitchError(
      'EXTENSION_INVALID',
      `${feature.source.file}:${feature.source.line}: class ${feature.name} names extension ${feature.extensionId}, ` +
        `not ${definition.name} (${definition.id}) (rule A32)`,
      {
        rule: 'A32',
        extensionId: definition.id,
        file: feature.source.file,
        line: feature.source.line,
      },
    );
  }
  return features.filter((feature) => {
    const comparison = world.registry.compare(feature, 'native');
    if (comparison === 'newer') mayReplace(world, feature);
    return comparison !== 'same';
  });
}
