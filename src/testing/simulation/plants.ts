import { ExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface, TraceEntry } from '../../policy/api.ts';
import type { StoreOp } from '../../store/store.ts';
import type { Act } from './change.ts';

/** Defects that can be built in on purpose, by the invariant that is to notice: docs/reference/simulation.md. */
export const PLANTS = {
  acknowledged: 'changeForgotten',
  refused: 'refusedButDone',
  untouched: 'changesAnother',
  durable: 'storeForgets',
  owner: 'takenButRefused',
  once: 'endsTwice',
  states: 'outOfOrder',
  stackOrder: 'upsideDown',
  references: 'keepsReference',
  views: 'extensionForgets',
  quiet: 'storeHangs',
  errors: 'plainError',
  opens: 'diskUnreadable',
  empty: 'storeKeeps',
  bytes: 'wrongRevision',
  requests: 'addedAgain',
  saves: 'saveNotCompleted',
  handlers: 'needsMore',
  stackLife: 'toldUpsideDown',
  trace: 'answerLost',
} as const;
export type Invariant = keyof typeof PLANTS;
export type Defect = (typeof PLANTS)[Invariant];

/** A defect built in on purpose, to see that the simulation finds it; `nth`: the time it strikes, from 1. */
export interface Plant {
  readonly defect: Defect;
  readonly nth: number;
}

/** Names a defect can be asked for by. */
export const DEFECTS: readonly Defect[] = Object.values(PLANTS);

/** Counts, for all hosts of a simulation, what the defect could strike, and strikes once. */
export class Planted {
  readonly #plant: Plant | undefined;
  #met = 0;
  /** A host took a VM and says for ever after that it did not. */
  #denies = false;
  /** A record that the disks keep no more: what comes later does not heal it. */
  #forgotten: string | undefined;
  /** A policy that an extension misses. */
  #missed: string | undefined;

  constructor(plant?: Plant) {
    this.#plant = plant;
  }

  /** Whether it strikes now. */
  strikes(defect: Defect): boolean {
    if (this.#plant?.defect !== defect) return false;
    this.#met += 1;
    return this.#met === this.#plant.nth;
  }

  /** Whether an extension misses what it is told of this policy, now and whenever it is told again. */
  misses(policy: string): boolean {
    if (this.#missed === undefined && this.strikes('extensionForgets')) this.#missed = policy;
    return this.#missed === policy;
  }

  /** Whether a `take` is answered with a lie. */
  denies(): boolean {
    const denies = this.strikes('takenButRefused');
    this.#denies ||= denies;
    return denies;
  }

  /** What a host says that became of a migration. */
  said<T extends string>(outcome: T): T | 'abandoned' {
    return this.#denies && outcome === 'taken' ? 'abandoned' : outcome;
  }

  /** What a disk is given, less what it forgets or keeps against the order. */
  written(ops: readonly StoreOp[]): readonly StoreOp[] {
    if (this.#plant === undefined) return ops;
    const endsSwitch = ops.some(({ op, key }) => op === 'delete' && key.startsWith('switch/'));
    const lost = ops.find(({ op, key }) => {
      if (op === 'put') {
        if (key === this.#forgotten) return true;
        const strikes = /^(property|vm)\//.test(key) && this.strikes('storeForgets');
        if (strikes) this.#forgotten = key;
        return strikes;
      }
      return endsSwitch && /^(port|property)\//.test(key) && this.strikes('storeKeeps');
    });
    return lost === undefined ? ops : ops.filter(({ key }) => key !== lost.key);
  }

  /** What a trace tells. */
  traced(entries: readonly TraceEntry[]): readonly TraceEntry[] {
    if (this.#plant === undefined) return entries;
    const told: TraceEntry[] = [];
    for (const entry of entries) {
      const { oid, route, requestType } = entry;
      if (requestType !== 'indication' && this.strikes('endsTwice')) told.push(entry);
      if (route.length > 2 && this.strikes('upsideDown')) {
        told.push({ ...entry, route: route.toReversed() });
      } else if (oid === 'OID_SWITCH_NIC_CREATE' && this.strikes('outOfOrder')) {
        // As if it had never been created, and disconnected all the same.
        told.push({ ...entry, oid: 'OID_SWITCH_NIC_DISCONNECT', status: 'NDIS_STATUS_SUCCESS' });
      } else {
        told.push(this.#disfigured(entry));
      }
    }
    return told;
  }

  #disfigured(entry: TraceEntry): TraceEntry {
    const { oid, requestType, output } = entry;
    if (oid === 'OID_SWITCH_NIC_CREATE' && this.strikes('wrongRevision')) {
      const input = entry.input.slice();
      input[1] = 9;
      return { ...entry, input };
    }
    if (oid === 'OID_SWITCH_PORT_PROPERTY_UPDATE' && this.strikes('addedAgain')) {
      return { ...entry, oid: 'OID_SWITCH_PORT_PROPERTY_ADD' };
    }
    if (oid === 'OID_SWITCH_NIC_SAVE_COMPLETE' && this.strikes('saveNotCompleted')) {
      return { ...entry, oid: 'OID_SWITCH_PARAMETERS' };
    }
    const isAnswer = requestType === 'query' && output !== undefined && output.length > 0;
    if (!isAnswer || !this.strikes('answerLost')) return entry;
    return { ...entry, output: new Uint8Array(output.length) };
  }

  /** One change, asked of a host. */
  async asked(act: Act, world: FabricInterface): Promise<unknown> {
    if (this.#plant === undefined) return act.run(world);
    if (this.strikes('changeForgotten')) return undefined;
    if (this.strikes('plainError')) throw new TypeError('x is not a function');
    const other = otherVm(act, world);
    const value = await act.run(world);
    if (other !== undefined && this.strikes('changesAnother')) await other();
    if (this.strikes('refusedButDone')) throw new ExtSwitchError('VETOED', 'it was done');
    return value;
  }
}

/** Changes an adapter that the act is not about. */
function otherVm(act: Act, world: FabricInterface): (() => Promise<unknown>) | undefined {
  for (const { name, adapters } of world.vms.list()) {
    const adapter = adapters[0];
    if (adapter === undefined || act.shakesVms || act.touches.includes(`vm/${name}`)) continue;
    return () =>
      world.vms
        .get(name)
        .adapter(adapter.name)
        .update({ mtu: adapter.mtu + 1 });
  }
  return undefined;
}
