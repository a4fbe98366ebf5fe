import { drive } from '../../switch/steps.ts';
import { isErrorStatus } from '../core/status.ts';
import type { PortType } from '../sdk/extension.ts';
import type { StoreOp } from '../store/store.ts';
import type {
  FeatureStatusInfo,
  HostConnections,
  PortCollection,
  PortHandle,
  PortInfo,
  PortKey,
  PropertyCollection,
  SwitchCollection,
  SwitchExtensionCollection,
  SwitchHandle,
  SwitchInfo,
  TraceView,
} from './api.ts';
import type { OpenRemoval, Transaction } from './change-log.ts';
import { queryStatus } from './feature-status.ts';
import { Host } from './host-connections.ts';
import { portInfo, switchInfo } from './info.ts';
import { type MembersOf, refuseUnknown } from './known-members.ts';
import { checkName, findOne } from './lookup.ts';
import type { ImportOptions, ImportReport, PortableDocument } from './migration-api.ts';
import { PortObject } from './port-handle.ts';
import { claimName, portOps } from './port-record.ts';
import { exportSwitch } from './portable-export.ts';
import { importSwitches } from './portable-import.ts';
import { PropertySet } from './property-set.ts';
import { portKey, propertyKey, remove, switchKey } from './records.ts';
import { type PortSnapshot, portOptions, recreatePort, reissue, snapshotPort } from './recreate.ts';
import { createSwitch, newSwitch } from './switch-create.ts';
import { SwitchExtensions, startStack } from './switch-extensions.ts';
import { refused } from './veto.ts';
import { endStandingOn, standAllAgain } from './vm-connection.ts';
import { mustBeUnused } from './vm-ports.ts';
import {
  addPort,
  mustBeThere,
  presentPort,
  presentSwitch,
  removePort,
  type SwitchEntry,
  type World,
} from './world.ts';

type CreateOptions = Parameters<SwitchCollection['create']>[0];
const OPTIONS: MembersOf<CreateOptions> = {
  name: true,
  type: true,
  extensions: true,
  uplink: true,
  managementOs: true,
};

/** Switches of a world. */
export class Switches implements SwitchCollection {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;

  constructor(world: World, transaction: Transaction | undefined) {
    this.#world = world;
    this.#transaction = transaction;
  }

  async create(options: CreateOptions): Promise<SwitchHandle> {
    refuseUnknown('switches.create', options, OPTIONS);
    const entry = await createSwitch(this.#world, this.#transaction, options);
    return new SwitchObject(this.#world, this.#transaction, entry);
  }

  async import(document: unknown, options: ImportOptions = {}): Promise<ImportReport> {
    return importSwitches(this.#world, this.#transaction, document, options);
  }

  *list(): Iterable<SwitchInfo> {
    this.#world.mustHold();
    for (const entry of this.#world.switches.values()) yield switchInfo(entry);
  }

  get(idOrName: string): SwitchHandle {
    this.#world.mustHold();
    const { switches } = this.#world;
    const entry = findOne(
      'switch',
      idOrName,
      (id) => switches.get(id),
      switches.values(),
      (candidate) => candidate.name,
    );
    return new SwitchObject(this.#world, this.#transaction, entry);
  }
}

/** A switch as management sees it. */
class SwitchObject implements SwitchHandle {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;
  readonly #entry: SwitchEntry;

  constructor(world: World, transaction: Transaction | undefined, entry: SwitchEntry) {
    this.#world = world;
    this.#transaction = transaction;
    this.#entry = entry;
  }

  get info(): SwitchInfo {
    this.#world.mustHold();
    return switchInfo(this.#entry);
  }
  get ports(): PortCollection {
    return new Ports(this.#world, this.#transaction, this.#entry);
  }
  get properties(): PropertyCollection {
    return new PropertySet(this.#world, this.#transaction, this.#entry, undefined);
  }
  get extensions(): SwitchExtensionCollection {
    return new SwitchExtensions(this.#world, this.#transaction, this.#entry);
  }
  get host(): HostConnections {
    return new Host(this.#world, this.#transaction, this.#entry);
  }
  get trace(): TraceView {
    const { trace } = this.#world;
    return { entries: (filter = {}) => trace.entries({ ...filter, switch: this.#entry.name }) };
  }

  status(feature: string): Promise<FeatureStatusInfo> {
    return queryStatus(this.#world, this.#entry, undefined, feature);
  }

  async export(options: { readonly vms?: boolean } = {}): Promise<PortableDocument> {
    this.#world.mustHold();
    return this.#world.changes.run(this.#transaction, () => {
      mustBeThere(this.#entry);
      return exportSwitch(this.#world, this.#entry, options);
    });
  }

  /** Ports away in reverse order of creation, then the stack. */
  async delete(): Promise<void> {
    const world = this.#world;
    const entry = this.#entry;
    return world.changes.run(this.#transaction, async () => {
      mustBeThere(entry);
      mustBeUnused(world, entry);
      entry.isDeleted = true;
      world.switches.delete(entry.id);
      const inside = [`port/${entry.id}/`, `property/${entry.id}/`];
      const removal = world.changes.removing([switchKey(entry.id), ...inside]);
      try {
        await this.#delete(inside, removal);
      } finally {
        await world.changes.giveUp(removal);
      }
      world.environment.stateChange(entry.name, { event: 'switchDeleted', id: entry.id });
    });
  }

  async #delete(inside: readonly string[], removal: OpenRemoval): Promise<void> {
    const world = this.#world;
    const entry = this.#entry;
    await drive(endStandingOn(world, entry));
    const ops = [remove(switchKey(entry.id))];
    const snapshots = await this.#deletePorts(ops);
    await entry.machine.stop();
    const own = [...entry.machine.state.properties.values()];
    for (const { id } of own) ops.push(remove(propertyKey(entry.id, 'switch', id)));
    // Also what is stored and could not be made again at the last restart.
    for (const prefix of inside) {
      for (const [key] of world.store.range(prefix)) ops.push(remove(key));
    }
    world.switchNames.delete(entry.name);
    const undo = async (): Promise<void> => {
      const again = newSwitch(world, entry);
      world.switches.set(again.id, again);
      world.switchNames.add(again.name);
      await startStack(world, again);
      for (const property of own) await reissue(world, again, undefined, property);
      for (const snapshot of snapshots) await recreatePort(world, again, snapshot);
      await drive(standAllAgain(world, again));
    };
    await world.changes.commit(this.#transaction, ops, undo, { removal });
  }

  /** The newest first, with those that operations before this one still add; one that is going by itself is left alone. */
  async #deletePorts(ops: StoreOp[]): Promise<PortSnapshot[]> {
    const { ports, machine, id: switchId } = this.#entry;
    const snapshots: PortSnapshot[] = [];
    for (;;) {
      const port = [...ports.values()].at(-1);
      if (port === undefined) return snapshots;
      const already = new Error('the port is gone already');
      try {
        await machine.deletePort(port, {
          check: () => {
            if (port.state !== 'created') throw already;
            snapshots.unshift(snapshotPort(this.#entry, port));
          },
          accepted: () => {
            ops.push(remove(portKey(switchId, port.id)));
            for (const id of port.properties.keys())
              ops.push(remove(propertyKey(switchId, port.id, id)));
          },
        });
      } catch (error) {
        if (error !== already) throw error;
      }
      removePort(this.#entry, port);
    }
  }
}

class Ports implements PortCollection {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;
  readonly #entry: SwitchEntry;

  constructor(world: World, transaction: Transaction | undefined, entry: SwitchEntry) {
    this.#world = world;
    this.#transaction = transaction;
    this.#entry = entry;
  }

  async create(
    options: { readonly name?: string; readonly type?: PortType } = {},
  ): Promise<PortHandle> {
    const world = this.#world;
    const entry = this.#entry;
    if (options.name !== undefined) checkName(options.name, 'port');
    return world.changes.run(this.#transaction, async () => {
      const id = world.rng.guid();
      const name = options.name ?? this.#freeName(id);
      let durable: Promise<void> | undefined;
      let giveBack: (() => void) | undefined;
      const facts = portOptions(id, name, options.type ?? 'synthetic');
      try {
        const { port, request } = await entry.machine.createPort(facts, {
          check: () => {
            mustBeThere(entry);
            giveBack = claimName(entry, name);
          },
          accepted: (created) => {
            created.order = world.nextOrder();
            addPort(entry, created);
            durable = world.changes.commit(this.#transaction, portOps(entry, created), async () => {
              const at = presentSwitch(world, entry);
              const made = presentPort(world, entry, created);
              await at.machine.deletePort(made);
              removePort(at, made);
            });
          },
        });
        if (isErrorStatus(request.status)) throw refused(world, request, `port ${name}`);
        await durable;
        return new PortObject(world, this.#transaction, entry, port);
      } finally {
        giveBack?.();
      }
    });
  }

  /** A short name where it is unique: of 65,535 eight-digit ones some are equal. */
  #freeName(id: string): string {
    const short = `port-${id.slice(0, 8)}`;
    return this.#entry.portsByName.has(short) ? `port-${id}` : short;
  }

  *list(): Iterable<PortInfo> {
    this.#world.mustHold();
    for (const port of this.#entry.ports.values()) yield portInfo(this.#entry, port);
    for (const { port } of this.#entry.refusedPorts.values()) yield portInfo(this.#entry, port);
  }

  *keys(): Iterable<PortKey> {
    const { ports, refusedPorts } = this.#entry;
    for (const { id, portId } of ports.values()) yield { id, portId };
    for (const { port } of refusedPorts.values()) yield { id: port.id, portId: port.portId };
  }

  get(idOrName: string): PortHandle {
    this.#world.mustHold();
    const { ports, portsByName, refusedPorts, machine } = this.#entry;
    const refused = [...refusedPorts.values()].map(({ port }) => port);
    const number = /^\d{1,5}$/.test(idOrName) ? Number(idOrName) : undefined;
    const byPortId =
      number === undefined
        ? undefined
        : (machine.state.ports.get(number) ?? refused.find(({ portId }) => portId === number));
    const port =
      byPortId ??
      findOne(
        `port of switch ${JSON.stringify(this.#entry.name)}`,
        idOrName,
        (id) => ports.get(id) ?? refusedPorts.get(id)?.port,
        [...(portsByName.get(idOrName) ?? []), ...refused],
        (candidate) => candidate.friendlyName,
      );
    return new PortObject(this.#world, this.#transaction, this.#entry, port);
  }
}
