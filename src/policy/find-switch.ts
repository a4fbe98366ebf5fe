import { findOne } from './lookup.ts';
import type { SwitchEntry, World } from './world.ts';

/** The switch with this id or unique name; `NOT_FOUND` or `AMBIGUOUS_NAME` otherwise. */
export function findSwitch(world: World, idOrName: string): SwitchEntry {
  const { switches } = world;
  return findOne(
    'switch',
    idOrName,
    (id) => switches.get(id),
    switches.values(),
    (candidate) => candidate.name,
  );
}
