import { PropertyInstance } from '../../switch/ports.ts';
import type { PropertyOutcome } from '../../switch/property-operations.ts';
import { drive, type MaybePromise, type Steps, settled } from '../../switch/steps.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { parseGuid } from '../core/guid.ts';
import { isErrorStatus } from '../core/status.ts';
import type { Settings } from '../sdk/extension.ts';
import type { StoreOp } from '../store/store.ts';
import type { PropertyCollection, PropertyInfo, UpdateOptions } from './api.ts';
import type { Transaction } from './change-log.ts';
import { inOrder, undoAdd, undoDelete, undoUpdate } from './compensation.ts';
import { refreshCurrentMac } from './current-mac.ts';
import type { RegisteredFeature } from './feature-registry.ts';
import {
  checkAddition,
  checkRevision,
  checkScope,
  findProperty,
  propertyRecord,
} from './property-rules.ts';
import { adapterPropertyKey, put, remove } from './records.ts';
import { refused } from './veto.ts';
import { type Committed, changeVm, mustHave } from './vm-change.ts';
import { validate } from './vm-connection.ts';
import type { AdapterEntry } from './vm-entry.ts';
import { adapterPropertyInfo } from './vm-info.ts';
import type { World } from './world.ts';

type Values = Readonly<Record<string, unknown>>;

/** NdisSwitchPortPropertyTypeSecurity. */
const SECURITY_TYPE = 2;

/**
 * The policies of a VM's network adapter, whatever state the VM is in (rules E61, E62). While a port of it is there, also a
 * validation port that stands, its extensions decide (S5). Otherwise an addition or an update is asked about on a validation
 * port with the policies as they would be (rules B46, B47); a removal leaves only policies that were asked about already, and
 * must stay possible when one of the others is refused now: it asks nobody.
 */
export class AdapterProperties implements PropertyCollection {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;
  readonly #adapter: AdapterEntry;

  constructor(world: World, transaction: Transaction | undefined, adapter: AdapterEntry) {
    this.#world = world;
    this.#transaction = transaction;
    this.#adapter = adapter;
  }

  *list(): Iterable<PropertyInfo> {
    this.#world.mustHold();
    for (const property of this.#adapter.properties.values()) {
      yield adapterPropertyInfo(this.#adapter, property);
    }
  }

  get(id: string): PropertyInfo {
    this.#world.mustHold();
    return adapterPropertyInfo(this.#adapter, this.#find(id));
  }

  #find(id: string): PropertyInstance {
    return findProperty(this.#adapter.properties, id, () => this.#adapter.description);
  }

  async add(
    feature: string,
    values: Values = {},
    options: { readonly id?: string } = {},
  ): Promise<PropertyInfo> {
    const world = this.#world;
    const registered = world.registry.get(feature, 'setting');
    checkScope(registered, 'port');
    const settings = registered.codec.normalize(values) as Settings;
    const id = options.id === undefined ? world.rng.guid() : parseGuid(options.id, 'id');
    const property = new PropertyInstance(id, registered.codec, settings);
    property.order = world.nextOrder();
    return this.#change(
      () => this.#add(registered, property),
      () => adapterPropertyInfo(this.#adapter, property),
    );
  }

  *#add(registered: RegisteredFeature, property: PropertyInstance): Steps<Committed> {
    const adapter = this.#adapter;
    const { properties } = adapter;
    const check = (): void => checkAddition(properties, registered, property.id);
    check();
    const place = adapter.connection ?? adapter.standing;
    if (place === undefined) {
      yield* this.#validate(property, [...properties.values(), property]);
      check();
    } else {
      const { entry, port } = place;
      const told = yield* settled(entry.machine.addProperty(port, property, { check }));
      this.#mustBeAccepted(told, `property ${property.codec.name}`);
    }
    properties.set(property.id, property);
    yield* this.#refresh(property);
    return this.#commit(put(this.#key(property), propertyRecord(property)), () =>
      this.#undoAdd(property),
    );
  }

  *#undoAdd(property: PropertyInstance): Steps<void> {
    const adapter = this.#adapter;
    if (adapter.properties.get(property.id) !== property) return;
    const place = adapter.connection ?? adapter.standing;
    if (place !== undefined) yield undoAdd({ world: this.#world, ...place }, property);
    adapter.properties.delete(property.id);
    yield* this.#refresh(property);
  }

  async update(id: string, values: Values, options: UpdateOptions = {}): Promise<PropertyInfo> {
    const property = this.#find(id);
    const settings = property.codec.normalize(values);
    return this.#change(
      () => this.#update(property, settings, options),
      () => adapterPropertyInfo(this.#adapter, property),
    );
  }

  *#update(
    property: PropertyInstance,
    settings: Settings,
    options: UpdateOptions,
  ): Steps<Committed> {
    const adapter = this.#adapter;
    this.#checkCurrent(property, options);
    const before = { settings: property.settings, refused: property.refused };
    const place = adapter.connection ?? adapter.standing;
    if (place === undefined) {
      const wanted = new PropertyInstance(property.id, property.codec, settings);
      wanted.revision = property.revision + 1;
      const all = [...adapter.properties.values()].map((one) => (one === property ? wanted : one));
      yield* this.#validate(property, all);
      property.settings = settings;
      property.revision += 1;
      property.refused = undefined;
    } else {
      const { entry, port } = place;
      const told = yield* settled(entry.machine.updateProperty(port, property, settings));
      this.#mustBeAccepted(told, `the update of property ${property.id}`);
    }
    yield* this.#refresh(property);
    return this.#commit(put(this.#key(property), propertyRecord(property)), () =>
      this.#undoUpdate(property, before, settings),
    );
  }

  *#undoUpdate(
    property: PropertyInstance,
    before: Pick<PropertyInstance, 'settings' | 'refused'>,
    failed: Settings,
  ): Steps<void> {
    if (property.settings !== failed) return;
    const place = this.#adapter.connection ?? this.#adapter.standing;
    if (place !== undefined) {
      yield undoUpdate({ world: this.#world, ...place }, property, before, failed);
    } else {
      property.settings = before.settings;
      property.refused = before.refused;
      property.revision -= 1;
    }
    yield* this.#refresh(property);
  }

  async delete(id: string, options: UpdateOptions = {}): Promise<void> {
    const property = this.#find(id);
    return this.#change(
      () => this.#delete(property, options),
      () => undefined,
    );
  }

  *#delete(property: PropertyInstance, options: UpdateOptions): Steps<Committed> {
    const adapter = this.#adapter;
    this.#checkCurrent(property, options);
    const place = adapter.connection ?? adapter.standing;
    if (place !== undefined) {
      const told = yield* settled(place.entry.machine.deleteProperty(place.port, property));
      this.#mustBeAccepted(told, `the removal of property ${property.id}`);
    }
    adapter.properties.delete(property.id);
    yield* this.#refresh(property);
    return this.#commit(remove(this.#key(property)), () => this.#undoDelete(property));
  }

  *#undoDelete(property: PropertyInstance): Steps<void> {
    const adapter = this.#adapter;
    if (adapter.properties.has(property.id)) return;
    const place = adapter.connection ?? adapter.standing;
    if (place !== undefined) yield undoDelete({ world: this.#world, ...place }, property);
    // In its place again: the order of creation is the order in which policies are told.
    adapter.properties.set(property.id, property);
    inOrder(adapter);
    yield* this.#refresh(property);
  }

  // --- what the three have in common ---------------------------------------------------------------------------------

  #change<T>(change: () => Steps<Committed>, result: () => T): MaybePromise<T> {
    const steps = (): Steps<Committed> => {
      mustHave(this.#adapter);
      return change();
    };
    return changeVm(this.#world, this.#transaction, this.#adapter.vm, steps, result);
  }

  /** In the VM's turn, so that the adapter has one port, or none, from beginning to end. */
  #commit(op: StoreOp, undo: () => Steps<void>): Committed {
    const { queue } = this.#adapter.vm;
    const durable = this.#world.changes.commit(this.#transaction, [op], () =>
      queue.run(() => drive(undo())),
    );
    return { durable };
  }

  /** Rule E3: extensions are never told of built-in policies, so nobody is asked. */
  *#validate(property: PropertyInstance, all: readonly PropertyInstance[]): Steps<void> {
    if (property.codec.propertyType !== 0) yield* validate(this.#world, this.#adapter, all);
  }

  /** Rule C15: the security property decides which address the NIC uses. */
  *#refresh(property: PropertyInstance): Steps<void> {
    const { connection } = this.#adapter;
    if (property.codec.propertyType !== SECURITY_TYPE || connection === undefined) return;
    const { entry, port } = connection;
    yield* settled(refreshCurrentMac(this.#world, entry.machine, port));
  }

  #checkCurrent(property: PropertyInstance, options: UpdateOptions): void {
    const current = this.#find(property.id);
    checkRevision(current, options);
    if (current === property) return;
    throw new ExtSwitchError(
      'STALE_REVISION',
      `property ${property.id} was read by its class while the change waited for its turn: look at it again`,
      { found: property.id },
    );
  }

  #mustBeAccepted(outcome: PropertyOutcome, what: string): void {
    if (outcome === undefined || !isErrorStatus(outcome.status)) return;
    throw refused(this.#world, outcome, `${what} of ${this.#adapter.description}`);
  }

  #key(property: PropertyInstance): string {
    return adapterPropertyKey(this.#adapter.id, property.id);
  }
}
