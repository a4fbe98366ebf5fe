import { isExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface } from '../../policy/api.ts';
import { type Act, actOf } from './change.ts';
import type { SimulatedHost } from './simulated-host.ts';
import { addStateLines, differences, type StateLines, vmLine } from './state-lines.ts';
import type { Change, Step } from './step.ts';

/** A snapshot, and what its host showed when it was taken. */
interface Moment {
  readonly lines: StateLines;
  /** What the host showed was not what its disk had: {@link Moments.take}. */
  readonly isLossy: boolean;
  /** Migrations from and to the host until then. */
  readonly moves: number;
}

export type MomentStep = Extract<Step, { snapshot: string }>;
type ForkStep = Extract<Step, { do: 'forkSnapshot' }>;

const shownBy = (host: string, fabric: FabricInterface): StateLines => {
  const lines: StateLines = new Map();
  addStateLines(lines, host, fabric);
  return lines;
};

const firstDifference = (expected: StateLines, found: StateLines): string | undefined => {
  const [first] = differences(expected, found);
  if (first === undefined) return undefined;
  const [key, was, is] = first;
  return `${key}\n  was ${was}\n  is  ${is}`;
};

/** Keys of everything a host shows, and of what it showed. */
function allOf(host: string, ...seen: readonly StateLines[]): string[] {
  const touches = new Set([`switch/${host}/`, `port/${host}/`, `switchPolicy/${host}/`]);
  for (const lines of seen) {
    for (const key of lines.keys()) {
      const [kind, vm = ''] = key.split('/');
      if (kind !== 'vm') continue;
      touches.add(vmLine(vm));
      touches.add(`policy/${vm}/`);
    }
  }
  return [...touches];
}

/** The snapshots of all hosts, and what each must bring back. */
export class Moments {
  readonly #taken = new Map<string, Moment>();
  readonly #moves = new Map<string, number>();

  /** A VM moves, or is to. Which host has it hangs on both: neither may go back behind that alone. */
  moves(...hosts: readonly string[]): void {
    for (const host of hosts) this.#moves.set(host, (this.#moves.get(host) ?? 0) + 1);
  }

  /** Gives `undefined` when there is no such snapshot, or it is not to be gone back to. */
  actOf(step: MomentStep, host: SimulatedHost, isLossy: boolean): Act | undefined {
    const { fabric } = host;
    const isThere = fabric.snapshots.list().some(({ name }) => name === step.snapshot);
    const moment = this.#taken.get(`${step.host}/${step.snapshot}`);
    if (step.do === 'takeSnapshot') return isThere ? undefined : this.#take(step, isLossy);
    if (!isThere || moment === undefined) return undefined;
    if (step.do === 'forkSnapshot') return forkOf(step, host, moment);
    if (moment.moves !== this.#moves.get(step.host)) return undefined;
    const { lines } = moment;
    return {
      host: step.host,
      touches: allOf(step.host, lines, shownBy(step.host, fabric)),
      run: (world) => world.snapshots.restore(step.snapshot),
      missing: () =>
        moment.isLossy ? undefined : firstDifference(lines, shownBy(step.host, fabric)),
    };
  }

  #take({ host, snapshot }: MomentStep, isLossy: boolean): Act {
    const moves = this.#moves.get(host) ?? 0;
    this.#moves.set(host, moves);
    return {
      host,
      touches: [],
      run: async (world) => {
        await world.snapshots.create({ name: snapshot });
        this.#taken.set(`${host}/${snapshot}`, { lines: shownBy(host, world), isLossy, moves });
      },
      missing: () => undefined,
    };
  }
}

/**
 * Another world that begins at the snapshot shows what was there. What is done to it is done, and nothing of it reaches the world it
 * came from; then it is closed.
 */
function forkOf(step: ForkStep, on: SimulatedHost, moment: Moment): Act {
  const { host, snapshot, steps = [] } = step;
  let shown: StateLines | undefined;
  let wrong: string | undefined;
  const act = async (fork: FabricInterface): Promise<void> => {
    shown = shownBy(host, fork);
    for (const change of steps) wrong ??= await doneTo(fork, host, change);
    await fork.close();
  };
  return {
    host,
    touches: [],
    run: (world) => on.wellBehaved.aside(async () => act(await world.snapshots.fork(snapshot))),
    missing: () => {
      if (shown === undefined || moment.isLossy) return undefined;
      return firstDifference(moment.lines, shown) ?? wrong;
    },
  };
}

/** One change of a fork: what is missing of it. */
async function doneTo(
  fork: FabricInterface,
  host: string,
  change: Change,
): Promise<string | undefined> {
  const hasVm = (vm: string): boolean => [...fork.vms.keys()].some(({ name }) => name === vm);
  const act = actOf(change, {
    world: (name) => (name === host ? fork : undefined),
    hostOf: (vm) => (hasVm(vm) ? host : undefined),
  });
  // Who is attached there forwards everything, and answers nothing.
  const isQuestion = change.do === 'askStatus' || change.do === 'askSwitchStatus';
  if (act === undefined || isQuestion) return undefined;
  const before = shownBy(host, fork);
  try {
    await act.run(fork);
  } catch (error) {
    if (!isExtSwitchError(error) || error.code === 'INTERNAL') throw error;
    const left = firstDifference(before, shownBy(host, fork));
    return left === undefined ? undefined : `on the fork, refused and left: ${left}`;
  }
  const missing = act.missing(shownBy(host, fork));
  return missing === undefined ? undefined : `on the fork: ${missing}`;
}

/** Emptied, and as every host is at first. */
export function resetOf(host: SimulatedHost): Act {
  const { name, fabric } = host;
  return {
    host: name,
    touches: allOf(name, shownBy(name, fabric)),
    run: async (world) => {
      await world.reset();
      await host.setUp();
    },
    missing: () => {
      const names = Array.from(fabric.switches.list(), (each) => each.name);
      const vms = [...fabric.vms.keys()].length;
      return names.join() === 'A,B' && vms === 0
        ? undefined
        : `${name} has ${names.join()} and ${vms} VMs after its reset`;
    },
  };
}
