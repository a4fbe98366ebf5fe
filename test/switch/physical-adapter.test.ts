import t from 'tap';
import { OFFLOAD_OIDS, type OffloadOidName } from '../../src/abi/index.ts';
import { NdisStatus } from '../../src/core/status.ts';
import {
  clearFilterParameters,
  deleteVportParameters,
  filterParameters,
  freeQueueParameters,
  freeVfParameters,
  moveFilterParameters,
  queueParameters,
  resetVfParameters,
  vfParameters,
  vportParameters,
} from '../../switch/offload-parameters.ts';
import { type AdapterRequest, PhysicalAdapter } from '../../switch/physical-adapter.ts';
import { Nic } from '../../switch/ports.ts';
import { fromHex, hex, nicOptions } from '../support/switch-world.ts';

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
const NIC = new Nic(nicOptions({ vmName: 'id', vmFriendlyName: 'VM' }), 7);
const TYPE = { query: 0, set: 1, method: 12 } as const;

/** Asks an adapter; the answer in the request. */
function ask(
  adapter: PhysicalAdapter,
  oid: OffloadOidName | number,
  input: Uint8Array,
  room = input.length,
  more: Partial<AdapterRequest> = {},
): { status: NdisStatus; request: AdapterRequest } {
  const row = typeof oid === 'number' ? undefined : OFFLOAD_OIDS[oid];
  const requestType = row === undefined ? TYPE.query : TYPE[row.requestType];
  const data = new Uint8Array(Math.max(input.length, room));
  data.set(input);
  const request: AdapterRequest = {
    oid: row === undefined ? (oid as number) : row.code,
    requestType,
    data,
    inputLength: requestType === TYPE.query ? 0 : input.length,
    outputLength: requestType === TYPE.set ? 0 : room,
    source: { portId: 7, nicIndex: 0 },
    issuer: undefined,
    bytesRead: 0,
    bytesWritten: 0,
    bytesNeeded: 0,
    ...more,
  };
  return { status: adapter.answer(request), request };
}

const status = (...args: Parameters<typeof ask>): NdisStatus => ask(...args).status;

t.test(
  'virtual functions and VPorts: allocated in order, used up, given back in the right order only',
  (t) => {
    const adapter = new PhysicalAdapter({ name: 'A', virtualFunctions: 2 }, MAC);
    const vf = vfParameters(NIC);
    const first = ask(adapter, 'OID_NIC_SWITCH_ALLOCATE_VF', vf);
    t.equal(first.status, NdisStatus.SUCCESS);
    t.match(first.request, { bytesRead: 1632, bytesWritten: 1632 });
    t.equal(hex(first.request.data.subarray(1626, 1632)), '00 00 10 01 00 00');
    const second = ask(adapter, 'OID_NIC_SWITCH_ALLOCATE_VF', vf);
    t.equal(hex(second.request.data.subarray(1626, 1632)), '01 00 11 01 00 00');
    t.equal(status(adapter, 'OID_NIC_SWITCH_ALLOCATE_VF', vf), NdisStatus.RESOURCES);
    t.equal(adapter.virtualFunctionsUsed, 2);
    const create = (vfId: number) =>
      ask(adapter, 'OID_NIC_SWITCH_CREATE_VPORT', vportParameters(vfId, 'v'));
    t.equal(create(5).status, NdisStatus.INVALID_PARAMETER, 'no such VF');
    const vport = create(1);
    t.equal(vport.status, NdisStatus.SUCCESS);
    t.equal(hex(vport.request.data.subarray(12, 16)), '01 00 00 00', 'VPort 0 is the default one');
    t.equal(create(0xffff).status, NdisStatus.SUCCESS, 'on the physical function');
    t.equal(create(0).status, NdisStatus.RESOURCES);
    const free = (id: number) => status(adapter, 'OID_NIC_SWITCH_FREE_VF', freeVfParameters(id));
    t.equal(free(1), NdisStatus.INVALID_PARAMETER, 'its VPort goes first');
    const del = (id: number) =>
      status(adapter, 'OID_NIC_SWITCH_DELETE_VPORT', deleteVportParameters(id));
    t.equal(del(0), NdisStatus.INVALID_PARAMETER, 'the default VPort stays');
    t.equal(del(1), NdisStatus.SUCCESS);
    t.equal(del(1), NdisStatus.INVALID_PARAMETER);
    const reset = (id: number) => status(adapter, 'OID_SRIOV_RESET_VF', resetVfParameters(id));
    t.equal(reset(1), NdisStatus.SUCCESS);
    t.equal(free(1), NdisStatus.SUCCESS);
    t.equal(reset(1), NdisStatus.INVALID_PARAMETER);
    t.equal(adapter.virtualFunctionsUsed, 1);
    t.end();
  },
);

t.test('queues and filters: a filter keeps its queue, and moves between VPorts', (t) => {
  const adapter = new PhysicalAdapter({ name: 'A', virtualFunctions: 1, queues: 1 }, MAC);
  const queue = queueParameters('id', 'q');
  t.equal(hex(queue.subarray(0, 16)), '80 01 3c 04 00 00 00 00 01 00 00 00 00 00 00 00');
  const made = ask(adapter, 'OID_RECEIVE_FILTER_ALLOCATE_QUEUE', queue);
  t.equal(hex(made.request.data.subarray(12, 16)), '01 00 00 00');
  t.equal(status(adapter, 'OID_RECEIVE_FILTER_ALLOCATE_QUEUE', queue), NdisStatus.RESOURCES);
  const set = (queueId: number, vportId?: number) =>
    ask(adapter, 'OID_RECEIVE_FILTER_SET_FILTER', filterParameters(queueId, vportId));
  t.equal(set(2).status, NdisStatus.INVALID_PARAMETER, 'no such queue');
  t.equal(set(0, 1).status, NdisStatus.INVALID_PARAMETER, 'no such VPort');
  const filter = set(1);
  t.equal(hex(filter.request.data.subarray(16, 20)), '01 00 00 00', 'FilterId');
  const short = filterParameters(0).subarray(0, 36);
  t.equal(
    status(adapter, 'OID_RECEIVE_FILTER_SET_FILTER', short),
    NdisStatus.SUCCESS,
    'revision 1',
  );
  const free = () => status(adapter, 'OID_RECEIVE_FILTER_FREE_QUEUE', freeQueueParameters(1));
  t.equal(free(), NdisStatus.INVALID_PARAMETER, 'its filter goes first');
  const clear = (id: number) =>
    status(adapter, 'OID_RECEIVE_FILTER_CLEAR_FILTER', clearFilterParameters(1, id));
  t.equal(clear(9), NdisStatus.INVALID_PARAMETER);
  t.equal(clear(1), NdisStatus.SUCCESS);
  t.equal(free(), NdisStatus.SUCCESS);
  t.equal(adapter.queuesUsed, 0);
  status(adapter, 'OID_NIC_SWITCH_ALLOCATE_VF', vfParameters(NIC));
  status(adapter, 'OID_NIC_SWITCH_CREATE_VPORT', vportParameters(0, 'v'));
  const move = (from: number, to: number) =>
    status(adapter, 'OID_RECEIVE_FILTER_MOVE_FILTER', moveFilterParameters(2, from, to));
  t.equal(move(0, 9), NdisStatus.INVALID_PARAMETER);
  t.equal(move(1, 0), NdisStatus.INVALID_PARAMETER, 'it is not there');
  t.equal(move(0, 1), NdisStatus.SUCCESS);
  const del = () => status(adapter, 'OID_NIC_SWITCH_DELETE_VPORT', deleteVportParameters(1));
  t.equal(del(), NdisStatus.INVALID_PARAMETER, 'a filter is on it');
  t.equal(move(1, 0), NdisStatus.SUCCESS);
  t.equal(del(), NdisStatus.SUCCESS);
  t.end();
});

t.test(
  'an allocation batch gets a status for every queue; a list that does not fit is refused',
  (t) => {
    const adapter = new PhysicalAdapter({ name: 'A', queues: 2 }, MAC);
    status(adapter, 'OID_RECEIVE_FILTER_ALLOCATE_QUEUE', queueParameters('', 'q'));
    const list = (count: string, first = '18 00 00 00', size = '10 00 00 00') =>
      fromHex(`80 01 14 00 4*00 ${first} ${count} ${size} 4*00
      80 01 10 00 4*00 01 00 00 00 ee ee ee ee
      80 01 10 00 4*00 05 00 00 00 ee ee ee ee`);
    const complete = (input: Uint8Array) =>
      ask(adapter, 'OID_RECEIVE_FILTER_QUEUE_ALLOCATION_COMPLETE', input);
    const { status: done, request } = complete(list('02 00 00 00'));
    t.equal(done, NdisStatus.SUCCESS);
    t.equal(hex(request.data.subarray(36, 40)), '00 00 00 00');
    t.equal(hex(request.data.subarray(52, 56)), '0d 00 00 c0', 'INVALID_PARAMETER for queue 5');
    t.equal(complete(list('00 00 00 00')).status, NdisStatus.SUCCESS);
    t.equal(complete(list('03 00 00 00')).status, NdisStatus.INVALID_PARAMETER);
    t.equal(complete(list('ff ff ff ff')).status, NdisStatus.INVALID_PARAMETER);
    t.equal(complete(list('01 00 00 00', '08 00 00 00')).status, NdisStatus.INVALID_PARAMETER);
    t.equal(
      complete(list('01 00 00 00', '18 00 00 00', '0c 00 00 00')).status,
      NdisStatus.INVALID_PARAMETER,
    );
    t.end();
  },
);

t.test('too little room tells how much; bytes that are no such structure are refused', (t) => {
  const adapter = new PhysicalAdapter({ name: 'A', virtualFunctions: 1, queues: 1 }, MAC);
  const cases: readonly (readonly [OffloadOidName, Uint8Array, number])[] = [
    ['OID_NIC_SWITCH_ALLOCATE_VF', vfParameters(NIC), 1632],
    ['OID_NIC_SWITCH_CREATE_VPORT', vportParameters(0xffff, ''), 572],
    ['OID_RECEIVE_FILTER_ALLOCATE_QUEUE', queueParameters('', ''), 1084],
    ['OID_RECEIVE_FILTER_SET_FILTER', filterParameters(0), 36],
    ['OID_RECEIVE_FILTER_QUEUE_ALLOCATION_COMPLETE', fromHex('80 01 14 00 16*00'), 20],
  ];
  for (const [name, input, needed] of cases) {
    const short = ask(adapter, name, input, needed - 1);
    t.equal(short.status, NdisStatus.INVALID_LENGTH, name);
    t.equal(short.request.bytesNeeded, needed, name);
    const wrong = input.slice();
    wrong[0] = 0x96;
    t.equal(status(adapter, name, wrong), NdisStatus.INVALID_PARAMETER, name);
    const old = input.slice();
    old[1] = 0;
    t.equal(status(adapter, name, old), NdisStatus.INVALID_PARAMETER, `${name} revision 0`);
  }
  for (const name of [
    'OID_NIC_SWITCH_FREE_VF',
    'OID_NIC_SWITCH_DELETE_VPORT',
    'OID_RECEIVE_FILTER_FREE_QUEUE',
    'OID_RECEIVE_FILTER_CLEAR_FILTER',
    'OID_RECEIVE_FILTER_MOVE_FILTER',
    'OID_SRIOV_RESET_VF',
    'OID_802_3_ADD_MULTICAST_ADDRESS',
  ] as const) {
    t.equal(status(adapter, name, new Uint8Array(5)), NdisStatus.INVALID_LENGTH, name);
  }
  t.equal(adapter.resources.length, 0);
  t.end();
});

t.test('C5: what an adapter or LBFO team does not do is NOT_SUPPORTED', (t) => {
  const adapter = new PhysicalAdapter({ name: 'LBFO team' }, MAC);
  for (const name of [
    'OID_NIC_SWITCH_ALLOCATE_VF',
    'OID_NIC_SWITCH_CREATE_VPORT',
    'OID_RECEIVE_FILTER_ALLOCATE_QUEUE',
    'OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA',
    'OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA',
  ] as const) {
    t.equal(status(adapter, name, new Uint8Array(2000)), NdisStatus.NOT_SUPPORTED, name);
  }
  t.equal(status(adapter, 0x00010106, new Uint8Array(0), 4), NdisStatus.NOT_SUPPORTED);
  const row = OFFLOAD_OIDS.OID_SRIOV_RESET_VF.code;
  t.equal(
    status(adapter, 'OID_NIC_SWITCH_ALLOCATE_VF', new Uint8Array(8), 8, { oid: row }),
    NdisStatus.NOT_SUPPORTED,
    'a set OID as a method',
  );
  t.end();
});

t.test('queries: addresses and link; the multicast list takes group addresses', (t) => {
  const adapter = new PhysicalAdapter({ name: 'A' }, MAC);
  for (const oid of [0x01010101, 0x01010102]) {
    const { status: asked, request } = ask(adapter, oid, new Uint8Array(0), 6);
    t.equal(asked, NdisStatus.SUCCESS);
    t.equal(hex(request.data), '02 00 00 00 00 01');
    t.equal(request.bytesWritten, 6);
  }
  const short = ask(adapter, 0x00010207, new Uint8Array(0), 39);
  t.match(short, { status: NdisStatus.INVALID_LENGTH, request: { bytesNeeded: 40 } });
  adapter.linkUp = false;
  t.equal(
    hex(ask(adapter, 0x00010207, new Uint8Array(0), 40).request.data.subarray(0, 24)),
    '80 01 28 00 02 00 00 00 00 00 00 00 00 00 00 00 ff ff ff ff ff ff ff ff',
  );
  const group = (last: number) => Uint8Array.of(1, 0, 0x5e, 0, last >> 8, last & 0xff);
  const add = (mac: Uint8Array) => status(adapter, 'OID_802_3_ADD_MULTICAST_ADDRESS', mac);
  t.equal(add(group(1)), NdisStatus.SUCCESS);
  t.equal(add(MAC), NdisStatus.INVALID_PARAMETER, 'a unicast address');
  t.same(adapter.multicastAddresses, ['01005e000001']);
  const remove = () => status(adapter, 'OID_802_3_DELETE_MULTICAST_ADDRESS', group(1));
  t.equal(remove(), NdisStatus.SUCCESS);
  t.equal(remove(), NdisStatus.INVALID_PARAMETER);
  for (let i = 0; i < 1024; i += 1) add(group(i));
  t.equal(add(group(2000)), NdisStatus.RESOURCES);
  t.end();
});
