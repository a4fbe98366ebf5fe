import assert from 'node:assert/strict';
import type { TraceEntry } from '../../switch/trace.ts';

/*
 * Rule book B.5 and C.5 once more, as the OIDs of a trace: which may follow in each state, and the state after success.
 * Written down here by hand, so that the switch is not measured by its own tables.
 */

const PORT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  none: { PORT_CREATE: 'created' },
  created: {
    PORT_UPDATED: 'created',
    PORT_PROPERTY_ADD: 'created',
    PORT_PROPERTY_UPDATE: 'created',
    PORT_PROPERTY_DELETE: 'created',
    PORT_FEATURE_STATUS_QUERY: 'created',
    NIC_CREATE: 'created',
    NIC_CONNECT: 'created',
    NIC_UPDATED: 'created',
    NIC_SAVE: 'created',
    NIC_SAVE_COMPLETE: 'created',
    NIC_RESTORE: 'created',
    NIC_RESTORE_COMPLETE: 'created',
    NIC_DISCONNECT: 'created',
    NIC_DELETE: 'created',
    PORT_TEARDOWN: 'tearingDown',
  },
  tearingDown: { PORT_DELETE: 'none' },
};

const NIC: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  none: { NIC_CREATE: 'created' },
  created: { NIC_CONNECT: 'connected', NIC_DELETE: 'none' },
  connected: {
    NIC_UPDATED: 'connected',
    NIC_SAVE: 'saving',
    NIC_SAVE_COMPLETE: 'connected',
    NIC_RESTORE: 'restoring',
    NIC_RESTORE_COMPLETE: 'connected',
    NIC_DISCONNECT: 'disconnected',
  },
  saving: { NIC_SAVE: 'saving', NIC_SAVE_COMPLETE: 'connected' },
  restoring: { NIC_RESTORE: 'restoring', NIC_RESTORE_COMPLETE: 'connected' },
  disconnected: { NIC_DELETE: 'none' },
};

/** Rules A48-A52. */
const MODULE: readonly string[] = [
  'detached>attaching',
  'attaching>paused',
  'attaching>detached',
  'paused>restarting',
  'restarting>running',
  'restarting>paused',
  'running>pausing',
  'pausing>paused',
  'paused>detached',
];

/** Where the bytes of an OID name its port: NDIS_SWITCH_NIC_PARAMETERS at 1040, everything else at 8. */
function placeOf(name: string, bytes: Uint8Array): { portId: number; index: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (/^NIC_(CREATE|CONNECT|UPDATED|DISCONNECT|DELETE)$/.test(name)) {
    return { portId: view.getUint32(1040, true), index: view.getUint16(1044, true) };
  }
  const index = name.startsWith('NIC_') ? view.getUint16(12, true) : 0;
  return { portId: view.getUint32(8, true), index };
}

/** Rules B13-B22, C22-C35, E20, G9, G28: the OIDs of each port and NIC are a path of the state tables. */
export function checkObjectPaths(entries: readonly TraceEntry[]): number {
  const ports = new Map<number, string>();
  const nics = new Map<string, string>();
  let steps = 0;
  for (const entry of entries) {
    const name = entry.oid.slice('OID_SWITCH_'.length);
    if (entry.origin !== 'protocolEdge' || !/^(PORT|NIC)_/.test(name)) continue;
    const { portId, index } = placeOf(name, entry.input);
    const where = `request ${entry.request}, ${name} of ${portId}/${index}`;
    const port = ports.get(portId) ?? 'none';
    const portAfter = PORT[port]?.[name];
    assert.ok(portAfter !== undefined, `${where}: the port is ${port}`);
    const isSuccess = entry.status === 'NDIS_STATUS_SUCCESS';
    if (name === 'PORT_TEARDOWN') {
      const left = [...nics].filter(([key, at]) => key.startsWith(`${portId}/`) && at !== 'none');
      assert.deepEqual(left, [], `${where}: rule B20`);
    }
    if (isSuccess) ports.set(portId, portAfter);
    if (name.startsWith('NIC_')) {
      const key = `${portId}/${index}`;
      const nic = nics.get(key) ?? 'none';
      const after = NIC[nic]?.[name];
      assert.ok(after !== undefined, `${where}: the NIC is ${nic}`);
      if (isSuccess) nics.set(key, after);
    }
    steps += 1;
  }
  return steps;
}

/** Rules A48-A52: every module goes from state to state along the table, each life starting and ending detached. */
export function checkModulePaths(
  changes: readonly Readonly<Record<string, unknown>>[],
  alive: ReadonlyMap<unknown, string>,
): void {
  const states = new Map<unknown, unknown>();
  for (const { event, extensionId, from, to } of changes) {
    if (event !== 'moduleState') continue;
    assert.equal(states.get(extensionId) ?? 'detached', from);
    assert.ok(MODULE.includes(`${from}>${to}`), `${from}>${to}`);
    states.set(extensionId, to);
  }
  for (const [extensionId, state] of states) {
    assert.equal(state, alive.get(extensionId) ?? 'detached');
  }
}
