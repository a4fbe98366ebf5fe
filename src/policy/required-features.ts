import { ExtSwitchError } from '../core/errors.ts';
import type { AdapterEntry, RequiredFeature } from './vm-entry.ts';
import type { SwitchEntry, World } from './world.ts';

/*
 * RequiredFeatures of a connection (MandatoryFeatureId of Set-VMNetworkAdapter): the documented gate that keeps a VM from running
 * where a policy it needs would be enforced by nobody (management.md 5).
 */

/** The classes meant, by id or name; `NOT_FOUND` for one that is not registered. Each once, in the order given. */
export function requiredFeaturesOf(world: World, given: readonly string[]): RequiredFeature[] {
  const required = new Map<string, RequiredFeature>();
  for (const idOrName of given) {
    const { feature } = world.registry.get(idOrName, 'setting');
    required.set(feature.id, { id: feature.id, name: feature.name });
  }
  return [...required.values()];
}

/** Whether an extension is enabled on a switch and nothing keeps it from running. */
export function isEnabledOn(world: World, entry: SwitchEntry, extensionId: string): boolean {
  const binding = entry.bindings.find(({ id }) => id === extensionId);
  if (binding?.enabled !== true || binding.problem !== undefined) return false;
  return world.extensions.has(extensionId) && entry.machine.problemOf(extensionId) === undefined;
}

/** What of it the switch does not offer: unknown here, of an extension that is not enabled, or of a later NDIS version. */
export function notOffered(
  world: World,
  entry: SwitchEntry,
  required: readonly RequiredFeature[],
): readonly RequiredFeature[] {
  if (required.length === 0) return required;
  return required.filter(({ id }) => {
    const registered = world.registry.byId('setting', id);
    if (registered === undefined || registered.missing !== undefined) return true;
    const { builtIn, extensionId } = registered.feature;
    return !builtIn && !isEnabledOn(world, entry, extensionId);
  });
}

/** Throws `ILLEGAL_TRANSITION` naming the first feature the switch does not offer. */
export function mustOffer(
  world: World,
  adapter: AdapterEntry,
  entry: SwitchEntry,
  required: readonly RequiredFeature[] = adapter.requiredFeatures,
): void {
  const [missing] = notOffered(world, entry, required);
  if (missing === undefined) return;
  const cannot = adapter.connection?.entry === entry ? 'stay connected' : 'connect';
  throw new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    `${adapter.description} cannot ${cannot} to switch ${entry.name}: ${notOfferedText(missing)}`,
    { member: 'requiredFeatures', expected: missing.name, found: entry.name },
  );
}

export function notOfferedText({ name, id }: RequiredFeature): string {
  return `The connection requires feature ${name} (${id}), which no enabled extension of the switch offers: enable the one that does`;
}
