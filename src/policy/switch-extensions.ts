import type { StackFailure } from '../../switch/driver-stack.ts';
import { orderStack } from '../../switch/driver-stack.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { Guid } from '../core/guid.ts';
import type { ExtensionDefinition } from '../sdk/extension.ts';
import type { SwitchExtensionCollection, SwitchExtensionInfo } from './api.ts';
import type { Transaction } from './change-log.ts';
import { findExtension } from './extension-catalog.ts';
import { put, type SwitchRecord, switchKey } from './records.ts';
import { type Binding, mustBeThere, presentSwitch, type SwitchEntry, type World } from './world.ts';

/** The stored form of a switch. */
export function switchRecord(entry: SwitchEntry): SwitchRecord {
  return {
    name: entry.name,
    type: entry.type,
    order: entry.order,
    extensions: entry.bindings.map(({ id, enabled, required }) => ({
      id,
      enabled,
      ...(required === true ? { required } : {}),
    })),
  };
}

/** Rule A50: the extensions without which the switch does not run. */
function requiredOf(entry: SwitchEntry): Guid[] {
  return entry.bindings.filter(({ required }) => required === true).map(({ id }) => id);
}

/** Builds the stack of a new switch and activates it (S1), unless it waits for its host ports (OP-20). */
export async function startStack(
  world: World,
  entry: SwitchEntry,
  options: { readonly activate?: boolean } = {},
): Promise<readonly StackFailure[]> {
  const required = requiredOf(entry);
  return entry.machine.start(world.wanted(entry), { ...options, required });
}

/** Rule A2: from the protocol edge down. */
const STACK = ['capture', 'filter', 'forward'] as const;

type StackChange = Parameters<SwitchExtensionCollection['change']>[1];

/** Extensions of one switch: enable, disable, reorder (rules A36-A47). */
export class SwitchExtensions implements SwitchExtensionCollection {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;
  readonly #entry: SwitchEntry;

  constructor(world: World, transaction: Transaction | undefined, entry: SwitchEntry) {
    this.#world = world;
    this.#transaction = transaction;
    this.#entry = entry;
  }

  /** Rule A44: top to bottom. */
  list(): readonly SwitchExtensionInfo[] {
    this.#world.mustHold();
    const listed: SwitchExtensionInfo[] = [];
    for (const type of STACK) {
      let order = 0;
      for (const binding of this.#entry.bindings) {
        const definition = this.#world.extensions.get(binding.id);
        if (definition?.type !== type) continue;
        listed.push(this.#info(definition, binding, order));
        order += 1;
      }
    }
    return listed;
  }

  get(idOrName: string): SwitchExtensionInfo {
    this.#world.mustHold();
    return this.#infoOf(findExtension(this.#world, idOrName));
  }

  #infoOf(definition: ExtensionDefinition): SwitchExtensionInfo {
    const binding = this.#binding(definition);
    return this.#info(definition, binding, this.#sameClass(definition).indexOf(binding));
  }

  #info(definition: ExtensionDefinition, binding: Binding, order: number): SwitchExtensionInfo {
    const { machine } = this.#entry;
    const { id, name, vendor, version, type } = definition;
    const module = machine.modules.find((each) => each.id === id);
    const problem = machine.problemOf(id) ?? binding.problem;
    const info = {
      id,
      name,
      vendor,
      version,
      type,
      enabled: binding.enabled,
      running: module?.state === 'running',
      order,
      required: binding.required === true,
      desynchronized: module?.desynchronized === true,
    };
    return problem === undefined ? info : { ...info, problem };
  }

  #binding({ id }: ExtensionDefinition): Binding {
    const binding = this.#entry.bindings.find((candidate) => candidate.id === id);
    if (binding !== undefined) return binding;
    const fresh: Binding = { id, enabled: false };
    this.#entry.bindings.unshift(fresh);
    return fresh;
  }

  #sameClass({ type }: ExtensionDefinition): Binding[] {
    return this.#entry.bindings.filter(
      (binding) => this.#world.extensions.get(binding.id)?.type === type,
    );
  }

  async change(idOrName: string, change: StackChange): Promise<SwitchExtensionInfo> {
    const definition = findExtension(this.#world, idOrName);
    return this.#world.changes.run(this.#transaction, () => {
      // One at a time: each starts from what the one before it left, also when that one failed.
      const before = this.#entry.stackChange;
      const mine =
        before === undefined
          ? this.#change(definition, change)
          : before.then(() => this.#change(definition, change));
      this.#entry.stackChange = mine.catch(() => undefined);
      return mine;
    });
  }

  async #change(
    definition: ExtensionDefinition,
    change: StackChange,
  ): Promise<SwitchExtensionInfo> {
    mustBeThere(this.#entry);
    const before = this.#entry.bindings;
    const after = this.#changed(definition, change);
    this.#entry.bindings = after;
    try {
      await this.#apply(definition);
      mustBeThere(this.#entry);
    } catch (error) {
      await this.#restore(before, this.#entry);
      throw error;
    }
    await this.#world.changes.commit(
      this.#transaction,
      [put(switchKey(this.#entry.id), switchRecord(this.#entry))],
      () => this.#restore(before, presentSwitch(this.#world, this.#entry)),
    );
    return this.#infoOf(definition);
  }

  /** The bindings as they would be; refuses what cannot be, before anything is touched. */
  #changed(definition: ExtensionDefinition, change: StackChange): Binding[] {
    this.#binding(definition);
    let after = this.#entry.bindings.map((binding) => ({ ...binding }));
    const own = after.find(({ id }) => id === definition.id) as Binding;
    if (change.enabled !== undefined) own.enabled = change.enabled;
    if (change.required !== undefined) own.required = change.required;
    if (change.order !== undefined) {
      const peers = after.filter(
        ({ id }) => this.#world.extensions.get(id)?.type === definition.type,
      );
      // Rule A43: only inside the class.
      if (!Number.isInteger(change.order) || change.order < 0 || change.order >= peers.length) {
        throw new ExtSwitchError(
          'INVALID_ARGUMENT',
          `order ${change.order}: ${definition.name} can stand at 0 to ${peers.length - 1} among the ${definition.type} extensions (rule A43)`,
          {
            rule: 'A43',
            member: 'order',
            expected: `0 to ${peers.length - 1}`,
            found: String(change.order),
          },
        );
      }
      peers.splice(peers.indexOf(own), 1);
      peers.splice(change.order, 0, own);
      const others = after.filter((binding) => !peers.includes(binding));
      after = [...peers, ...others];
    }
    // Rule A41: a second forwarding extension is refused, nothing changes (OP-30).
    orderStack(this.#world.wanted({ ...this.#entry, bindings: after }), definition.id);
    return after;
  }

  /** Changes the running stack; when the extension that was asked for refuses, so does the change (OP-31). */
  async #apply(definition: ExtensionDefinition): Promise<void> {
    const entry = this.#entry;
    const failures = await changeStack(this.#world, entry);
    const own = failures.find((failure) => failure.definition.id === definition.id);
    if (own !== undefined) throw own.error;
    this.#world.environment.stateChange(entry.name, {
      event: 'stackChanged',
      stack: entry.machine.modules.map(({ id }) => id),
    });
  }

  async #restore(before: Binding[], entry: SwitchEntry): Promise<void> {
    // What a deletion under way makes again when it cannot be kept.
    entry.bindings = before;
    const present = presentSwitch(this.#world, entry);
    // A switch that went meanwhile has no stack any more.
    if (present.isDeleted) return;
    present.bindings = before;
    await changeStack(this.#world, present);
  }
}

/** Makes the stack what the bindings say. */
async function changeStack(world: World, entry: SwitchEntry): Promise<readonly StackFailure[]> {
  for (const binding of entry.bindings) delete binding.problem;
  return entry.machine.changeStack(world.wanted(entry), requiredOf(entry));
}
