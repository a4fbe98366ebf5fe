import { NIC_TYPE_OF_PORT } from '../../switch/nic-rules.ts';
import type { Nic, NicChange, NicOptions, Port } from '../../switch/ports.ts';
import type { Switch } from '../../switch/switch.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { isErrorStatus } from '../core/status.ts';
import type { NicCollection, NicInfo, NicUpdate } from './api.ts';
import type { OpenRemoval, Transaction, Undo } from './change-log.ts';
import { currentMacAfter, currentMacOf, refreshCurrentMac } from './current-mac.ts';
import { nicInfo } from './info.ts';
import { checkName } from './lookup.ts';
import { type MacClaim, macHex, nicOwner, unicastMac } from './mac-pool.ts';
import { hostNicFacts } from './nic-names.ts';
import { nicAgain } from './nic-record.ts';
import { dropRefusedNic, mustExist, portOps, portOpsNow } from './port-record.ts';
import { portKey } from './records.ts';
import { refused } from './veto.ts';
import { vfHolders, vfLosers } from './vf-return.ts';
import { presentPort, presentSwitch, type SwitchEntry, type World } from './world.ts';

/** Ethernet without jumbo frames; what the switch offers when nothing is said, bytes. */
export const DEFAULT_MTU = 1500;

type ConnectOptions = NonNullable<Parameters<NicCollection['connect']>[0]>;

function whole(member: string, value: number, low: number, high: number, rule?: string): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  const expected = `${low} to ${high}`;
  const by = rule === undefined ? '' : ` (rule ${rule})`;
  throw new ExtSwitchError('INVALID_ARGUMENT', `${member} ${value}: expected ${expected}${by}`, {
    member,
    expected,
    found: String(value),
    ...(rule === undefined ? {} : { rule }),
  });
}

/** IPv4 wants 68 bytes at least (RFC 791); NDIS counts in 32 bits, Ethernet frames end far below 65,535. */
export function checkMtu(mtu: number): number {
  return whole('mtu', mtu, 68, 65_535);
}

/** NICs of one port, connected and changed one by one. */
export class Nics implements NicCollection {
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

  list(): readonly NicInfo[] {
    this.#world.mustHold();
    return [...this.#port.nics.values()].map(nicInfo);
  }

  async connect(options: ConnectOptions = {}): Promise<NicInfo> {
    return this.#world.changes.run(this.#transaction, async () => {
      const { macs } = this.#world;
      const facts = this.#facts(options);
      let durable: Promise<void> | undefined;
      let claim: MacClaim | undefined;
      let connected: Nic | undefined;
      try {
        const { nic, request } = await this.#entry.machine.connectNic(this.#port, facts, {
          check: () => {
            mustExist(this.#entry, this.#port);
            claim = macs.claim(facts.mac, nicOwner(this.#entry, this.#port));
          },
          accepted: (made) => {
            connected = made;
            const keepRefused = dropRefusedNic(this.#entry, this.#port, made.index);
            durable = this.#commit(made.index, async () => {
              await this.#disconnectAgain(made.index);
              keepRefused();
            });
          },
        });
        if (isErrorStatus(request.status)) {
          throw refused(this.#world, request, `NIC ${this.#port.portId}/${nic.index}`);
        }
        // Its port's security property may have changed since.
        await refreshCurrentMac(this.#world, this.#entry.machine, this.#port);
        await durable;
        return nicInfo(nic);
      } finally {
        macs.settle(claim, connected);
        if (options.mac === undefined) macs.forget(facts.mac);
      }
    });
  }

  /** Checked; a dynamic address is kept until the NIC has it. */
  #facts(options: ConnectOptions): NicOptions {
    const mtu = checkMtu(options.mtu ?? DEFAULT_MTU);
    // Rule C3; which of them a port takes is the switch's to say (rules C2, C52).
    const index = whole('index', options.index ?? 0, 0, 32, 'C3');
    if (options.name !== undefined) checkName(options.name, 'NIC');
    const world = this.#world;
    const type = NIC_TYPE_OF_PORT[this.#port.type];
    const isVm = type === 'synthetic' || type === 'emulated';
    const mac = options.mac === undefined ? world.macs.dynamic() : unicastMac(options.mac);
    const names = isVm ? { name: world.rng.guid() } : hostNicFacts(world, type, mac);
    const friendlyName = options.name ?? (isVm ? 'Network Adapter' : `${type} NIC`);
    return {
      index,
      type,
      ...names,
      friendlyName,
      // Hardware without offloads: connectUplink makes it with some.
      ...(index > 0 ? { adapter: { name: friendlyName } } : {}),
      mac,
      currentMac: currentMacOf(world, this.#port.properties.values(), {
        mac,
        ...(isVm ? { vmMac: mac } : {}),
      }),
      mtu,
    };
  }

  async disconnect(index: number): Promise<void> {
    return this.#world.changes.run(this.#transaction, async () => {
      if (this.#isRefused(index)) {
        const keepRefused = dropRefusedNic(this.#entry, this.#port, index);
        await this.#commit(index, keepRefused);
        return;
      }
      const nic = this.#find(index);
      // Rule C54: the adapters below the external NIC go first.
      if (index === 0 && this.#port.nics.size > 1) {
        throw new ExtSwitchError(
          'ILLEGAL_TRANSITION',
          'adapters below the external NIC are deleted before it (rule C54)',
          { rule: 'C54' },
        );
      }
      let durable: Promise<void> | undefined;
      let facts = nicAgain(nic);
      let holders = vfHolders(this.#world, this.#entry, this.#port);
      let removal: OpenRemoval | undefined;
      try {
        await this.#entry.machine.disconnectNic(this.#port, nic, {
          check: () => {
            mustExist(this.#entry, this.#port);
            const record = portKey(this.#entry.id, this.#port.id);
            removal = this.#world.changes.removing([record], partOf(index));
            facts = nicAgain(nic);
            holders = vfHolders(this.#world, this.#entry, this.#port);
          },
          accepted: () => {
            const giveBack = vfLosers(this.#world, this.#entry, holders);
            const undo = async (): Promise<void> => {
              await this.#connectAgain(facts);
              await giveBack();
            };
            durable = this.#commit(index, undo, removal);
          },
        });
        await durable;
      } finally {
        await this.#world.changes.giveUp(removal);
      }
    });
  }

  async update(index: number, change: NicUpdate): Promise<NicInfo> {
    return this.#world.changes.run(this.#transaction, async () => {
      const world = this.#world;
      const nic = this.#find(index);
      const wanted = this.#change(nic, change);
      let durable: Promise<void> | undefined;
      let claim: MacClaim | undefined;
      let updated: Nic | undefined;
      let before: NicChange = {};
      try {
        await this.#entry.machine.updateNic(this.#port, nic, wanted, {
          check: () => {
            mustExist(this.#entry, this.#port);
            if (wanted.permanentMac !== undefined) {
              claim = world.macs.claim(wanted.permanentMac, nicOwner(this.#entry, this.#port));
            }
            before = changeable(nic);
          },
          accepted: (done) => {
            updated = done;
            durable = this.#commit(index, () => this.#updateBack(index, before));
          },
        });
      } finally {
        world.macs.settle(claim, updated);
      }
      // What else changed while this change waited for its turn.
      await refreshCurrentMac(world, this.#entry.machine, this.#port);
      await durable;
      return nicInfo(nic);
    });
  }

  /** What NIC_UPDATED shall say (rule C29), with what follows from it: CurrentMacAddress (rule C15). */
  #change(nic: Nic, change: NicUpdate): NicChange {
    const isVm = nic.vmMac !== undefined;
    for (const [member, rule] of [
      ['vmMac', 'C14'],
      ['numaNode', 'C13'],
    ] as const) {
      if (isVm || change[member] === undefined) continue;
      throw new ExtSwitchError(
        'INVALID_ARGUMENT',
        `NIC ${nic.portId}/${nic.index} is ${nic.type}: ${member} is for VM NICs only (rule ${rule})`,
        { rule, member },
      );
    }
    const permanentMac = change.mac === undefined ? undefined : unicastMac(change.mac);
    // A guest that set no address of its own follows the adapter's.
    const follows =
      nic.vmMac !== undefined && macHex(nic.vmMac) === macHex(nic.permanentMac)
        ? permanentMac
        : undefined;
    const vmMac = change.vmMac === undefined ? follows : unicastMac(change.vmMac, 'vmMac');
    const direct: NicChange = {
      ...(change.name === undefined ? {} : { friendlyName: checkName(change.name, 'NIC') }),
      ...(change.mtu === undefined ? {} : { mtu: checkMtu(change.mtu) }),
      ...(change.numaNode === undefined
        ? {}
        : { numaNodeId: whole('numaNode', change.numaNode, 0, 65_535) }),
      ...(permanentMac === undefined ? {} : { permanentMac }),
      ...(vmMac === undefined ? {} : { vmMac }),
    };
    if (permanentMac === undefined && vmMac === undefined) return direct;
    return { ...direct, currentMac: currentMacAfter(this.#world, this.#port, nic, direct) };
  }

  /** Stored, and refused when it was made again. */
  #isRefused(index: number): boolean {
    const { refusedNics = [] } = this.#entry.portFacts.get(this.#port.id) ?? {};
    return !this.#port.nics.has(index) && refusedNics.some((nic) => nic.index === index);
  }

  #find(index: number): Nic {
    mustExist(this.#entry, this.#port);
    const nic = this.#port.nics.get(index);
    if (nic !== undefined) return nic;
    throw new ExtSwitchError(
      'NOT_FOUND',
      `port ${this.#port.friendlyName} has no NIC with index ${index}`,
      { member: 'index', found: String(index) },
    );
  }

  #commit(index: number, undo: Undo, removal?: OpenRemoval): Promise<void> | undefined {
    const world = this.#world;
    const entry = this.#entry;
    const port = this.#port;
    const ops = portOps(entry, port);
    return world.changes.commit(this.#transaction, ops, undo, {
      asItIs: () => portOpsNow(world, entry, port),
      part: partOf(index),
      ...(removal === undefined ? {} : { removal }),
    });
  }

  // --- undoing: the port may have been made again meanwhile ----------------------------------------------------------

  #present(): { readonly entry: SwitchEntry; readonly machine: Switch; readonly port: Port } {
    const entry = presentSwitch(this.#world, this.#entry);
    return {
      entry,
      machine: entry.machine,
      port: presentPort(this.#world, this.#entry, this.#port),
    };
  }

  async #disconnectAgain(index: number): Promise<void> {
    const { machine, port } = this.#present();
    const nic = port.nics.get(index);
    if (nic !== undefined) await machine.disconnectNic(port, nic);
  }

  async #connectAgain(facts: NicOptions): Promise<void> {
    const { entry, machine, port } = this.#present();
    const currentMac = currentMacOf(this.#world, port.properties.values(), facts);
    const { nic, request } = await machine.connectNic(port, { ...facts, currentMac });
    if (!isErrorStatus(request.status)) this.#world.macs.register(nic, nicOwner(entry, port));
  }

  async #updateBack(index: number, before: NicChange): Promise<void> {
    const { entry, machine, port } = this.#present();
    const nic = port.nics.get(index);
    if (nic === undefined) return;
    await machine.updateNic(port, nic, before);
    this.#world.macs.register(nic, nicOwner(entry, port));
  }
}

/** A port's record holds its NICs. */
function partOf(index: number): string {
  return `nic ${index}`;
}

/** What an update may have changed; a NIC of the host has no node and no VM's address (rules C13, C14). */
function changeable(nic: Nic): NicChange {
  const { friendlyName, mtu, numaNodeId, permanentMac, vmMac, currentMac } = nic;
  return {
    friendlyName,
    mtu,
    permanentMac,
    currentMac,
    ...(vmMac === undefined ? {} : { vmMac, numaNodeId }),
  };
}
