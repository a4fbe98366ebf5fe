import { ExtSwitchError } from '../core/errors.ts';
import type { FeatureClass } from '../mof/feature-class.ts';
import { opaqueClass } from './opaque-codec.ts';
import type { World } from './world.ts';

/** Instances of a class in this world, with those an extension is just being asked about. */
export function usersOf(world: World, feature: FeatureClass): number {
  if (feature.kind === 'status') return 0;
  let users = 0;
  for (const { machine, ports } of world.switches.values()) {
    for (const { codec } of machine.state.properties.values())
      if (codec.id === feature.id) users += 1;
    for (const port of ports.values()) {
      // A VM's port has the policies of its adapter, counted below.
      if (port.owner !== undefined) continue;
      for (const { codec } of port.properties.values()) if (codec.id === feature.id) users += 1;
    }
    for (const request of machine.pipeline.inFlight.values()) {
      if (request.property !== undefined && request.codec?.id === feature.id) users += 1;
    }
  }
  for (const { properties } of world.adapters.values()) {
    for (const property of properties.values()) {
      // One that is kept unread is of the class that its own host has.
      if (property.codec.id === feature.id && opaqueClass(property) === undefined) users += 1;
    }
  }
  return users;
}

/** A newer version replaces a class that has no instances; instances would have to be told to extensions anew. */
export function mayReplace(world: World, feature: FeatureClass): void {
  const users = usersOf(world, feature);
  if (users === 0) return;
  throw new ExtSwitchError(
    'FEATURE_IN_USE',
    `${feature.name} has ${users} instance(s) of an older version: remove them before the class is upgraded`,
    { found: feature.id },
  );
}
