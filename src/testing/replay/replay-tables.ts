import {
  NIC_PARAMETERS,
  PORT_PARAMETERS,
  readNicParameters,
  readPortParameters,
} from '../../../switch/parameters.ts';
import { Nic, Port, PropertyInstance } from '../../../switch/ports.ts';
import type { SwitchState } from '../../../switch/switch-state.ts';
import type { TraceEntry } from '../../policy/api.ts';
import type { PropertyFacts } from './replay-request.ts';

/*
 * The tables of a switch follow the recording, whatever the extension under test says now: they are what its questions are
 * answered from. Each OID changes them when the switch itself does: most in the moment of their completion, a teardown and a
 * disconnection before they are sent.
 */

/** Of a torn down port and a disconnected NIC: before the OID is sent. */
export function changeBefore(state: SwitchState, { oid, input }: TraceEntry): void {
  if (oid === 'OID_SWITCH_PORT_TEARDOWN') {
    const port = state.ports.get(PORT_PARAMETERS.view(input, 0).PortId);
    if (port !== undefined) port.state = 'tearingDown';
  } else if (oid === 'OID_SWITCH_NIC_DISCONNECT') {
    const found = nicOf(state, input);
    if (found !== undefined) found.state = 'disconnected';
  }
}

/** Of an OID that had succeeded: when it completes. */
export function changeAfter(
  state: SwitchState,
  { oid, input }: TraceEntry,
  property: PropertyFacts | undefined,
): void {
  if (property !== undefined) changeProperty(state, property, input);
  else CHANGES[oid]?.(state, input);
}

type Change = (state: SwitchState, bytes: Uint8Array) => void;

const CHANGES: Readonly<Record<string, Change>> = {
  OID_SWITCH_PORT_CREATE: createPort,
  OID_SWITCH_PORT_UPDATED: renamePort,
  OID_SWITCH_PORT_DELETE: (state, bytes) => {
    state.ports.delete(PORT_PARAMETERS.view(bytes, 0).PortId);
  },
  OID_SWITCH_NIC_CREATE: createNic,
  OID_SWITCH_NIC_CONNECT: connectNic,
  OID_SWITCH_NIC_UPDATED: updateNic,
  OID_SWITCH_NIC_DELETE: deleteNic,
};

function renamePort(state: SwitchState, bytes: Uint8Array): void {
  const { portId, friendlyName } = readPortParameters(bytes);
  const port = state.ports.get(portId);
  if (port !== undefined) port.friendlyName = friendlyName;
}

function deleteNic(state: SwitchState, bytes: Uint8Array): void {
  const { portId, index } = readNicParameters(bytes);
  const nic = nicOf(state, bytes);
  if (nic !== undefined) nic.state = 'deleted';
  state.ports.get(portId)?.nics.delete(index);
}

function createPort(state: SwitchState, bytes: Uint8Array): void {
  const facts = readPortParameters(bytes);
  const { Flags: flags } = PORT_PARAMETERS.view(bytes, 0);
  const port = new Port({ id: facts.name, ...facts, flags }, facts.portId);
  port.state = 'created';
  state.ports.set(port.portId, port);
}

function createNic(state: SwitchState, bytes: Uint8Array): void {
  const { portId, index } = readNicParameters(bytes);
  const port = state.ports.get(portId);
  if (port === undefined) return;
  const nic = newNic(bytes);
  nic.state = 'created';
  port.nics.set(index, nic);
}

function newNic(bytes: Uint8Array): Nic {
  const facts = readNicParameters(bytes);
  const view = NIC_PARAMETERS.view(bytes, 0);
  const mac = (member: Uint8Array): Uint8Array => member.slice(0, 6);
  const nic = new Nic(
    {
      ...facts,
      mac: mac(view.PermanentMacAddress),
      vmMac: mac(view.VMMacAddress),
      currentMac: mac(view.CurrentMacAddress),
      netCfgInstanceId: view.NetCfgInstanceId,
      numaNodeId: view.NumaNodeId,
    },
    facts.portId,
  );
  nic.vfAssigned = facts.vfAssigned;
  return nic;
}

/** An internal NIC has its adapter only now (rule C12). */
function connectNic(state: SwitchState, bytes: Uint8Array): void {
  const nic = nicOf(state, bytes);
  if (nic === undefined) return;
  nic.netCfgInstanceId = NIC_PARAMETERS.view(bytes, 0).NetCfgInstanceId;
  nic.state = 'connected';
}

function updateNic(state: SwitchState, bytes: Uint8Array): void {
  const nic = nicOf(state, bytes);
  if (nic === undefined) return;
  const after = newNic(bytes);
  nic.friendlyName = after.friendlyName;
  nic.permanentMac = after.permanentMac;
  nic.vmMac = after.vmMac;
  nic.currentMac = after.currentMac;
  nic.netCfgInstanceId = after.netCfgInstanceId;
  nic.numaNodeId = after.numaNodeId;
  nic.mtu = after.mtu;
  nic.vfAssigned = after.vfAssigned;
}

function nicOf(state: SwitchState, bytes: Uint8Array): Nic | undefined {
  const { portId, index } = readNicParameters(bytes);
  return state.ports.get(portId)?.nics.get(index);
}

function changeProperty(state: SwitchState, facts: PropertyFacts, bytes: Uint8Array): void {
  const owner = facts.portId === undefined ? state : state.ports.get(facts.portId);
  if (owner === undefined) return;
  if (facts.verb === 'DELETE') {
    owner.properties.delete(facts.instanceId);
    return;
  }
  const settings = facts.codec.decode(bytes, facts.dataOffset, facts.dataLength);
  const known = owner.properties.get(facts.instanceId);
  if (known === undefined) {
    owner.properties.set(
      facts.instanceId,
      new PropertyInstance(facts.instanceId, facts.codec, settings),
    );
  } else {
    known.settings = settings;
    known.revision += 1;
  }
}
