import type { Port } from '../../switch/ports.ts';
import type {
  FeatureStatusInfo,
  NicCollection,
  PortHandle,
  PortInfo,
  PropertyCollection,
} from './api.ts';
import type { Transaction } from './change-log.ts';
import { queryStatus } from './feature-status.ts';
import { portInfo } from './info.ts';
import { checkName } from './lookup.ts';
import { Nics } from './nic-collection.ts';
import { claimName, mustExist, portOps } from './port-record.ts';
import { PropertySet } from './property-set.ts';
import { portKey, propertyKey, remove } from './records.ts';
import { recreatePort, snapshotPort } from './recreate.ts';
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
  readonly port: Port;

  constructor(world: World, transaction: Transaction | undefined, entry: SwitchEntry, port: Port) {
    this.#world = world;
    this.#transaction = transaction;
    this.#entry = entry;
    this.port = port;
  }

  get info(): PortInfo {
    return portInfo(this.#entry, this.port);
  }
  get properties(): PropertyCollection {
    return new PropertySet(this.#world, this.#transaction, this.#entry, this.port);
  }
  get nics(): NicCollection {
    return new Nics(this.#world, this.#transaction, this.#entry, this.port);
  }

  status(feature: string): Promise<FeatureStatusInfo> {
    return queryStatus(this.#world, this.#entry, this.port, feature);
  }

  /** Rules B19, B2. The old name is free and the new one taken once the extensions know. */
  async rename(name: string): Promise<PortInfo> {
    checkName(name, 'port');
    const world = this.#world;
    const entry = this.#entry;
    const { port } = this;
    return world.changes.run(this.#transaction, async () => {
      mustExist(entry, port);
      if (name === port.friendlyName) return this.info;
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
              durable = world.changes.commit(this.#transaction, portOps(entry, port), () =>
                this.#takeBack(before),
              );
            },
          },
        );
      } finally {
        giveBack?.();
      }
      await durable;
      return this.info;
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
    const world = this.#world;
    const entry = this.#entry;
    const { port } = this;
    return world.changes.run(this.#transaction, async () => {
      let durable: Promise<void> | undefined;
      let snapshot = snapshotPort(entry, port);
      await entry.machine.deletePort(port, {
        check: () => {
          mustExist(entry, port);
          snapshot = snapshotPort(entry, port);
        },
        accepted: () => {
          removePort(entry, port);
          const ops = [remove(portKey(entry.id, port.id))];
          for (const id of port.properties.keys())
            ops.push(remove(propertyKey(entry.id, port.id, id)));
          // Also those that are stored and could not be told to anybody at the last restart.
          for (const [key] of world.store.range(propertyKey(entry.id, port.id, ''))) {
            ops.push(remove(key));
          }
          durable = world.changes.commit(this.#transaction, ops, () =>
            recreatePort(world, presentSwitch(world, entry), snapshot),
          );
        },
      });
      await durable;
    });
  }
}
