import type { Transaction } from './change-log.ts';
import type {
  FaultCollection,
  FaultRecording,
  FaultRule,
  FaultRuleChange,
  FaultRuleOptions,
} from './faults-api.ts';
import type { World } from './world.ts';

/** The fault rules of a world, as one handle of it has them. */
export class Faults implements FaultCollection {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;

  constructor(world: World, transaction: Transaction | undefined) {
    this.#world = world;
    this.#transaction = transaction;
  }

  list(): readonly FaultRule[] {
    return this.#world.faults.rules.list();
  }

  get(id: string): FaultRule {
    return this.#world.faults.rules.find(id).info;
  }

  add(...given: readonly FaultRuleOptions[]): readonly FaultRule[] {
    const { rules } = this.#world.faults;
    return this.#change(() => {
      const added = rules.add(given);
      const ids = added.map(({ id }) => id);
      return [added.map(({ info }) => info), () => rules.drop(ids)];
    });
  }

  update(id: string, change: FaultRuleChange): FaultRule {
    const { rules } = this.#world.faults;
    return this.#change(() => {
      const before = rules.update(id, change);
      const rule = rules.find(id);
      return [rule.info, () => rule.change(before)];
    });
  }

  remove(id: string): void {
    this.#remove([id]);
  }

  clear(): void {
    this.#remove(this.list().map(({ id }) => id));
  }

  #remove(ids: readonly string[]): void {
    const { rules } = this.#world.faults;
    this.#change(() => {
      const gone = rules.remove(ids);
      return [undefined, () => rules.putBack(gone)];
    });
  }

  record(): FaultRecording {
    return this.#world.faults.rules.record();
  }

  /** In force at once; when it is part of an atomic change that fails, taken back before the rest is undone. */
  #change<T>(change: () => readonly [T, () => void]): T {
    const transaction = this.#transaction;
    if (transaction === undefined) return change()[0];
    // Throws when the atomic change has ended.
    void this.#world.changes.run(transaction, () => undefined);
    const [result, undo] = change();
    transaction.faultUndos.push(undo);
    return result;
  }
}
