import { macText, parseMac } from '../../switch/parameters.ts';
import { NIC_TYPE_OF_PORT } from '../../switch/nic-rules.ts';
import type { Nic, NicOptions, Port } from '../../switch/ports.ts';
import type { Switch } from '../../switch/switch.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { isErrorStatus } from '../core/status.ts';
import type {
  FeatureStatusInfo,
  NicCollection,
  NicInfo,
  PortHandle,
  PortInfo,
  PropertyCollection,
} from './api.ts';
import type { Transaction } from './change-log.ts';
import { queryStatus } from './feature-status.ts';
import { nicInfo, portInfo } from './info.ts';
import { checkName } from './lookup.ts';
import { PropertySet } from './property-set.ts';
import { type NicRecord, type PortRecord, portKey, propertyKey, put, remove } from './records.ts';
import { nicFacts, recreatePort, snapshotPort } from './recreate.ts';
import { refused } from './veto.ts';
import { presentPort, presentSwitch, removePort, type SwitchEntry, type World } from './world.ts';

/** Ethernet without jumbo frames; what the switch offers when nothing is said, bytes. */
const DEFAULT_MTU = 1500;

function nicRecord(nic: Nic): NicRecord {
  return {
    index: nic.index,
    name: nic.name,
    friendlyName: nic.friendlyName,
    mac: macText(nic.permanentMac),
    mtu: nic.mtu,
  };
}

/** The stored form of a port. */
export function portRecord(port: Port): PortRecord {
  return {
    portId: port.portId,
    name: port.friendlyName,
    type: port.type,
    order: port.order,
    nics: [...port.nics.values()].map(nicRecord),
  };
}

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
    return portInfo(this.port);
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

  /** Its properties end with it: no PROPERTY_DELETE OIDs (rule E38, OP-7). */
  async delete(): Promise<void> {
    const world = this.#world;
    const entry = this.#entry;
    const { port } = this;
    return world.changes.run(this.#transaction, async () => {
      let durable: Promise<void> | undefined;
      let snapshot = snapshotPort(port);
      await entry.machine.deletePort(port, {
        check: () => {
          mustExist(entry, port);
          snapshot = snapshotPort(port);
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

function mustExist(entry: SwitchEntry, port: Port): void {
  if (entry.ports.get(port.id) === port && port.state === 'created') return;
  throw new ExtSwitchError('NOT_FOUND', `port ${port.friendlyName} no longer exists`, {
    found: port.id,
  });
}

class Nics implements NicCollection {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;
  readonly #entry: SwitchEntry;
  readonly #port: Port;

  constructor(world: World, transaction: Transaction | undefined, entry: SwitchEntry, port: Port) {
    this.#world = world;
    this.#transaction = transaction;
    this.#entry = entry;
    this.#port = port;
  }

  async connect(
    options: {
      readonly name?: string;
      readonly mac?: string;
      readonly mtu?: number;
      readonly index?: number;
    } = {},
  ): Promise<NicInfo> {
    return this.#world.changes.run(this.#transaction, async () => {
      const { machine } = this.#entry;
      let durable: Promise<void> | undefined;
      const { nic, request } = await machine.connectNic(this.#port, this.#options(options), {
        check: () => mustExist(this.#entry, this.#port),
        accepted: (connected) => {
          durable = this.#world.changes.commit(this.#transaction, [this.#record()], () => {
            const { machine: now, port } = this.#present();
            const nic = port.nics.get(connected.index);
            return nic === undefined ? undefined : now.disconnectNic(port, nic);
          });
        },
      });
      if (isErrorStatus(request.status)) {
        throw refused(this.#world, request, `NIC ${this.#port.portId}/${nic.index}`);
      }
      await durable;
      return nicInfo(nic);
    });
  }

  #options(options: {
    readonly name?: string;
    readonly mac?: string;
    readonly mtu?: number;
    readonly index?: number;
  }): NicOptions {
    const mac = options.mac === undefined ? this.#poolMac() : parseMac(options.mac);
    // Bit 0 of the first octet marks a group address, which no NIC can have (IEEE 802).
    if (mac === undefined || ((mac[0] ?? 0) & 1) === 1) {
      throw new ExtSwitchError(
        'INVALID_ARGUMENT',
        `mac ${JSON.stringify(options.mac)} is not a unicast MAC address`,
        {
          member: 'mac',
          expected: '00-15-5d-00-00-01',
          found: options.mac ?? '',
        },
      );
    }
    const mtu = options.mtu ?? DEFAULT_MTU;
    if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65_535) {
      throw new ExtSwitchError('INVALID_ARGUMENT', `mtu ${mtu}: expected 68 to 65,535 bytes`, {
        member: 'mtu',
        expected: '68 to 65535',
        found: String(mtu),
      });
    }
    // Rule C3; which of them a port takes is the switch's to say (rules C2, C52).
    const index = options.index ?? 0;
    if (!Number.isInteger(index) || index < 0 || index > 32) {
      throw new ExtSwitchError('INVALID_ARGUMENT', `index ${index}: expected 0 to 32 (rule C3)`, {
        rule: 'C3',
        member: 'index',
        expected: '0 to 32',
        found: String(index),
      });
    }
    if (options.name !== undefined) checkName(options.name, 'NIC');
    const type = NIC_TYPE_OF_PORT[this.#port.type];
    const isVm = type === 'synthetic' || type === 'emulated';
    return {
      index,
      type,
      name: this.#world.rng.guid(),
      friendlyName: options.name ?? (isVm ? 'Network Adapter' : `${type} NIC`),
      mac,
      mtu,
    };
  }

  /** Hyper-V's dynamic addresses: 00-15-5d and three more octets. */
  #poolMac(): Uint8Array {
    const low = this.#world.rng.uint32();
    return Uint8Array.of(0x00, 0x15, 0x5d, (low >>> 16) & 255, (low >>> 8) & 255, low & 255);
  }

  async disconnect(index: number): Promise<void> {
    return this.#world.changes.run(this.#transaction, async () => {
      mustExist(this.#entry, this.#port);
      const nic = this.#port.nics.get(index);
      if (nic === undefined) {
        throw new ExtSwitchError(
          'NOT_FOUND',
          `port ${this.#port.friendlyName} has no NIC with index ${index}`,
          {
            member: 'index',
            found: String(index),
          },
        );
      }
      // Rule C54: the adapters below the external NIC go first.
      if (index === 0 && this.#port.nics.size > 1) {
        throw new ExtSwitchError(
          'ILLEGAL_TRANSITION',
          'adapters below the external NIC are deleted before it (rule C54)',
          {
            rule: 'C54',
          },
        );
      }
      const { machine } = this.#entry;
      let durable: Promise<void> | undefined;
      await machine.disconnectNic(this.#port, nic, {
        check: () => mustExist(this.#entry, this.#port),
        accepted: () => {
          durable = this.#world.changes.commit(this.#transaction, [this.#record()], () => {
            const { machine: now, port } = this.#present();
            return now.connectNic(port, { ...nicFacts(nic), mac: nic.permanentMac });
          });
        },
      });
      await durable;
    });
  }

  /** For undoing: the port may have been made again meanwhile. */
  #present(): { readonly machine: Switch; readonly port: Port } {
    return {
      machine: presentSwitch(this.#world, this.#entry).machine,
      port: presentPort(this.#world, this.#entry, this.#port),
    };
  }

  #record(): ReturnType<typeof put> {
    return put(portKey(this.#entry.id, this.#port.id), portRecord(this.#port));
  }

  list(): readonly NicInfo[] {
    return [...this.#port.nics.values()].map(nicInfo);
  }
}
