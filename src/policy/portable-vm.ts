import { parseMac } from '../../switch/parameters.ts';
import { checkRecord } from '../../switch/save-record.ts';
import type { Steps } from '../../switch/steps.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { StoreOp } from '../store/store.ts';
import type { Transaction } from './change-log.ts';
import { findSwitch } from './find-switch.ts';
import { checkName } from './lookup.ts';
import type { ImportOptions, PortableAdapter, PortableVm } from './migration-api.ts';
import type { ClassMap } from './portable-classes.ts';
import type { MacIntake } from './portable-macs.ts';
import { propertyRecord } from './property-rules.ts';
import { adapterPropertyKey, put, savedKey } from './records.ts';
import { isEnabledOn, notOffered } from './required-features.ts';
import { type Committed, changeVm, commitVm } from './vm-change.ts';
import { addVm, claimVmName, forgetVm } from './vm-configuration.ts';
import { validate } from './vm-connection.ts';
import { AdapterEntry, VmEntry } from './vm-entry.ts';
import type { SwitchEntry, World } from './world.ts';

/** One import, as its VMs and switches see it. */
export interface Intake {
  readonly world: World;
  readonly transaction: Transaction;
  readonly options: ImportOptions;
  readonly classes: ClassMap;
  readonly macs: MacIntake;
  /** Switches that came with the document, by the name they have in it. */
  readonly imported: ReadonlyMap<string, SwitchEntry>;
  readonly notes: string[];
}

/** Ids are those of the document. */
export function keepsIds({ options }: Intake): boolean {
  return options.ids === 'keep';
}

/**
 * A VM of a document, off or saved, once the extensions have seen its adapters on validation ports, as when a VM is created
 * (rules B44-B47). Throws what refuses it; then nothing of it is there.
 */
export async function importVm(intake: Intake, given: PortableVm, path: string): Promise<VmEntry> {
  const { world, transaction, options } = intake;
  const name = checkName(options.name ?? given.name, 'VM');
  const id = idOf(intake, given.id, 'VM', `${path}.id`, (id) => world.vms.get(id)?.name);
  const vm = new VmEntry(id, name, world.nextOrder());
  const steps = function* (): Steps<Committed> {
    claimVmName(world, name);
    try {
      given.adapters.forEach((one, i) => {
        vm.adapters = [...vm.adapters, adapterOf(intake, vm, one, `${path}.adapters[${i}]`)];
      });
      // Before anything is asked of their switches, which otherwise could be deleted behind their backs.
      for (const adapter of vm.adapters) world.adapters.set(adapter.id, adapter);
      for (const adapter of vm.adapters) yield* validate(world, adapter);
    } catch (error) {
      yield* forgetVm(world, vm);
      throw error;
    }
    // A VM that ran has nothing of that here: it is off, with its configuration.
    vm.state = given.state === 'saved' ? 'saved' : 'off';
    addVm(world, vm);
    return commitVm(world, transaction, vm, opsOf(vm), () => forgetVm(world, vm));
  };
  return changeVm(world, transaction, vm, steps, () => vm);
}

/** The id of the document, or a fresh one; throws when it is to be kept and is taken. */
export function idOf(
  intake: Intake,
  given: string,
  what: string,
  path: string,
  holder: (id: string) => string | undefined,
): string {
  if (!keepsIds(intake)) return intake.world.rng.guid();
  const taken = holder(given);
  if (taken === undefined) return given;
  throw new ExtSwitchError(
    'ALREADY_EXISTS',
    `${path}: id ${given} belongs to ${what} ${JSON.stringify(taken)}: import with fresh ids`,
    { member: path, found: given },
  );
}

function adapterOf(
  intake: Intake,
  vm: VmEntry,
  given: PortableAdapter,
  path: string,
): AdapterEntry {
  const { world, classes, macs } = intake;
  const { type, mtu, numaNode, macType, vmMac } = given;
  const id = idOf(intake, given.id, 'adapter', `${path}.id`, (one) => {
    return world.adapters.get(one)?.settings.name;
  });
  const name = checkName(given.name, 'adapter');
  const who = `network adapter ${JSON.stringify(name)} of VM ${JSON.stringify(vm.name)}`;
  const entry = targetOf(intake, given, who, path);
  const properties = classes.instances(given.properties, 'port', !keepsIds(intake), path);
  for (const [i, record] of given.saved.entries()) checkRecord(record, i, world.ndis);
  const { mac, isNew } = macs.take(given.mac, macType === 'dynamic', who, `${path}.mac`);
  if (!isNew) world.macs.keep(mac);
  const portName = keepsIds(intake) ? (given.portName ?? world.rng.guid()) : world.rng.guid();
  const order = world.nextOrder();
  const adapter = new AdapterEntry(
    vm,
    { id, portName, type, order },
    {
      name,
      mac,
      macType,
      vmMac: vmMac === undefined ? undefined : parseMac(vmMac),
      numaNode,
      mtu,
    },
  );
  if (entry !== undefined) adapter.target = { id: entry.id, name: entry.name };
  adapter.isKnown = given.isKnown;
  adapter.requiredFeatures = given.requiredFeatures;
  adapter.properties = properties;
  adapter.saved = given.saved;
  noteDelivery(intake, adapter, entry);
  return adapter;
}

/** The switch here: one that came with the document, the mapped one, or the one of the same name. */
function targetOf(
  { world, options, imported }: Intake,
  given: PortableAdapter,
  who: string,
  path: string,
): SwitchEntry | undefined {
  const { switch: on } = given;
  if (on === undefined) return undefined;
  const mapped = options.switches?.[on.name];
  const brought = imported.get(on.name);
  if (mapped === undefined && brought !== undefined) return brought;
  try {
    return findSwitch(world, mapped ?? on.name);
  } catch (error) {
    const advice =
      mapped === undefined ? 'map its name to that of a switch that is' : 'that it is mapped to';
    throw new ExtSwitchError(
      'NOT_FOUND',
      `${path}.switch: ${who} connects to switch ${JSON.stringify(on.name)}, and there is no switch ` +
        `${JSON.stringify(mapped ?? on.name)} here${mapped === undefined ? `: ${advice}` : `, ${advice}`}`,
      { member: `${path}.switch`, found: mapped ?? on.name },
      { cause: error },
    );
  }
}

/** Rule E55: what no extension here takes stays with the adapter all the same, and is said. */
function noteDelivery(
  { world, notes }: Intake,
  adapter: AdapterEntry,
  entry: SwitchEntry | undefined,
): void {
  for (const { codec } of new Set(adapter.properties.values())) {
    if (codec.propertyType !== 1) continue;
    const note = undelivered(world, codec.extensionId, entry);
    if (note === undefined) continue;
    const text = `policies ${codec.name} of ${adapter.description} are kept and delivered to nobody: ${note}`;
    if (!notes.includes(text)) notes.push(text);
  }
  if (entry === undefined) return;
  for (const { name, id } of notOffered(world, entry, adapter.requiredFeatures)) {
    notes.push(
      `${adapter.description} requires feature ${name} (${id}), which switch ${JSON.stringify(entry.name)} does not offer now`,
    );
  }
}

/** Why policies of an extension reach nobody on `entry`; `undefined`: they do, or there is no switch to say. */
export function undelivered(
  world: World,
  extensionId: string,
  entry: SwitchEntry | undefined,
): string | undefined {
  const extension = world.extensions.get(extensionId);
  if (extension === undefined) return `extension ${extensionId} is not installed`;
  if (entry === undefined || isEnabledOn(world, entry, extensionId)) return undefined;
  return `extension ${extension.name} is not enabled on switch ${JSON.stringify(entry.name)}`;
}

function opsOf(vm: VmEntry): StoreOp[] {
  const ops: StoreOp[] = [];
  for (const adapter of vm.adapters) {
    for (const property of adapter.properties.values()) {
      ops.push(put(adapterPropertyKey(adapter.id, property.id), propertyRecord(property)));
    }
    if (adapter.saved.length > 0) {
      ops.push(put(savedKey(vm.id, adapter.id), { records: adapter.saved }));
    }
  }
  return ops;
}
