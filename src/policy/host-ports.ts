import type { NicOptions, Port } from '../../switch/ports.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { PortType } from '../sdk/extension.ts';
import type { StoreOp } from '../store/store.ts';
import type { PhysicalAdapterOptions, UplinkOptions } from './api.ts';
import type { Undo } from './change-log.ts';
import { checkName } from './lookup.ts';
import { type MacClaim, macHex, nicOwner, unicastMac } from './mac-pool.ts';
import { DEFAULT_MTU } from './nic-collection.ts';
import { hostNicFacts, pnpInstanceId, teamInstanceId } from './nic-names.ts';
import { claimName, portOps } from './port-record.ts';
import type { UplinkTeam } from './records.ts';
import { portOptions } from './recreate.ts';
import { uplinkPort } from './uplink-port.ts';
import { refused } from './veto.ts';
import {
  addPort,
  mustBeThere,
  presentPort,
  presentSwitch,
  removePort,
  type SwitchEntry,
  type World,
} from './world.ts';

/** Keeps a change, or remembers it for a write to come. */
export type Keep = (ops: readonly StoreOp[], undo: Undo) => Promise<void> | undefined;

/** Rule C3: adapters below the external NIC have indexes 1 to 32. */
const MAX_ADAPTERS = 32;
/** IF_COUNTED_STRING, UTF-16 units. */
const MAX_NAME = 256;

function wrong(member: string, expected: string, found: string, rule?: string): never {
  throw new ExtSwitchError('INVALID_ARGUMENT', `${member}: expected ${expected}, found ${found}`, {
    member,
    expected,
    found,
    ...(rule === undefined ? {} : { rule }),
  });
}

/** `<switch><suffix>`, cut to what a name may have. */
function derivedName({ name }: SwitchEntry, suffix: string): string {
  const room = MAX_NAME - suffix.length;
  const cut = name.length > room ? name.slice(0, room) : name;
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}${suffix}`;
}

/** Checks what is below an external NIC (rules C3-C5); throws `INVALID_ARGUMENT`. */
export function checkUplink({ team = 'none', adapters }: UplinkOptions): UplinkTeam {
  if (team !== 'none' && team !== 'lbfo' && team !== 'switch') {
    wrong('uplink.team', 'none, lbfo or switch', JSON.stringify(team));
  }
  const [low, high] = team === 'switch' ? [2, MAX_ADAPTERS] : [1, 1];
  if (adapters.length < low || adapters.length > high) {
    const expected =
      team === 'switch'
        ? `2 to ${MAX_ADAPTERS} adapters in a switch team (rule C3)`
        : `one adapter (rule C4)${team === 'lbfo' ? ': an LBFO team looks like one (rule C5)' : ''}`;
    wrong('uplink.adapters', expected, String(adapters.length), team === 'switch' ? 'C3' : 'C4');
  }
  for (const { name, virtualFunctions = 0, queues = 0 } of adapters) {
    checkName(name, 'adapter');
    for (const [member, value] of Object.entries({ virtualFunctions, queues })) {
      if (Number.isInteger(value) && value >= 0 && value <= 0xffff) continue;
      wrong(`uplink.adapters.${member}`, '0 to 65535', String(value));
    }
    if (adapters.filter((other) => other.name === name).length > 1) {
      wrong('uplink.adapters.name', 'adapters with names of their own', `${name} twice`);
    }
  }
  return team;
}

/** Rules C8, OP-36: one external NIC a switch, and as many internal ones as the world allows. */
export function mustTakeNic(world: World, entry: SwitchEntry, type: PortType): void {
  if (type === 'external' && uplinkPort(entry) !== undefined) {
    const message = `switch ${entry.name} has its external NIC already (rule C8)`;
    throw new ExtSwitchError('ILLEGAL_TRANSITION', message, { rule: 'C8' });
  }
  if (type !== 'internal') return;
  const limit = world.environment.behaviour.internalNics;
  let there = 0;
  for (const port of entry.ports.values()) {
    if (port.type === 'internal' && port.nics.size > 0) there += 1;
  }
  if (there < limit) return;
  const message = `switch ${entry.name} has its ${limit} internal NIC(s) already (OP-36)`;
  throw new ExtSwitchError('ILLEGAL_TRANSITION', message, { rule: 'OP-36' });
}

/**
 * S8 steps 1-6: the external port, NIC index 0 and every adapter created, then connected (rule C52). A refusal leaves
 * nothing.
 */
export async function openUplink(
  world: World,
  entry: SwitchEntry,
  options: UplinkOptions,
  keep: Keep,
): Promise<Port> {
  const team = checkUplink(options);
  const adapters = options.adapters.map((adapter) => adapterNic(world, adapter, team));
  adapters.forEach(({ mac }, i) => {
    if (adapters.findIndex((other) => macHex(other.mac) === macHex(mac)) === i) return;
    wrong('uplink.adapters.mac', 'adapters with addresses of their own', macHex(mac));
  });
  const [first] = adapters;
  if (first === undefined) throw new Error('checkUplink lets no empty list through');
  const isTeam = team === 'switch';
  const nics: NicOptions[] = [
    {
      ...first,
      index: 0,
      friendlyName: isTeam ? entry.name : first.friendlyName,
      // The external NIC is the adapter or team itself; a switch team has no adapter that could be it.
      netCfgInstanceId: isTeam ? world.rng.guid() : first.netCfgInstanceId,
    },
    ...adapters.map((nic, i) => ({ ...nic, index: i + 1, adapter: adapterFacts(options, i) })),
  ];
  return openHostPort(world, entry, {
    type: 'external',
    name: derivedName(entry, '_External'),
    nics,
    team,
    check: () => mustTakeNic(world, entry, 'external'),
    keep,
  });
}

type HostNic = NicOptions & { readonly netCfgInstanceId: string };

function adapterNic(world: World, options: PhysicalAdapterOptions, team: UplinkTeam): HostNic {
  const mac =
    options.mac === undefined
      ? world.macs.physical()
      : unicastMac(options.mac, 'uplink.adapters.mac');
  const netCfgInstanceId = world.rng.guid();
  return {
    index: 1,
    type: 'external',
    name: team === 'lbfo' ? teamInstanceId(netCfgInstanceId) : pnpInstanceId(mac),
    friendlyName: options.name,
    netCfgInstanceId,
    mac,
    mtu: DEFAULT_MTU,
  };
}

function adapterFacts({ adapters }: UplinkOptions, at: number): NicOptions['adapter'] & object {
  const { name = '', virtualFunctions = 0, queues = 0 } = adapters[at] ?? {};
  return { name, virtualFunctions, queues };
}

/**
 * S1 step 10: a NIC of the management OS on its own internal port. Its address comes from the dynamic pool: Windows gives
 * the first one the address of the physical adapter, which would be one address twice here.
 */
export async function openInternalNic(
  world: World,
  entry: SwitchEntry,
  options: { readonly name?: string; readonly mac?: string },
  keep: Keep,
): Promise<Port> {
  if (options.name !== undefined) checkName(options.name, 'NIC');
  const mac = options.mac === undefined ? world.macs.dynamic() : unicastMac(options.mac);
  try {
    return await openHostPort(world, entry, {
      type: 'internal',
      name: options.name ?? freeName(entry, derivedName(entry, '_Internal')),
      nics: [
        {
          index: 0,
          type: 'internal',
          ...hostNicFacts(world, 'internal', mac),
          friendlyName: options.name ?? entry.name,
          mac,
          mtu: DEFAULT_MTU,
        },
      ],
      check: () => mustTakeNic(world, entry, 'internal'),
      keep,
    });
  } finally {
    if (options.mac === undefined) world.macs.forget(mac);
  }
}

function freeName(entry: SwitchEntry, wanted: string): string {
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? wanted : `${wanted.slice(0, MAX_NAME - 8)}_${n}`;
    if (!entry.portsByName.has(name) && !entry.claimedNames.has(name)) return name;
  }
}

interface HostPort {
  readonly type: PortType;
  readonly name: string;
  readonly nics: readonly NicOptions[];
  readonly team?: UplinkTeam;
  readonly check: () => void;
  readonly keep: Keep;
}

/** Port and NICs, or nothing of it; stored when `keep` says so. */
async function openHostPort(world: World, entry: SwitchEntry, wanted: HostPort): Promise<Port> {
  const { name, nics, team } = wanted;
  const facts = portOptions(world.rng.guid(), name, wanted.type);
  const owner = nicOwner(entry, facts);
  const claims: MacClaim[] = [];
  let giveBack: (() => void) | undefined;
  let opened: Port | undefined;
  let durable: Promise<void> | undefined;
  try {
    const outcome = await entry.machine.openConnection(
      { port: facts, properties: [], nics },
      {
        check: () => {
          mustBeThere(entry);
          wanted.check();
          giveBack = claimName(entry, name);
          for (const { mac } of nics) claims.push(world.macs.claim(mac, owner));
        },
        accepted: (port) => {
          opened = port;
          port.order = world.nextOrder();
          addPort(entry, port);
          if (team !== undefined) entry.portFacts.set(port.id, { team });
          durable = wanted.keep(portOps(entry, port), async () => {
            const at = presentSwitch(world, entry);
            const made = presentPort(world, entry, port);
            await at.machine.deletePort(made);
            removePort(at, made);
          });
        },
      },
    );
    if (outcome.port === undefined) throw refused(world, outcome.refused, `port ${name}`);
    await durable;
    return outcome.port;
  } finally {
    giveBack?.();
    for (const [i, claim] of claims.entries()) {
      world.macs.settle(claim, opened?.nics.get(nics[i]?.index ?? -1));
    }
  }
}
