import type { Port } from '../../switch/ports.ts';
import type { StoreOp } from '../store/store.ts';
import type {
  FeatureStatusInfo,
  NicCollection,
  PortHandle,
  PortInfo,
  PropertyCollection,
} from './api.ts';
import type { OpenRemoval, Transaction } from './change-log.ts';
import { queryStatus } from './feature-status.ts';
import { portInfo } from './info.ts';
import { checkName } from './lookup.ts';
import { Nics } from './nic-collection.ts';
import { claimName, mustExist, portOps, portOpsNow } from './port-record.ts';
import { PropertySet } from './property-set.ts';
import { portKey, propertyKey, remove } from './records.ts';
import { recreatePort, snapshotPort } from './recreate.ts';
import { vfHolders, vfLosers } from './vf-return.ts';
import { AdapterNics, adapterOf, mustNotBeOfVm } from './vm-ports.ts';
import { AdapterProperties } from './vm-properties.ts';
import {
  presentPort,
  presentSwitch,
  removePort,
  renamePort,
  type SwitchEntry,
  type World,
} from './world.ts';

/** A port as management sees it. */
export class PortObject implements PortHandle {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;
  readonly #entry: SwitchEntry;
  readonly #given: Port;

  constructor(world: World, transaction: Transaction | undefined, entry: SwitchEntry, port: Port) {
    this.#world = world;
    this.#transaction = transaction;
    this.#entry = entry;
    this.#given = port;
  }

  /** As it is now: a deletion that was refused and undone has made it again. */
  get port(): Port {
    return presentPort(this.#world, this.#entry, this.#given);
  }

  get info(): PortInfo {
    this.#world.mustHold();
    return portInfo(this.#entry, this.port);
  }
  get properties(): PropertyCollection {
    const adapter = adapterOf(this.#world, this.port);
    return adapter === undefined
      ? new PropertySet(this.#world, this.#transaction, this.#entry, this.port)
      : new AdapterProperties(this.#world, this.#transaction, adapter);
  }
  get nics(): NicCollection {
    const adapter = adapterOf(this.#world, this.port);
    return adapter === undefined
      ? new Nics(this.#world, this.#transaction, this.#entry, this.port)
      : new AdapterNics(this.#world, this.#transaction, adapter, this.port);
  }

  status(feature: string): Promise<FeatureStatusInfo> {
    return queryStatus(this.#world, this.#entry, this.port, feature);
  }

  /** Rules B19, B2. The old name is free and the new one taken once the extensions know. */
  async rename(name: string): Promise<PortInfo> {
    checkName(name, 'port');
    mustNotBeOfVm(this.port, 'renamed', 'B2', 'its name follows from the VM');
    const world = this.#world;
    const entry = this.#entry;
    const { port } = this;
    return world.changes.run(this.#transaction, async () => {
      mustExist(entry, port);
      if (name === port.friendlyName) return portInfo(entry, port);
      let durable: Promise<void> | undefined;
      let before = port.friendlyName;
      let giveBack: (() => void) | undefined;
      try {
        await entry.machine.updatePort(
          port,
          { friendlyName: name },
          {
            check: () => {
              mustExist(entry, port);
              giveBack = claimName(entry, name, port);
              before = port.friendlyName;
            },
            accepted: () => {
              renamePort(entry, port, before);
              durable = world.changes.commit(
                this.#transaction,
                portOps(entry, port),
                () => this.#takeBack(before),
                { asItIs: () => portOpsNow(world, entry, port) },
              );
            },
          },
        );
      } finally {
        giveBack?.();
      }
      await durable;
      return portInfo(entry, port);
    });
  }

  async #takeBack(before: string): Promise<void> {
    const entry = presentSwitch(this.#world, this.#entry);
    const port = presentPort(this.#world, this.#entry, this.port);
    const name = port.friendlyName;
    await entry.machine.updatePort(port, { friendlyName: before });
    renamePort(entry, port, name);
  }

  /** Its properties end with it: no PROPERTY_DELETE OIDs (rule E38, OP-7). */
  async delete(): Promise<void> {
    mustNotBeOfVm(this.port, 'deleted', 'B20', 'stop the VM or disconnect the adapter');
    const world = this.#world;
    const entry = this.#entry;
    const { port } = this;
    return world.changes.run(this.#transaction, async () => {
      const refused = entry.refusedPorts.get(port.id);
      if (refused?.port === port) {
        entry.refusedPorts.delete(port.id);
        await world.changes.commit(this.#transaction, this.#removal(), () => {
          entry.refusedPorts.set(port.id, refused);
        });
        return;
      }
      let durable: Promise<void> | undefined;
      let snapshot = snapshotPort(entry, port);
      let holders = vfHolders(world, entry, port);
      let removal: OpenRemoval | undefined;
      try {
        await entry.machine.deletePort(port, {
          check: () => {
            mustExist(entry, port);
            removal = world.changes.removing([
              portKey(entry.id, port.id),
              propertyKey(entry.id, port.id, ''),
            ]);
            snapshot = snapshotPort(entry, port);
            holders = vfHolders(world, entry, port);
          },
          accepted: () => {
            removePort(entry, port);
            const giveBack = vfLosers(world, entry, holders);
            const undo = async (): Promise<void> => {
              await recreatePort(world, presentSwitch(world, entry), snapshot);
              await giveBack();
            };
            const ops = this.#removal();
            durable = world.changes.commit(this.#transaction, ops, undo, removal && { removal });
          },
        });
        await durable;
      } finally {
        await world.changes.giveUp(removal);
      }
    });
  }

  #removal(): StoreOp[] {
    const { port } = this;
    const { id } = this.#entry;
    const ops = [remove(portKey(id, port.id))];
    for (const property of port.properties.keys())
      ops.push(remove(propertyKey(id, port.id, property)));
    // Also those that are stored and could not be told to anybody at the last restart.
    for (const [key] of this.#world.store.range(propertyKey(id, port.id, '')))
      ops.push(remove(key));
    return ops;
  }
}
