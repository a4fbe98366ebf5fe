import type { MaybePromise } from '../../switch/steps.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { Guid } from '../core/guid.ts';
import type { VmEntry } from './vm-entry.ts';

/**
 * A VM that is migrating. Changes of it wait until it has arrived or stayed, outside every queue, so that they keep nobody from
 * anything meanwhile; then they are done here, or fail naming the host it has moved to.
 */
export class Travel {
  readonly migration: Guid;
  /** When it has ended. */
  readonly ended: Promise<void>;
  /** Why it cannot be said when it will end: changes are refused with it. */
  undecided: string | undefined;
  #end: () => void = () => undefined;

  constructor(migration: Guid) {
    this.migration = migration;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  end(vm: VmEntry): void {
    if (vm.travel === this) vm.travel = undefined;
    this.#end();
  }
}

/** What a change gives whose turn came when the VM was migrating. */
export const MIGRATING = Symbol('migrating');

/**
 * `change` once the VM is not migrating. Refused instead of waiting: in an atomic change, for which the migration itself would
 * have to wait, and while the migration waits for a host that does not answer.
 */
export function unlessMigrating<T>(
  vm: VmEntry,
  isAtomic: boolean,
  change: () => MaybePromise<T | typeof MIGRATING>,
): MaybePromise<T> {
  if (vm.travel !== undefined) return afterTravel(vm, isAtomic, change);
  const done = change();
  if (done instanceof Promise) {
    return done.then((value) =>
      value === MIGRATING ? afterTravel(vm, isAtomic, change) : (value as T),
    );
  }
  return done === MIGRATING ? afterTravel(vm, isAtomic, change) : (done as T);
}

async function afterTravel<T>(
  vm: VmEntry,
  isAtomic: boolean,
  change: () => MaybePromise<T | typeof MIGRATING>,
): Promise<T> {
  const { travel } = vm;
  if (travel !== undefined) {
    if (isAtomic || travel.undecided !== undefined) throw isMigrating(vm, travel);
    await travel.ended;
  }
  return unlessMigrating(vm, isAtomic, change);
}

/** What is refused because of a migration. */
export function isMigrating(vm: VmEntry, { migration, undecided }: Travel): ExtSwitchError {
  const why = undecided === undefined ? '' : `: ${undecided}`;
  return new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    `VM ${JSON.stringify(vm.name)} is migrating (migration ${migration})${why}`,
    { rule: 'G38', found: migration },
  );
}
