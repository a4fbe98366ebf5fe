import { ExtSwitchError } from '../core/errors.ts';
import { compileMof } from '../mof/compiler.ts';
import { isMofValid, mofError } from '../mof/diagnostic.ts';
import { defineExtension, isExtensionDefinition, mofFilesOf } from '../sdk/define.ts';
import type { ExtensionDefinition } from '../sdk/extension.ts';
import type { ExtensionCollection, ExtensionInfo } from './api.ts';
import type { Transaction } from './change-log.ts';
import { findOne } from './lookup.ts';
import { type FeatureRecord, featureKey, put } from './records.ts';
import type { World } from './world.ts';

export function extensionInfo(definition: ExtensionDefinition): ExtensionInfo {
  const { id, name, vendor, version, type } = definition;
  return { id, name, vendor, version, type };
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
    return this.#world.changes.run(this.#transaction, async () => {
      const existing = this.#world.extensions.get(definition.id);
      if (existing !== undefined) {
        if (existing === definition) return extensionInfo(definition);
        throw new ExtSwitchError(
          'ALREADY_EXISTS',
          `extension ${definition.name} has the id of the installed extension ${existing.name}`,
          { extensionId: definition.id },
        );
      }
      await installExtension(this.#world, definition);
      return extensionInfo(definition);
    });
  }

  list(): readonly ExtensionInfo[] {
    return Array.from(this.#world.extensions.values(), extensionInfo);
  }

  get(idOrName: string): ExtensionInfo {
    return extensionInfo(findExtension(this.#world, idOrName));
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

/**
 * Installs: registers its MOF classes (a newer class version replaces the stored one) and binds it, disabled, on top of
 * its class on every switch (rules A36, A42).
 */
export async function installExtension(
  world: World,
  definition: ExtensionDefinition,
): Promise<void> {
  const features = mofFilesOf(definition).flatMap(({ path, bytes }) => {
    const compiled = compileMof(bytes, { file: path });
    if (!isMofValid(compiled)) throw mofError(compiled);
    return compiled.features;
  });
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
  const fresh = features.filter((feature) => world.registry.compare(feature, 'native') !== 'same');
  const ops = fresh.map((feature) => {
    const record: FeatureRecord = { feature, uint16: 'native' };
    return put(featureKey(feature.kind, feature.id), record);
  });
  if (ops.length > 0) await world.store.write(ops);
  for (const feature of fresh) world.registry.put(feature, 'native');
  world.extensions.set(definition.id, definition);
  for (const entry of world.switches.values()) {
    if (!entry.bindings.some((binding) => binding.id === definition.id)) {
      entry.bindings.unshift({ id: definition.id, enabled: false });
    }
  }
}
