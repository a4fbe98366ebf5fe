import { ExtSwitchError } from '../core/errors.ts';
import type { StoreOp } from '../store/store.ts';
import type { SwitchCollection, SwitchInfo } from './api.ts';
import type { Undo } from './change-log.ts';
import { checkUplink, type Keep, openInternalNic, openUplink } from './host-ports.ts';
import type { SwitchEntry, World } from './world.ts';

type SwitchWish = Pick<
  Parameters<SwitchCollection['create']>[0],
  'type' | 'uplink' | 'managementOs'
>;

/**
 * The type of a new switch: what was asked for, else what its host connections need. Throws `INVALID_ARGUMENT` for
 * connections that the type does not have (rules A7, C9), before anything is made.
 */
export function switchTypeOf({ type, uplink, managementOs }: SwitchWish): SwitchInfo['type'] {
  const host = managementOs === true;
  const given = type ?? (uplink !== undefined ? 'external' : host ? 'internal' : 'private');
  if (uplink !== undefined && given !== 'external') refuse('uplink', given, 'A7');
  if (host && given === 'private') refuse('managementOs', given, 'C9');
  if (uplink !== undefined) checkUplink(uplink);
  return given;
}

function refuse(member: string, type: string, rule: string): never {
  const what = member === 'uplink' ? 'uplink' : 'NIC of the management OS';
  throw new ExtSwitchError('INVALID_ARGUMENT', `a ${type} switch has no ${what} (rule ${rule})`, {
    rule,
    member,
  });
}

/** What came of the host ports of a new switch: how they are stored and taken back. */
export interface HostPorts {
  readonly ops: readonly StoreOp[];
  /** Deletes them again, the newest first. */
  readonly undo: () => Promise<void>;
}

/**
 * S1 step 10: uplink and management OS NIC of a new switch. With `activation: 'last'` (OP-20) they are begun before the
 * switch activates; an extension that holds their OIDs until then gets the event all the same. When one is refused, the
 * other is taken away again.
 */
export async function openHostPorts(
  world: World,
  entry: SwitchEntry,
  { uplink, managementOs }: SwitchWish,
): Promise<HostPorts> {
  const ops: StoreOp[] = [];
  const undos: Undo[] = [];
  const keep: Keep = (more, undo) => {
    ops.push(...more);
    undos.push(undo);
    return undefined;
  };
  const undo = async (): Promise<void> => {
    for (const one of undos.splice(0).reverse()) await one();
  };
  const isLast = world.activation === 'last';
  const opening: Promise<unknown>[] = [];
  if (uplink !== undefined) opening.push(openUplink(world, entry, uplink, keep));
  if (managementOs === true) {
    // With the switch active nothing is gained by beginning before the uplink is there.
    const open = (): Promise<unknown> => openInternalNic(world, entry, {}, keep);
    opening.push(isLast || opening[0] === undefined ? open() : opening[0].then(open));
  }
  if (isLast) entry.machine.activateNow();
  const refused = (await Promise.allSettled(opening)).find(({ status }) => status === 'rejected');
  if (refused?.status === 'rejected') {
    await undo();
    throw refused.reason;
  }
  return { ops, undo };
}
