import { orderStack } from '../../switch/driver-stack.ts';
import { Switch } from '../../switch/switch.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { Guid } from '../core/guid.ts';
import { defineExtension, isExtensionDefinition } from '../sdk/define.ts';
import type { ExtensionDefinition } from '../sdk/extension.ts';
import type { SwitchCollection, SwitchInfo } from './api.ts';
import type { Transaction } from './change-log.ts';
import { findExtension, type Installation, installExtension } from './extension-catalog.ts';
import { checkName } from './lookup.ts';
import { readKept } from './opaque-policies.ts';
import { put, switchKey } from './records.ts';
import { startStack, switchRecord } from './switch-extensions.ts';
import { type HostPorts, openHostPorts, switchTypeOf } from './switch-host.ts';
import { presentSwitch, type SwitchEntry, type World } from './world.ts';

type CreateOptions = Parameters<SwitchCollection['create']>[0];

/** What a switch that comes from elsewhere brings: its id, and its stack instead of `extensions`. */
export interface Brought {
  readonly id: Guid;
  readonly bindings: SwitchEntry['bindings'];
}

/** A switch with its stack and host connections, active (S1). A refusal leaves nothing of it. */
export async function createSwitch(
  world: World,
  transaction: Transaction | undefined,
  options: CreateOptions,
  brought?: Brought,
): Promise<SwitchEntry> {
  checkName(options.name, 'switch');
  const type = switchTypeOf(options);
  const made = await world.changes.run(transaction, async () => {
    if (world.switchNames.has(options.name)) {
      throw new ExtSwitchError(
        'ALREADY_EXISTS',
        `a switch named ${JSON.stringify(options.name)} exists already`,
        { member: 'name', found: options.name },
      );
    }
    world.switchNames.add(options.name);
    try {
      return await make(world, transaction, options, type, brought);
    } catch (error) {
      world.switchNames.delete(options.name);
      throw error;
    }
  });
  // Classes that its extensions brought.
  await readKept(world, transaction);
  return made;
}

async function make(
  world: World,
  transaction: Transaction | undefined,
  options: CreateOptions,
  type: SwitchInfo['type'],
  brought: Brought | undefined,
): Promise<SwitchEntry> {
  const installed: Installation[] = [];
  const uninstall = (): void => {
    for (const { undo } of installed.reverse()) undo();
  };
  let entry: SwitchEntry;
  let host: HostPorts;
  try {
    const enabled = toEnable(world, options.extensions ?? [], installed);
    orderStack(enabled);
    entry = newSwitch(world, {
      id: brought?.id ?? world.rng.guid(),
      name: options.name,
      type,
      order: world.nextOrder(),
      bindings: brought?.bindings ?? bindingsFor(world, enabled),
    });
    if (brought !== undefined) orderStack(world.wanted(entry));
    host = await startSwitch(world, entry, options);
  } catch (error) {
    uninstall();
    throw error;
  }
  // What was installed while it was being made is on it too, disabled (rules A36, A42).
  for (const id of world.extensions.keys()) {
    if (!entry.bindings.some((binding) => binding.id === id)) {
      entry.bindings.unshift({ id, enabled: false });
    }
  }
  world.switches.set(entry.id, entry);
  await world.changes.commit(
    transaction,
    [
      ...installed.flatMap(({ ops }) => ops),
      put(switchKey(entry.id), switchRecord(entry)),
      ...host.ops,
    ],
    async () => {
      await host.undo();
      const made = presentSwitch(world, entry);
      made.isDeleted = true;
      world.switches.delete(made.id);
      world.switchNames.delete(made.name);
      await made.machine.stop();
      uninstall();
    },
  );
  world.environment.stateChange(entry.name, { event: 'switchCreated', id: entry.id });
  return entry;
}

/** Installs what is not yet installed, into `installed`; names and ids must be installed. */
function toEnable(
  world: World,
  wanted: readonly (ExtensionDefinition | string)[],
  installed: Installation[],
): ExtensionDefinition[] {
  const found: ExtensionDefinition[] = [];
  for (const one of wanted) {
    if (typeof one === 'string') {
      found.push(findExtension(world, one));
      continue;
    }
    const definition = isExtensionDefinition(one) ? one : defineExtension(one);
    const fresh = installExtension(world, definition);
    if (fresh !== undefined) installed.push(fresh);
    found.push(definition);
  }
  return found;
}

/** S1 steps 2-10: the stack, activation, the host's own ports. When one of it is refused, nothing runs any more. */
async function startSwitch(
  world: World,
  entry: SwitchEntry,
  options: CreateOptions,
): Promise<HostPorts> {
  const activate = world.activation === 'first';
  try {
    const [failure] = await startStack(world, entry, { activate });
    if (failure !== undefined) throw failure.error;
    return await openHostPorts(world, entry, options);
  } catch (error) {
    entry.isDeleted = true;
    await entry.machine.stop();
    throw error;
  }
}

/** A switch that is not started yet. */
export function newSwitch(
  world: World,
  facts: Pick<SwitchEntry, 'id' | 'name' | 'type' | 'order' | 'bindings'>,
): SwitchEntry {
  const { id, name, type, order, bindings } = facts;
  const machine = new Switch({ id, name, type }, world.environment);
  return {
    id,
    name,
    type,
    order,
    bindings,
    machine,
    ports: new Map(),
    portsByName: new Map(),
    portFacts: new Map(),
    refusedPorts: new Map(),
    claimedNames: new Set(),
    isDeleted: false,
    stackChange: undefined,
  };
}

/** Rules A36, A42: all installed extensions, the newest on top; enabled as asked, in the order given. */
function bindingsFor(
  world: World,
  enabled: readonly ExtensionDefinition[],
): SwitchEntry['bindings'] {
  const rest = [...world.extensions.values()].reverse().filter((e) => !enabled.includes(e));
  return [
    ...enabled.map(({ id }) => ({ id, enabled: true })),
    ...rest.map(({ id }) => ({ id, enabled: false })),
  ];
}
