import { PropertyInstance } from '../../switch/ports.ts';
import { type MaybePromise, type Steps, settled } from '../../switch/steps.ts';
import { ExtSwitchError, isExtSwitchError } from '../core/errors.ts';
import type { FeatureClass, SerializationProfile } from '../mof/feature-class.ts';
import type { StoreOp } from '../store/store.ts';
import type { Transaction } from './change-log.ts';
import { compileFeature, relateClass, upgradeSettings } from './class-relation.ts';
import { inOrder, undoAdd } from './compensation.ts';
import type { RegisteredFeature } from './feature-registry.ts';
import type { JsonSettings, PortableFeature } from './migration-api.ts';
import { arrivedSettings } from './migration-skeleton.ts';
import { opaqueClass } from './opaque-codec.ts';
import { checkScope, propertyRecord } from './property-rules.ts';
import { adapterPropertyKey, put } from './records.ts';
import { reissue } from './recreate.ts';
import { type Committed, changeVm, commitOps, mustExist } from './vm-change.ts';
import type { AdapterEntry, VmEntry } from './vm-entry.ts';
import type { World } from './world.ts';

/*
 * Policies that came with a VM and whose class was not registered here (management.md 5) become policies like all others when it
 * is. A class by which one of them could not be read is not registered: what is kept must not become what nobody can read.
 */

/**
 * Registers classes in memory; gives how that is taken back. Throws, with nothing registered, when a policy that is kept unread
 * is none of them: `CLASS_MISMATCH` for a version that is older than the policy's, another uint16 form, other members;
 * `SETTINGS_INVALID`, `INVALID_ARGUMENT`.
 */
export function putClasses(
  world: World,
  classes: readonly FeatureClass[],
  uint16: SerializationProfile['uint16'],
): () => void {
  const { registry } = world;
  const before = classes.map(({ kind, id }) => registry.byId(kind, id));
  const takeBack = (): void => {
    classes.forEach(({ kind, id }, i) => {
      const old = before[i];
      if (old === undefined) registry.remove(kind, id);
      else registry.put(old.feature, old.uint16);
    });
  };
  try {
    for (const feature of classes) registry.put(feature, uint16);
    const ids = new Set(classes.filter(({ kind }) => kind === 'setting').map(({ id }) => id));
    if (ids.size > 0) mustBeReadable(world, ids);
  } catch (error) {
    takeBack();
    throw error;
  }
  return takeBack;
}

function mustBeReadable(world: World, ids: ReadonlySet<string>): void {
  for (const adapter of world.adapters.values()) {
    for (const property of adapter.properties.values()) {
      const kept = ids.has(property.codec.id) ? opaqueClass(property) : undefined;
      if (kept === undefined) continue;
      try {
        readPolicy(world, property, kept);
      } catch (error) {
        if (!isExtSwitchError(error)) throw error;
        const whose = `policy ${property.id} of ${adapter.description}, which is kept unread here`;
        throw new ExtSwitchError(error.code, `${whose}: ${error.message}`, error.place);
      }
    }
  }
}

/** What a policy that was kept unread is by the class that is registered now; throws as {@link putClasses}. */
export function readPolicy(
  world: World,
  { id, settings, revision, order }: PropertyInstance,
  kept: PortableFeature,
): PropertyInstance {
  const registered = world.registry.get(kept.id, 'setting');
  checkScope(registered, 'port');
  const values = readSettings(registered, settings as JsonSettings, kept);
  const property = new PropertyInstance(id, registered.codec, values);
  property.revision = revision;
  property.order = order;
  return property;
}

function readSettings(
  registered: RegisteredFeature,
  settings: JsonSettings,
  kept: PortableFeature,
): PropertyInstance['settings'] {
  const theirs = compileFeature(kept, 'class');
  const related = relateClass(registered, theirs, kept.uint16, 'the policy');
  if ('error' in related) throw related.error;
  const { version } = kept;
  if (related.relation === 'same') return arrivedSettings(registered, { settings, version });
  return registered.codec.normalize(upgradeSettings(settings, theirs, registered.feature));
}

/**
 * Reads what can be read now, each VM in its turn, tells the extensions as after a restart, and is done when the store has it. A
 * VM that is migrating is done when it has stayed or arrived: nobody waits for that.
 */
export async function readKept(world: World, transaction: Transaction | undefined): Promise<void> {
  const vms = new Set<VmEntry>();
  for (const adapter of world.adapters.values()) {
    if (mayBeRead(world, adapter)) vms.add(adapter.vm);
  }
  for (const vm of vms) {
    if (vm.travel === undefined) await readOf(world, transaction, vm);
    else readAfterTravel(world, vm, vm.travel.ended);
  }
}

/** The same for one VM, once `ended`; what goes wrong is logged, and done at the next registration or start. */
export function readAfterTravel(world: World, vm: VmEntry, ended: Promise<void>): void {
  const read = async (): Promise<void> => {
    await ended;
    if (vm.isDeleted || world.isClosed || !vm.adapters.some((one) => mayBeRead(world, one))) return;
    await readOf(world, undefined, vm);
  };
  read().catch((error: unknown) => {
    world.log('warn', `policies of VM ${vm.name} are still kept unread`, { error: String(error) });
  });
}

function mayBeRead(world: World, { properties }: AdapterEntry): boolean {
  for (const property of properties.values()) {
    const kept = opaqueClass(property);
    if (kept !== undefined && world.registry.byId('setting', kept.id) !== undefined) return true;
  }
  return false;
}

interface Read {
  readonly adapter: AdapterEntry;
  readonly before: PropertyInstance;
  readonly after: PropertyInstance;
}

function readOf(
  world: World,
  transaction: Transaction | undefined,
  vm: VmEntry,
): MaybePromise<void> {
  const steps = function* (): Steps<Committed> {
    mustExist(vm);
    const all: Read[] = [];
    for (const adapter of vm.adapters) {
      for (const before of [...adapter.properties.values()]) {
        const after = readNow(world, adapter, before);
        if (after === undefined) continue;
        yield* replace(world, adapter, after);
        all.push({ adapter, before, after });
      }
    }
    if (all.length === 0) return { durable: undefined };
    const ops: StoreOp[] = all.map(({ adapter, after }) =>
      put(adapterPropertyKey(adapter.id, after.id), propertyRecord(after)),
    );
    return commitOps(world, transaction, vm, ops, function* () {
      for (const one of all.reverse()) yield* putBack(world, one);
    });
  };
  return changeVm(world, transaction, vm, steps, () => undefined);
}

/** `undefined`: it is read already, its class is still unknown, or it is none of that class. */
function readNow(
  world: World,
  adapter: AdapterEntry,
  property: PropertyInstance,
): PropertyInstance | undefined {
  const kept = opaqueClass(property);
  if (kept === undefined || world.registry.byId('setting', kept.id) === undefined) return undefined;
  try {
    return readPolicy(world, property, kept);
  } catch (error) {
    if (!isExtSwitchError(error)) throw error;
    world.environment.finding(adapter.target?.name ?? '', {
      rule: 'E61',
      severity: 'warning',
      message: `policy ${property.id} of ${adapter.description} stays unread: ${error.message}`,
    });
    return undefined;
  }
}

/** In its place; where a port is, the extensions hear of it for the first time, and what they refuse is marked and stays. */
function* replace(world: World, adapter: AdapterEntry, property: PropertyInstance): Steps<void> {
  adapter.properties.set(property.id, property);
  const place = adapter.connection ?? adapter.standing;
  if (place !== undefined) {
    const { entry, port } = place;
    port.properties.delete(property.id);
    const told = reissue(world, entry, port, property);
    if (told !== undefined) yield* settled(told);
    inOrder(port);
  }
  const { vm } = adapter;
  world.events.add(world.clock.now(), 'state', undefined, {
    event: 'policyRead',
    vm: vm.name,
    id: vm.id,
    adapter: adapter.settings.name,
    property: property.id,
    feature: property.codec.name,
  });
}

function* putBack(world: World, { adapter, before, after }: Read): Steps<void> {
  if (adapter.properties.get(after.id) !== after) return;
  adapter.properties.set(before.id, before);
  const place = adapter.connection ?? adapter.standing;
  if (place === undefined) return;
  yield undoAdd({ world, ...place }, after);
  place.port.properties.set(before.id, before);
  inOrder(place.port);
}
