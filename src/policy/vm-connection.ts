import type { ConnectionOutcome } from '../../switch/connection-operations.ts';
import type { Nic, NicOptions, Port, PortOptions, PropertyInstance } from '../../switch/ports.ts';
import { type Steps, settled } from '../../switch/steps.ts';
import { ndisHas } from '../abi/index.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { isErrorStatus, statusName } from '../core/status.ts';
import { currentMacOf } from './current-mac.ts';
import type { MacClaim } from './mac-pool.ts';
import { reissue } from './recreate.ts';
import { mustOffer } from './required-features.ts';
import { refused } from './veto.ts';
import { vfRefusal } from './vf-refusal.ts';
import type { AdapterEntry, Connection, Stand } from './vm-entry.ts';
import {
  addPort,
  mustBeThere,
  presentSwitch,
  removePort,
  type SwitchEntry,
  type World,
} from './world.ts';

/*
 * Where a VM's network adapter and a switch meet: the operational port with its policies and its NIC (S2, S3), and the
 * validation port in its place while the VM is off (rules B43-B47, OP-19).
 */

/** NDIS_SWITCH_PORT_FLAGS_RESTORING_PORT (rule B9). */
const RESTORING_PORT = 2;

/** The switch an adapter is configured for; `undefined`: none. Throws when it is gone. */
export function targetSwitch(world: World, adapter: AdapterEntry): SwitchEntry | undefined {
  const { target } = adapter;
  if (target === undefined) return undefined;
  const entry = world.switches.get(target.id);
  if (entry !== undefined) return entry;
  throw new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    `${adapter.description} is to connect to switch ${JSON.stringify(target.name)}, which no longer exists: ` +
      'connect it to another one or disconnect it',
    { member: 'switch', found: target.id },
  );
}

export function portOf(
  adapter: AdapterEntry,
  facts: Pick<PortOptions, 'flags' | 'portId' | 'isValidationPort'>,
): PortOptions {
  const { portName, vm, type, owner } = adapter;
  const { portId, flags = 0, isValidationPort = false } = facts;
  // Rule B2: the name is for management and unique; the friendly one says whose port it is.
  const friendlyName = `${vm.name.slice(0, 240).toWellFormed()} ${portName.slice(0, 8)}`;
  const id = portName;
  return portId === undefined
    ? { id, name: id, friendlyName, type, owner, flags, isValidationPort }
    : { id, name: id, friendlyName, type, owner, flags, isValidationPort, portId };
}

/** Rules C10, C11, C13, C15. */
function nicOf(world: World, adapter: AdapterEntry): NicOptions {
  const { vm, id, settings, type, isKnown } = adapter;
  const { mac, vmMac } = settings;
  const nic = {
    index: 0,
    type,
    name: `${vm.id}--${id}`,
    friendlyName: settings.name,
    vmName: vm.id,
    vmFriendlyName: vm.name,
    mac,
    mtu: settings.mtu,
    numaNodeId: settings.numaNode,
    isKnown,
  };
  if (vmMac === undefined) return nic;
  const addresses = { mac, vmMac, vmName: vm.id, type };
  const currentMac = currentMacOf(world, adapter.properties.values(), addresses);
  return { ...nic, vmMac, currentMac };
}

/** What a refused connection becomes for management. */
export function vetoed(
  world: World,
  adapter: AdapterEntry,
  outcome: Extract<ConnectionOutcome, { readonly step: string }>,
  port = 'port',
): ExtSwitchError {
  const { step, property } = outcome;
  const what =
    step === 'port'
      ? `the ${port}`
      : step === 'nic'
        ? 'the NIC'
        : `property ${property?.codec.name}`;
  return refused(world, outcome.refused, `${what} of ${adapter.description}`);
}

/** S2 steps 2-6: nothing of it is left when it is refused. The guest binds at once (rule C26). */
export function* openConnection(
  world: World,
  adapter: AdapterEntry,
  entry: SwitchEntry,
  facts: { readonly isRestoring?: boolean; readonly portId?: number } = {},
): Steps<void> {
  let claim: MacClaim | undefined;
  mustOffer(world, adapter, entry);
  adapter.opening = entry;
  try {
    const flags = facts.isRestoring === true && ndisHas(world.ndis, '6.60') ? RESTORING_PORT : 0;
    const { portId } = facts;
    const outcome = yield* settled(
      entry.machine.openConnection(
        {
          port: portOf(adapter, portId === undefined ? { flags } : { flags, portId }),
          properties: [...adapter.properties.values()],
          nics: [nicOf(world, adapter)],
        },
        {
          check: () => {
            mustBeThere(entry);
            claim = world.macs.claim(adapter.settings.mac, adapter);
          },
          accepted: (port) => connected(adapter, entry, port),
        },
      ),
    );
    if (outcome.refused !== undefined) throw vetoed(world, adapter, outcome);
  } finally {
    adapter.opening = undefined;
    world.macs.settle(claim, adapter.connection?.port.nics.get(0));
  }
}

function connected(adapter: AdapterEntry, entry: SwitchEntry, port: Port): void {
  port.order = adapter.order;
  addPort(entry, port);
  adapter.connection = { entry, port };
  created(adapter, port);
  for (const property of adapter.properties.values()) property.refused = undefined;
}

/** What the first NIC_CREATE changes for good (rules C17, C19). */
export interface Origin {
  readonly isKnown: boolean;
  readonly mtu: number;
}

export function originOf({ isKnown, settings: { mtu } }: AdapterEntry): Origin {
  return { isKnown, mtu };
}

/** A NIC whose creation was undone was never created: the next NIC_CREATE is its first (rule C17). */
export function uncreate(adapter: AdapterEntry, { isKnown, mtu }: Origin): void {
  adapter.isKnown = isKnown;
  adapter.settings.mtu = mtu;
}

/** Rules C17, C19: this was its first NIC_CREATE, and the MTU an extension lowered there stays. */
function created(adapter: AdapterEntry, port: Port): void {
  const nic = port.nics.get(0);
  if (nic === undefined) return;
  adapter.isKnown = true;
  adapter.settings.mtu = nic.mtu;
}

/** S3 steps 1-7. */
export function* closeConnection(adapter: AdapterEntry): Steps<void> {
  const { connection } = adapter;
  if (connection === undefined) return;
  const { entry, port } = connection;
  yield* settled(entry.machine.deletePort(port));
  removePort(entry, port);
  adapter.connection = undefined;
}

/** A NIC on the port that is there: after its own was taken away or refused (S4, rules B15, C33). */
export function* openNic(world: World, adapter: AdapterEntry): Steps<void> {
  const { connection } = adapter;
  if (connection === undefined) return;
  const { entry, port } = connection;
  let claim: MacClaim | undefined;
  try {
    const outcome = yield* settled(
      entry.machine.openNics(port, [nicOf(world, adapter)], {
        check: () => {
          claim = world.macs.claim(adapter.settings.mac, adapter);
        },
      }),
    );
    if (outcome.refused !== undefined) {
      throw refused(world, outcome.refused, `the NIC of ${adapter.description}`);
    }
    created(adapter, port);
  } finally {
    world.macs.settle(claim, port.nics.get(0));
  }
}

/** What a connection was, beside what is configured: to be made again as it was. */
export interface Footing {
  readonly portId: number | undefined;
  readonly vfAssigned: boolean;
}

/** `undefined` while there is no port. */
export function footingOf({ connection }: AdapterEntry): Footing | undefined {
  if (connection === undefined) return undefined;
  const { portId, nics } = connection.port;
  return { portId, vfAssigned: nics.get(0)?.vfAssigned ?? false };
}

/**
 * A connection that was there and must be again, after a restart or an undo: what an extension refuses now is reported and
 * stays in the configuration (nothing acknowledged is lost, design.md 5).
 */
export function* reopenConnection(
  world: World,
  adapter: AdapterEntry,
  footing: Footing = { portId: undefined, vfAssigned: false },
): Steps<void> {
  const entry = adapter.target === undefined ? undefined : world.switches.get(adapter.target.id);
  if (entry === undefined || adapter.connection !== undefined) return;
  yield* world.again(portAgain(world, adapter, entry, footing));
}

function* portAgain(
  world: World,
  adapter: AdapterEntry,
  entry: SwitchEntry,
  footing: Footing,
): Steps<void> {
  const { machine } = entry;
  const facts = freePortId(entry, footing.portId);
  const { port, request } = yield* settled(machine.createPort(portOf(adapter, facts)));
  if (isErrorStatus(request.status)) {
    report(world, adapter, entry, 'B16', `the port was refused with ${statusName(request.status)}`);
    return;
  }
  port.order = adapter.order;
  addPort(entry, port);
  adapter.connection = { entry, port };
  for (const property of adapter.properties.values()) {
    property.refused = undefined;
    const told = reissue(world, entry, port, property);
    if (told !== undefined) yield told;
  }
  yield* reopenNic(world, adapter, footing);
}

/** The NIC alone, on the port that is there; a refusal is reported. */
export function* reopenNic(
  world: World,
  adapter: AdapterEntry,
  footing: Footing | undefined,
): Steps<void> {
  const { connection } = adapter;
  if (connection === undefined) return;
  try {
    yield* world.again(openNic(world, adapter));
    if (footing?.vfAssigned === true) yield* world.again(assignVf(world, adapter));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    report(world, adapter, connection.entry, 'C23', problem);
  }
}

/** The virtual function an adapter had, once its uplink is there again; a refusal is reported. */
export function* reassignVf(world: World, adapter: AdapterEntry): Steps<void> {
  try {
    yield* assignVf(world, adapter);
  } catch (error) {
    world.environment.finding(adapter.target?.name ?? '', {
      rule: 'D25',
      severity: 'warning',
      message: `${adapter.description} stays on the synthetic path: ${String(error)}`,
    });
  }
}

/** The port id a port had, unless another port has it now. */
function freePortId(entry: SwitchEntry, portId: number | undefined): { readonly portId?: number } {
  return portId === undefined || entry.machine.state.ports.has(portId) ? {} : { portId };
}

/** A virtual function for the NIC (S2 step 7). */
export function* assignVf(world: World, adapter: AdapterEntry): Steps<void> {
  const { entry, port, nic } = connectedNic(adapter);
  const { refused: request } = yield* settled(entry.machine.assignVf(port, nic));
  if (request === undefined) return;
  const what = `the virtual function of ${adapter.description}`;
  throw refused(world, request, what, vfRefusal(entry, request));
}

/** The NIC goes back to the synthetic path (S17 step 3). */
export function* removeVf(adapter: AdapterEntry): Steps<void> {
  const { entry, port, nic } = connectedNic(adapter);
  yield* settled(entry.machine.removeVf(port, nic));
}

/** Throws when there is none: a virtual function is for a NIC that is connected (rule C28). */
function connectedNic(adapter: AdapterEntry): Connection & { readonly nic: Nic } {
  const { connection } = adapter;
  const nic = connection?.port.nics.get(0);
  if (connection !== undefined && nic?.state === 'connected') return { ...connection, nic };
  throw new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    `${adapter.description} is not connected now (rule C28)`,
    { rule: 'C28' },
  );
}

function report(
  world: World,
  adapter: AdapterEntry,
  entry: SwitchEntry,
  rule: string,
  problem: string,
): void {
  world.environment.finding(entry.name, {
    rule,
    severity: 'error',
    message: `${adapter.description} was to be connected again: ${problem}; it stays configured`,
  });
}

/**
 * Whether the extensions would take the adapter with these policies: `short` asks and takes the validation port away
 * again, `standing` leaves it until the VM starts (OP-19). A veto refuses (rule B47).
 */
export function* validate(
  world: World,
  adapter: AdapterEntry,
  properties: Iterable<PropertyInstance> = adapter.properties.values(),
  wantedPortId?: number,
): Steps<void> {
  const entry = adapter.target === undefined ? undefined : world.switches.get(adapter.target.id);
  if (entry === undefined || adapter.standing !== undefined) return;
  const facts = freePortId(entry, wantedPortId);
  const options = {
    port: portOf(adapter, { ...facts, isValidationPort: true }),
    properties: [...properties],
  };
  const check = (): void => mustBeThere(entry);
  adapter.opening = entry;
  try {
    const outcome = yield* settled(
      world.validationPorts === 'short'
        ? entry.machine.validateConnection(options, { check })
        : entry.machine.openConnection(
            { ...options, nics: [] },
            { check, accepted: (port) => stands(adapter, entry, port) },
          ),
    );
    if (outcome.refused !== undefined) throw vetoed(world, adapter, outcome, 'validation port');
  } finally {
    adapter.opening = undefined;
  }
}

function stands(adapter: AdapterEntry, entry: SwitchEntry, port: Port): void {
  port.order = adapter.order;
  addPort(entry, port);
  adapter.standing = { entry, port };
  adapter.stoodOn = undefined;
}

/**
 * A pass whose veto can refuse nothing any more, since the VM has stopped: it is reported (S3 step 8). On a switch that is down
 * nobody is asked; who comes up finds the port that stands.
 */
export function* validateAfterwards(
  world: World,
  adapter: AdapterEntry,
  portId?: number,
): Steps<void> {
  try {
    yield* world.again(validate(world, adapter, undefined, portId));
  } catch (error) {
    world.environment.finding(adapter.target?.name ?? '', {
      rule: 'B47',
      severity: 'warning',
      message: `${error instanceof Error ? error.message : String(error)}; ${adapter.description} stays as it is`,
    });
  }
}

/** Where it stands, or would if its switch had not been deleted, to put it back there; `undefined`: nowhere. */
export function standOf({ standing, stoodOn }: AdapterEntry): Stand | undefined {
  return standing === undefined
    ? stoodOn
    : { switchId: standing.entry.id, portId: standing.port.portId };
}

/** S2 step 1: PORT_TEARDOWN, PORT_DELETE of a validation port that stands. */
export function* endStanding(world: World, adapter: AdapterEntry): Steps<void> {
  const { standing } = adapter;
  adapter.standing = undefined;
  adapter.stoodOn = undefined;
  yield* takeDown(world, standing);
}

/** The same for all that stand on a switch which is going to be deleted; what they want is remembered. */
export function* endStandingOn(world: World, entry: SwitchEntry): Steps<void> {
  for (const adapter of world.adapters.values()) {
    const { standing } = adapter;
    if (standing?.entry !== entry) continue;
    adapter.stoodOn = standOf(adapter);
    adapter.standing = undefined;
    yield* takeDown(world, standing);
  }
}

function* takeDown(world: World, standing: Connection | undefined): Steps<void> {
  if (standing === undefined) return;
  const entry = presentSwitch(world, standing.entry);
  yield* settled(entry.machine.deletePort(standing.port));
  removePort(entry, standing.port);
}

/**
 * Back to what {@link standOf} found: the validation port with the id it had, or none (OP-19). While its switch is away, since
 * several changes are undone and that of the switch is not yet, it comes with the switch.
 */
export function* standAgain(
  world: World,
  adapter: AdapterEntry,
  was: Stand | undefined,
): Steps<void> {
  if (was === undefined || was.switchId !== adapter.target?.id) return;
  adapter.stoodOn = was;
  if (!world.switches.has(was.switchId)) return;
  adapter.stoodOn = undefined;
  yield* validateAfterwards(world, adapter, was.portId);
}

/** The deletion of a switch is undone: what stood on it, and what was to stand there since. */
export function* standAllAgain(world: World, { id }: SwitchEntry): Steps<void> {
  for (const adapter of [...world.adapters.values()]) {
    if (adapter.stoodOn?.switchId === id) yield* standAgain(world, adapter, adapter.stoodOn);
  }
}
