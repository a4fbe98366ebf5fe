import { type Port, PropertyInstance, type PropertyOwner } from '../../switch/ports.ts';
import type { PropertyOutcome } from '../../switch/property-operations.ts';
import type { MaybePromise } from '../../switch/steps.ts';
import { parseGuid } from '../core/guid.ts';
import { isErrorStatus } from '../core/status.ts';
import type { Settings } from '../sdk/extension.ts';
import type { PropertyCollection, PropertyInfo, UpdateOptions } from './api.ts';
import type { Transaction } from './change-log.ts';
import { type PropertyPlace, undoAdd, undoDelete, undoUpdate } from './compensation.ts';
import { refreshCurrentMac, SECURITY_TYPE } from './current-mac.ts';
import type { RegisteredFeature } from './feature-registry.ts';
import { propertyInfo } from './info.ts';
import {
  checkAddition,
  checkRevision,
  checkScope,
  findProperty,
  propertyRecord,
} from './property-rules.ts';
import { propertyKey, put, remove } from './records.ts';
import { refused } from './veto.ts';
import { mustBeThere, type SwitchEntry, type World } from './world.ts';

type Values = Readonly<Record<string, unknown>>;

/** Properties of one port, or of the switch (`port` undefined). */
export class PropertySet implements PropertyCollection {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;
  readonly #entry: SwitchEntry;
  readonly #port: Port | undefined;

  constructor(
    world: World,
    transaction: Transaction | undefined,
    entry: SwitchEntry,
    port: Port | undefined,
  ) {
    this.#world = world;
    this.#transaction = transaction;
    this.#entry = entry;
    this.#port = port;
  }

  get #owner(): PropertyOwner {
    return this.#port ?? this.#entry.machine.state;
  }

  get #place(): PropertyPlace {
    return { world: this.#world, entry: this.#entry, port: this.#port };
  }

  #key(id: string): string {
    return propertyKey(this.#entry.id, this.#port?.id ?? 'switch', id);
  }

  async add(
    feature: string,
    settings: Values = {},
    options: { readonly id?: string } = {},
  ): Promise<PropertyInfo> {
    return this.#world.changes.run(this.#transaction, () =>
      this.#add(feature, settings, options.id),
    );
  }

  #add(feature: string, values: Values, wantedId: string | undefined): MaybePromise<PropertyInfo> {
    const registered = this.#world.registry.get(feature, 'setting');
    checkScope(registered, this.#port === undefined ? 'switch' : 'port');
    mustBeThere(this.#entry);
    const settings = registered.codec.normalize(values) as Settings;
    const id = wantedId === undefined ? this.#world.rng.guid() : parseGuid(wantedId, 'id');
    const property = new PropertyInstance(id, registered.codec, settings);
    property.order = this.#world.nextOrder();
    const { machine } = this.#entry;
    const owner = this.#owner;
    let durable: Promise<void> | undefined;
    const sent = machine.addProperty(owner, property, {
      check: () => this.#mayAdd(registered, id),
      accepted: () => {
        durable = this.#world.changes.commit(
          this.#transaction,
          [put(this.#key(id), propertyRecord(property))],
          () => undoAdd(this.#place, property),
        );
      },
    });
    const finish = (outcome: PropertyOutcome): MaybePromise<PropertyInfo> => {
      this.#mustBeAccepted(outcome, () => `property ${registered.feature.name}`);
      const info = propertyInfo(this.#entry, this.#port, property);
      const finished = this.#finished(property, durable);
      return finished === undefined ? info : finished.then(() => info);
    };
    return sent instanceof Promise ? sent.then(finish) : finish(sent);
  }

  /** Rule C15: the security property decides which address the NIC of its port uses. Then what is stored is durable. */
  #finished(
    { codec }: PropertyInstance,
    durable: Promise<void> | undefined,
  ): Promise<void> | undefined {
    if (codec.propertyType !== SECURITY_TYPE || this.#port === undefined) return durable;
    const told = refreshCurrentMac(this.#world, this.#entry.machine, this.#port);
    return told === undefined ? durable : told.then(() => durable);
  }

  #mustBeAccepted(outcome: PropertyOutcome, what: () => string): void {
    if (outcome === undefined || !isErrorStatus(outcome.status)) return;
    throw refused(this.#world, outcome, what());
  }

  #mayAdd(registered: RegisteredFeature, id: string): void {
    mustBeThere(this.#entry);
    checkAddition(this.#owner.properties, registered, id);
  }

  *list(): Iterable<PropertyInfo> {
    this.#world.mustHold();
    for (const property of this.#owner.properties.values()) {
      yield propertyInfo(this.#entry, this.#port, property);
    }
  }

  get(id: string): PropertyInfo {
    this.#world.mustHold();
    return propertyInfo(this.#entry, this.#port, this.#find(id));
  }

  #find(id: string): PropertyInstance {
    return findProperty(this.#owner.properties, id, () =>
      this.#port === undefined ? `switch ${this.#entry.name}` : `port ${this.#port.friendlyName}`,
    );
  }

  /** When the operation's turn has come: the property is still there and has the revision the caller saw. */
  #checkCurrent(property: PropertyInstance, options: UpdateOptions): void {
    mustBeThere(this.#entry);
    if (this.#owner.properties.get(property.id) !== property) this.#find(property.id);
    checkRevision(property, options);
  }

  async update(id: string, settings: Values, options: UpdateOptions = {}): Promise<PropertyInfo> {
    return this.#world.changes.run(this.#transaction, () => this.#update(id, settings, options));
  }

  #update(id: string, values: Values, options: UpdateOptions): MaybePromise<PropertyInfo> {
    const property = this.#find(id);
    const settings = property.codec.normalize(values);
    const { machine } = this.#entry;
    const owner = this.#owner;
    let before = { settings: property.settings, refused: property.refused };
    let durable: Promise<void> | undefined;
    const sent = machine.updateProperty(owner, property, settings, {
      check: () => {
        this.#checkCurrent(property, options);
        before = { settings: property.settings, refused: property.refused };
      },
      accepted: () => {
        durable = this.#world.changes.commit(
          this.#transaction,
          [put(this.#key(property.id), propertyRecord(property))],
          () => undoUpdate(this.#place, property, before, settings),
        );
      },
    });
    const finish = (outcome: PropertyOutcome): MaybePromise<PropertyInfo> => {
      this.#mustBeAccepted(outcome, () => `the update of property ${property.id}`);
      const info = propertyInfo(this.#entry, this.#port, property);
      const finished = this.#finished(property, durable);
      return finished === undefined ? info : finished.then(() => info);
    };
    return sent instanceof Promise ? sent.then(finish) : finish(sent);
  }

  async delete(id: string, options: UpdateOptions = {}): Promise<void> {
    return this.#world.changes.run(this.#transaction, () => this.#delete(id, options));
  }

  #delete(id: string, options: UpdateOptions): MaybePromise<void> {
    const property = this.#find(id);
    const { machine } = this.#entry;
    const owner = this.#owner;
    let durable: Promise<void> | undefined;
    const sent = machine.deleteProperty(owner, property, {
      check: () => this.#checkCurrent(property, options),
      accepted: () => {
        durable = this.#world.changes.commit(
          this.#transaction,
          [remove(this.#key(property.id))],
          () => undoDelete(this.#place, property),
        );
      },
    });
    const finish = (outcome: PropertyOutcome): MaybePromise<void> => {
      this.#mustBeAccepted(outcome, () => `the removal of property ${property.id}`);
      return this.#finished(property, durable);
    };
    return sent instanceof Promise ? sent.then(finish) : finish(sent);
  }
}
