import fc from 'fast-check';
import t from 'tap';
import {
  decodePayload,
  describe,
  nicRequestDataOffset,
  nicRequestSize,
  nicStatusSize,
  OFFLOAD_OIDS,
  offloadOidByCode,
  oidName,
  readNicRequest,
  readNicRequestCounters,
  readNicStatus,
  writeNicRequest,
  writeNicRequestCounters,
  writeNicStatus,
} from '../../src/abi/index.ts';
import { isExtSwitchError } from '../../src/core/errors.ts';
import { fromHex, hex } from '../support/switch-world.ts';

const HEAD = {
  sourcePortId: 0x0102,
  sourceNicIndex: 0,
  destinationPortId: 0x0304,
  destinationNicIndex: 5,
  requestType: 12,
  oid: 0x00010245,
};

/** NDIS_SWITCH_NIC_OID_REQUEST at 0, NDIS_OID_REQUEST revision 2 at 32 = 0x20, InformationBuffer at 280 = 0x118. */
const METHOD_685 = `
80 01 20 00  4*00            ; Header, Flags
02 01 00 00  00 00  2*00     ; SourcePortId, SourceNicIndex
04 03 00 00  05 00  2*00     ; DestinationPortId, DestinationNicIndex
20 00 00 00 00 00 00 00      ; OidRequest: offset 32
96 02 f8 00  0c 00 00 00     ; Header: OID_REQUEST, revision 2, 248; NdisRequestMethod
24*00                        ; PortNumber, Timeout, RequestId, RequestHandle
45 02 01 00  4*00            ; DATA.Oid
18 01 00 00 00 00 00 00      ; InformationBuffer: offset 280
03 00 00 00  08 00 00 00     ; InputBufferLength, OutputBufferLength
16*00                        ; MethodId and counters
128*00 16*00 16*00           ; NdisReserved, MiniportReserved, SourceReserved
16*00                        ; SupportedRevision to Flags
aa bb cc 5*00                ; InformationBuffer
`;

t.test(
  'a method request for NDIS 6.85 in one buffer: 32 + 248 + the longer of both lengths (rule D24)',
  (t) => {
    const bytes = new Uint8Array(nicRequestSize(8)).fill(0xff);
    t.equal(writeNicRequest(bytes, 0, HEAD, Uint8Array.of(0xaa, 0xbb, 0xcc), 8), 288);
    t.equal(hex(bytes), hex(fromHex(METHOD_685)));
    t.match(readNicRequest(bytes), {
      ...HEAD,
      innerOffset: 32,
      dataOffset: 280,
      dataLength: 8,
      inputLength: 3,
      outputLength: 8,
    });
    t.end();
  },
);

t.test(
  'before NDIS 6.50 the request inside is revision 1: 240 bytes of Size 236, data at 272',
  (t) => {
    t.equal(nicRequestDataOffset('6.40'), 272);
    const bytes = new Uint8Array(nicRequestSize(6, '6.40'));
    const input = Uint8Array.of(1, 0, 0x5e, 0, 0, 1);
    const head = { ...HEAD, requestType: 1, oid: 0x01010208 };
    writeNicRequest(bytes, 0, head, input, 0, '6.40');
    t.equal(hex(bytes.subarray(32, 36)), '96 01 ec 00');
    t.equal(hex(bytes.subarray(64, 68)), '08 02 01 01', 'Oid');
    t.equal(hex(bytes.subarray(72, 80)), '10 01 00 00 00 00 00 00', 'InformationBuffer: 272');
    t.equal(hex(bytes.subarray(80, 84)), '06 00 00 00', 'InformationBufferLength');
    t.equal(hex(bytes.subarray(272)), '01 00 5e 00 00 01');
    t.match(readNicRequest(bytes), { inputLength: 6, outputLength: 0, dataOffset: 272 });
    t.end();
  },
);

t.test('a query without room points nowhere: a null pointer is 0', (t) => {
  const bytes = new Uint8Array(nicRequestSize(0));
  writeNicRequest(bytes, 0, { ...HEAD, requestType: 0 }, new Uint8Array(0), 0);
  t.equal(hex(bytes.subarray(72, 80)), '00 00 00 00 00 00 00 00');
  t.match(readNicRequest(bytes), { dataLength: 0, inputLength: 0, outputLength: 0 });
  t.end();
});

t.test('result counters stand in the arm of the request type and nowhere else', (t) => {
  const counters = { bytesRead: 0x11, bytesWritten: 0x22, bytesNeeded: 0x33 };
  // Offsets inside DATA, which starts at 32 + 32: ndis-switch-abi.md 2.
  const places = [
    { requestType: 0, at: { 52: 0x22, 56: 0x33 }, read: { ...counters, bytesRead: 0 } },
    { requestType: 1, at: { 52: 0x11, 56: 0x33 }, read: { ...counters, bytesWritten: 0 } },
    { requestType: 12, at: { 60: 0x22, 64: 0x11, 68: 0x33 }, read: counters },
  ];
  for (const { requestType, at, read } of places) {
    const bytes = new Uint8Array(nicRequestSize(0));
    writeNicRequest(bytes, 0, { ...HEAD, requestType }, new Uint8Array(0), 0);
    const before = bytes.slice();
    const parts = readNicRequest(bytes);
    writeNicRequestCounters(bytes, parts, counters);
    const changed: Record<number, number> = {};
    for (const [i, byte] of bytes.entries()) if (byte !== before[i]) changed[i - 32] = byte;
    t.same(changed, at, `type ${requestType}`);
    t.same(readNicRequestCounters(bytes, parts), read);
  }
  t.end();
});

/** NDIS_SWITCH_NIC_STATUS_INDICATION at 0, NDIS_STATUS_INDICATION at 32, StatusBuffer at 144 = 0x90. */
const LINK_STATUS = `
80 01 20 00  4*00            ; quirk 16: 0x80 is sent
03 00 00 00  01 00  2*00     ; source: the external port, adapter 1
00 00 00 00  00 00  2*00     ; destination 0/0
20 00 00 00 00 00 00 00      ; StatusIndication: offset 32
98 01 70 00  4*00            ; Header: STATUS_INDICATION, 112; pad
02 00 00 00 00 00 00 00      ; SourceHandle
00 00 00 00  17 00 01 40     ; PortNumber, StatusCode NDIS_STATUS_LINK_STATE
00 00 00 00  4*00            ; Flags, pad
16*00                        ; DestinationHandle, RequestId
90 00 00 00 00 00 00 00      ; StatusBuffer: offset 144
02 00 00 00                  ; StatusBufferSize
16*00 4*00 32*00             ; Guid, pad, NdisReserved
de ad
`;

t.test('an indication in one buffer: 32 + 112 + StatusBuffer (rule H1)', (t) => {
  const bytes = new Uint8Array(nicStatusSize(2));
  const head = {
    sourcePortId: 3,
    sourceNicIndex: 1,
    destinationPortId: 0,
    destinationNicIndex: 0,
    statusCode: 0x40010017,
    sourceHandle: 2,
  };
  t.equal(writeNicStatus(bytes, 0, head, Uint8Array.of(0xde, 0xad)), 146);
  t.equal(hex(bytes), hex(fromHex(LINK_STATUS)));
  t.match(readNicStatus(bytes), { ...head, innerOffset: 32, dataOffset: 144, dataLength: 2 });
  bytes[0] = 0x98;
  t.match(readNicStatus(bytes), head, 'quirk 16: both types are accepted');
  t.end();
});

t.test('without data StatusBuffer is null and its size 0 (rule H11)', (t) => {
  const bytes = new Uint8Array(nicStatusSize(0));
  const ends = { sourcePortId: 0, sourceNicIndex: 0, destinationPortId: 7, destinationNicIndex: 0 };
  writeNicStatus(bytes, 0, { ...ends, statusCode: 0xc0241001, sourceHandle: 3 }, new Uint8Array(0));
  t.equal(bytes.length, 144);
  t.equal(hex(bytes.subarray(80, 92)), '00 00 00 00 00 00 00 00 00 00 00 00');
  t.match(readNicStatus(bytes), { dataLength: 0, statusCode: 0xc0241001 });
  t.end();
});

t.test(
  'pointers and lengths that lead out of the buffer or back are refused with their place',
  (t) => {
    const request = fromHex(METHOD_685);
    const changed = (at: number, bytes: readonly number[]): Uint8Array => {
      const copy = request.slice();
      copy.set(bytes, at);
      return copy;
    };
    const cases: readonly (readonly [string, Uint8Array, string, number])[] = [
      ['null', changed(24, [0, 0]), 'OidRequest', 24],
      ['back into the head', changed(24, [16, 0]), 'OidRequest', 24],
      ['behind the end', changed(24, [0xff, 0xff]), 'OidRequest', 24],
      ['beyond 2^53', changed(24, [32, 0, 0, 0, 0, 0, 0, 0x80]), 'OidRequest', 24],
      ['into the request inside', changed(72, [64, 0]), 'InformationBuffer', 72],
      ['null with a length', changed(72, [0, 0]), 'InformationBuffer', 72],
      ['behind the end', changed(72, [0, 0x10]), 'InformationBuffer', 72],
      ['input longer than the room', changed(80, [9]), 'InformationBufferLength', 80],
      ['output of 4 GiB', changed(84, [0xff, 0xff, 0xff, 0xff]), 'OutputBufferLength', 84],
      ['a statistics request', changed(36, [2]), 'RequestType', 36],
      ['no OID request', changed(32, [0x80]), 'Header.Type', 32],
    ];
    for (const [why, bytes, member, offset] of cases) {
      t.throws(
        () => readNicRequest(bytes),
        { code: 'ABI_INVALID', place: { member, offset } },
        `${member}: ${why}`,
      );
    }
    const status = fromHex(LINK_STATUS);
    const size = status.slice();
    size[88] = 3;
    t.throws(() => readNicStatus(size), {
      code: 'ABI_INVALID',
      place: { member: 'StatusBufferSize', offset: 88 },
    });
    const pointer = status.slice();
    pointer[25] = 1;
    t.throws(() => readNicStatus(pointer), {
      code: 'ABI_INVALID',
      place: { member: 'StatusIndication', offset: 24 },
    });
    t.throws(() => writeNicRequest(new Uint8Array(279), 0, HEAD, new Uint8Array(0), 0), {
      code: 'ABI_INVALID',
    });
    t.throws(() => writeNicStatus(new Uint8Array(10), 0, { ...readNicStatus(status) }, size), {
      code: 'ABI_INVALID',
    });
    t.end();
  },
);

t.test('whatever the bytes are, a reader gives parts inside the buffer or ABI_INVALID', (t) => {
  const samples = [fromHex(METHOD_685), fromHex(LINK_STATUS)];
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      fc.nat(300),
      (sample, changes, cut) => {
        const bytes = sample.slice(0, Math.max(0, sample.length - (cut > 250 ? cut - 250 : 0)));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        for (const read of [readNicRequest, readNicStatus]) {
          try {
            const { innerOffset, dataOffset, dataLength } = read(bytes);
            if (innerOffset < 32 || dataOffset + dataLength > bytes.length) return false;
          } catch (error) {
            if (!isExtSwitchError(error) || error.code !== 'ABI_INVALID') throw error;
          }
        }
        return true;
      },
    ),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('a dump and a decoded trace show the request inside with its data and its own name', (t) => {
  const bytes = fromHex(METHOD_685);
  const tree = describe('OID_SWITCH_NIC_REQUEST', bytes);
  const inner = tree.children?.find(({ name }) => name === 'EncapsulatedRequest');
  t.match(inner, { ctype: 'NDIS_OID_REQUEST', offset: 32, size: 248 });
  t.equal(
    inner?.children?.find(({ name }) => name === 'DATA.Oid')?.text,
    'OID_NIC_SWITCH_ALLOCATE_VF',
  );
  t.match(inner?.children?.at(-1), { name: 'Data', offset: 280, value: 'aabbcc0000000000' });
  t.match(decodePayload('OID_SWITCH_NIC_REQUEST', bytes), {
    SourcePortId: 0x0102,
    DestinationNicIndex: 5,
    OidRequest: '32',
    EncapsulatedRequest: {
      RequestType: 'NdisRequestMethod',
      DATA: { METHOD_INFORMATION: { InputBufferLength: 3 } },
      Data: 'aabbcc0000000000',
    },
  });
  t.match(decodePayload('NDIS_STATUS_SWITCH_NIC_STATUS', fromHex(LINK_STATUS)), {
    structure: 'NDIS_SWITCH_NIC_STATUS_INDICATION',
    SourceNicIndex: 1,
    EncapsulatedIndication: { StatusBufferSize: 2, Data: 'dead' },
  });
  t.match(
    decodePayload('OID_SWITCH_NIC_REQUEST', bytes.subarray(0, 32)),
    { OidRequest: '32' },
    'the structure alone is not followed: its pointer may be a real one',
  );
  t.match(decodePayload('OID_SWITCH_NIC_REQUEST', bytes.subarray(0, 200)), {
    error: { structure: 'NDIS_SWITCH_NIC_OID_REQUEST' },
  });
  t.end();
});

t.test('OIDs a switch only wraps have names; codes as in ntddndis.h', (t) => {
  // #define lines of the public header, section by section.
  const header: Readonly<Record<string, number>> = {
    OID_RECEIVE_FILTER_ALLOCATE_QUEUE: 0x00010223,
    OID_RECEIVE_FILTER_FREE_QUEUE: 0x00010224,
    OID_RECEIVE_FILTER_SET_FILTER: 0x00010227,
    OID_RECEIVE_FILTER_CLEAR_FILTER: 0x00010228,
    OID_RECEIVE_FILTER_QUEUE_ALLOCATION_COMPLETE: 0x0001022b,
    OID_RECEIVE_FILTER_MOVE_FILTER: 0x00010230,
    OID_NIC_SWITCH_CREATE_VPORT: 0x00010241,
    OID_NIC_SWITCH_DELETE_VPORT: 0x00010244,
    OID_NIC_SWITCH_ALLOCATE_VF: 0x00010245,
    OID_NIC_SWITCH_FREE_VF: 0x00010246,
    OID_SRIOV_RESET_VF: 0x00010255,
    OID_802_3_ADD_MULTICAST_ADDRESS: 0x01010208,
    OID_802_3_DELETE_MULTICAST_ADDRESS: 0x01010209,
    OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA: 0xfc030202,
    OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA: 0xfc030203,
    OID_TCP_TASK_IPSEC_OFFLOAD_V2_UPDATE_SA: 0xfc030204,
    OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA_EX: 0xfc030205,
  };
  t.same(
    Object.fromEntries(Object.entries(OFFLOAD_OIDS).map(([name, row]) => [name, row.code])),
    header,
  );
  t.equal(oidName(0xfc030203), 'OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA');
  t.equal(oidName(0x00010226), '0x00010226');
  t.equal(offloadOidByCode(0x00010270), undefined);
  t.end();
});
