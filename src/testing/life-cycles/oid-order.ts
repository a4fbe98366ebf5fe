import {
  NIC_STATES,
  type NicEvent,
  type NicLifeState,
  PORT_STATES,
  type PortEvent,
  type PortLifeState,
  refusalRule,
  tryNextState,
} from '../../../switch/states.ts';
import { structure } from '../../abi/index.ts';
import { isExtSwitchError } from '../../core/errors.ts';
import type { TraceEntry } from '../../policy/api.ts';
import type { LifeCycleFailure } from './life-cycle.ts';

const PORT = structure('NDIS_SWITCH_PORT_PARAMETERS');
const NIC = structure('NDIS_SWITCH_NIC_PARAMETERS');
const PROPERTY = structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS');
const DELETED_PROPERTY = structure('NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS');

const PORT_EVENTS: Readonly<Record<string, PortEvent>> = {
  OID_SWITCH_PORT_CREATE: 'create',
  OID_SWITCH_PORT_UPDATED: 'update',
  OID_SWITCH_PORT_TEARDOWN: 'teardown',
  OID_SWITCH_PORT_DELETE: 'delete',
};
const NIC_EVENTS: Readonly<Record<string, NicEvent>> = {
  OID_SWITCH_NIC_CREATE: 'create',
  OID_SWITCH_NIC_CONNECT: 'connect',
  OID_SWITCH_NIC_UPDATED: 'update',
  OID_SWITCH_NIC_DISCONNECT: 'disconnect',
  OID_SWITCH_NIC_DELETE: 'delete',
};
const PROPERTY_OIDS = new Set([
  'OID_SWITCH_PORT_PROPERTY_ADD',
  'OID_SWITCH_PORT_PROPERTY_UPDATE',
  'OID_SWITCH_PORT_PROPERTY_DELETE',
]);
const CREATIONS = new Set(['OID_SWITCH_PORT_CREATE', 'OID_SWITCH_NIC_CREATE']);

interface PortLife {
  state: PortLifeState;
  readonly nics: Map<number, NicLifeState>;
}

/** Follows the OIDs of one switch, oldest first, along the state tables of the rule book (B.5, C.5). */
export class OidOrder {
  readonly #ports = new Map<number, PortLife>();

  /** Gives what is wrong with the next one, when it is on no path of them. */
  next(entry: TraceEntry): LifeCycleFailure | undefined {
    // Rules B17, C23: what failed to come into being needs no end. All else happened whatever its status (OP-28).
    if (CREATIONS.has(entry.oid) && entry.status !== 'NDIS_STATUS_SUCCESS') return undefined;
    try {
      return follow(this.#ports, entry);
    } catch (error) {
      if (!isExtSwitchError(error) || error.code !== 'ABI_INVALID') throw error;
      // Rule D12: what is sent by hand may be anything. It moves nothing; a switch sends no such thing.
      return {
        message: `switch ${entry.switch}: ${entry.oid} came as ${error.message}`,
        rule: 'D12',
      };
    }
  }
}

/** Every failure of a whole history: {@link OidOrder}. */
export function checkOidOrder(entries: Iterable<TraceEntry>): LifeCycleFailure[] {
  const order = new OidOrder();
  const failures: LifeCycleFailure[] = [];
  for (const entry of entries) {
    const wrong = order.next(entry);
    if (wrong !== undefined) failures.push(wrong);
  }
  return failures;
}

function lifeOf(ports: Map<number, PortLife>, portId: number): PortLife {
  let life = ports.get(portId);
  if (life === undefined) {
    life = { state: 'notCreated', nics: new Map() };
    ports.set(portId, life);
  }
  return life;
}

function follow(ports: Map<number, PortLife>, entry: TraceEntry): LifeCycleFailure | undefined {
  const { oid, input } = entry;
  const portEvent = PORT_EVENTS[oid];
  if (portEvent !== undefined) {
    const { PortId } = PORT.view(input, 0);
    const life = lifeOf(ports, PortId);
    const wrong = movePort(life, portEvent, entry, PortId);
    if (wrong !== undefined || portEvent !== 'teardown') return wrong;
    return [...life.nics.keys()]
      .map((index) => moveNic(life, index, 'portTeardown', entry, PortId))
      .find((problem) => problem !== undefined);
  }
  const nicEvent = NIC_EVENTS[oid];
  if (nicEvent !== undefined) {
    const { PortId, NicIndex } = NIC.view(input, 0);
    const life = lifeOf(ports, PortId);
    const wrong = nicEvent === 'create' ? movePort(life, 'nicCreate', entry, PortId) : undefined;
    return wrong ?? moveNic(life, NicIndex, nicEvent, entry, PortId);
  }
  if (!PROPERTY_OIDS.has(oid)) return undefined;
  const { PortId } = (oid.endsWith('_DELETE') ? DELETED_PROPERTY : PROPERTY).view(input, 0);
  return movePort(lifeOf(ports, PortId), 'property', entry, PortId);
}

function movePort(
  life: PortLife,
  event: PortEvent,
  entry: TraceEntry,
  portId: number,
): LifeCycleFailure | undefined {
  const to = tryNextState(PORT_STATES, life.state, event);
  if (to === undefined) {
    const rule = refusalRule(PORT_STATES, life.state, event);
    return misplaced(entry, `port ${portId} was ${life.state}`, rule);
  }
  life.state = to;
  if (to === 'notCreated') life.nics.clear();
  return undefined;
}

function moveNic(
  life: PortLife,
  index: number,
  event: NicEvent,
  entry: TraceEntry,
  portId: number,
): LifeCycleFailure | undefined {
  const from = life.nics.get(index) ?? 'notCreated';
  const to = tryNextState(NIC_STATES, from, event);
  if (to === undefined) {
    const rule = refusalRule(NIC_STATES, from, event);
    return misplaced(entry, `NIC ${portId}/${index} was ${from}`, rule);
  }
  life.nics.set(index, to);
  return undefined;
}

function misplaced(entry: TraceEntry, where: string, rule: string): LifeCycleFailure {
  return { message: `switch ${entry.switch}: ${entry.oid} came while ${where}`, rule };
}
