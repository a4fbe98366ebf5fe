import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { decodeTrace } from '../../src/policy/trace-decode.ts';
import type { ExtensionHandlers, NicSaveState } from '../../src/sdk/extension.ts';
import { blob, keeper, nicOidsOf, saveScene } from '../support/save-scene.ts';
import {
  extension,
  fromHex,
  hex,
  makePort,
  nicOptions,
  now,
  rules,
  settle,
} from '../support/switch-world.ts';

/** Rule G14: some class of the owner; wire bytes 04 03 02 01 06 05 08 07 09 0a 0b 0c 0d 0e 0f 10. */
const CLASS = '01020304-0506-0708-090a-0b0c0d0e0f10';
const CLASS_BYTES = '04 03 02 01 06 05 08 07 09 0a 0b 0c 0d 0e 0f 10';

t.test(
  'OID_SWITCH_NIC_SAVE of NDIS 6.30 goes out with these bytes and nothing else (G1, G2, G3, G4, OP-13)',
  (t) => {
    const { world, save, sent } = saveScene([], '6.30');
    t.same(save(), { records: [] });
    t.same(sent(), ['SAVE SUCCESS', 'SAVE_COMPLETE SUCCESS']);
    const [first, complete] = world.trace.entries();
    t.equal(first?.requestType, 'method');
    t.equal(first?.input.length, 568 + 4096);
    // Header 0x80, revision 1, Size 4664; port 1, NIC 0; 4096 bytes of room at offset 568.
    t.equal(
      hex(first?.input.subarray(0, 568) ?? blob(0)),
      hex(
        fromHex('80 01 38 12 00 00 00 00 01 00 00 00 00 00 00 00 16*00 516*00 16*00 00 10 38 02'),
      ),
    );
    t.ok(
      first?.input.subarray(568).every((byte) => byte === 0),
      'the room is empty',
    );
    t.equal(first?.output?.length, 0, 'the miniport edge writes nothing (OP-10)');
    t.equal(complete?.requestType, 'set');
    t.equal(
      hex(complete?.input ?? blob(0)),
      hex(
        fromHex('80 01 38 02 00 00 00 00 01 00 00 00 00 00 00 00 16*00 516*00 16*00 00 00 38 02'),
      ),
    );
    t.end();
  },
);

t.test('revision 2 of the save state from NDIS 6.50 on, revision 1 before (G2, G12)', (t) => {
  const heads: string[] = [];
  for (const ndis of ['6.30', '6.40', '6.50', '6.60', '6.80', '6.85'] as const) {
    const { world, save } = saveScene([], ndis);
    save();
    const input = world.trace.entries()[0]?.input ?? blob(0);
    heads.push(
      `${ndis} ${hex(input.subarray(0, 4))} ${hex(input.subarray(564, 568))} ${input.length}`,
    );
  }
  // 572 bytes of structure, the data at the next multiple of 8: 576; 576 + 4096 = 4672 = 0x1240.
  t.same(heads, [
    '6.30 80 01 38 12 00 10 38 02 4664',
    '6.40 80 01 38 12 00 10 38 02 4664',
    '6.50 80 02 40 12 00 10 40 02 4672',
    '6.60 80 02 40 12 00 10 40 02 4672',
    '6.80 80 02 40 12 00 10 40 02 4672',
    '6.85 80 02 40 12 00 10 40 02 4672',
  ]);
  t.end();
});

t.test(
  'a record is answered with these bytes, kept, and asked for again until nobody has more (G5, G6, G8, G11, G13, G14, G16)',
  (t) => {
    const seen: unknown[] = [];
    let calls = 0;
    const owner = extension('filter', {
      saveNic: (state) => {
        seen.push([state.portId, state.nicIndex, state.capacityBytes, state.request.oidName]);
        calls += 1;
        if (calls > 1) return 'forward';
        return state.save(Uint8Array.of(0xde, 0xad, 0xbe), CLASS.toUpperCase());
      },
      saveNicComplete: (nic, request) => {
        seen.push(['complete', nic.portId, nic.nicIndex, request.oidName]);
      },
    });
    const { world, save, sent } = saveScene(
      [extension('capture', {}), owner, extension('forward', {})],
      '6.30',
    );
    const outcome = save();
    t.same(outcome, {
      records: [
        {
          extensionId: owner.id,
          extensionFriendlyName: 'filter',
          featureClassId: CLASS,
          portId: 1,
          data: Uint8Array.of(0xde, 0xad, 0xbe),
        },
      ],
    });
    t.same(seen, [
      [1, 0, 4096, 'OID_SWITCH_NIC_SAVE'],
      [1, 0, 4096, 'OID_SWITCH_NIC_SAVE'],
      ['complete', 1, 0, 'OID_SWITCH_NIC_SAVE_COMPLETE'],
    ]);
    t.same(sent(), ['SAVE SUCCESS', 'SAVE SUCCESS', 'SAVE_COMPLETE SUCCESS']);
    const [first, second] = world.trace.entries();
    t.same(
      first?.route.map(({ verdict }) => verdict),
      ['forward', 'NDIS_STATUS_SUCCESS'],
      'modules below the owner do not see it',
    );
    t.equal(second?.route.length, 4);
    const idBytes = owner.id.slice(-12).match(/../g)?.join(' ');
    t.equal(
      hex(first?.output ?? blob(0)),
      hex(
        fromHex(`80 01 38 12 00 00 00 00 01 00 00 00 00 00 00 00
        00 00 00 e0 00 00 00 00 00 00 ${idBytes}         ; ExtensionId
        0c 00 66 00 69 00 6c 00 74 00 65 00 72 00 502*00 ; 'filter'
        ${CLASS_BYTES} 03 00 38 02 de ad be`),
      ),
    );
    t.same(rules(world), []);
    t.end();
  },
);

t.test('FeatureClassId is zero when the owner has no class (G14)', (t) => {
  const { save } = saveScene([keeper([blob(1)])]);
  t.equal(save().records[0]?.featureClassId, '00000000-0000-0000-0000-000000000000');
  t.end();
});

t.test(
  'BUFFER_TOO_SHORT: asked again with the room BytesNeeded names, then with the first room again (G7, G17, OP-12, S9)',
  (t) => {
    const rooms: number[] = [];
    for (const [ndis, needed] of [
      ['6.30', 568 + 5000],
      ['6.85', 576 + 5000],
    ] as const) {
      const left = [blob(5000), blob(10)];
      const { world, save, sent } = saveScene(
        [
          extension('filter', {
            saveNic: (state) => {
              rooms.push(state.capacityBytes);
              const next = left[0];
              if (next === undefined) return 'forward';
              const status = state.save(next);
              if (status === NdisStatus.SUCCESS) left.shift();
              else t.equal(state.request.bytesNeeded, needed);
              return status;
            },
          }),
        ],
        ndis,
      );
      t.same(
        save().records.map(({ data }) => data.length),
        [5000, 10],
      );
      t.same(sent(), [
        'SAVE BUFFER_TOO_SHORT',
        'SAVE SUCCESS',
        'SAVE SUCCESS',
        'SAVE SUCCESS',
        'SAVE_COMPLETE SUCCESS',
      ]);
      t.same(rules(world), []);
    }
    // The sample's formula on revision 2: taken off is the fixed part of revision 1, which gives 8 bytes more than needed.
    t.same(rooms, [4096, 5000, 4096, 4096, 4096, 5008, 4096, 4096]);
    t.end();
  },
);

t.test(
  'BytesNeeded by the documented formula, 568 plus the data, is room enough on either revision (G7, OP-12)',
  (t) => {
    for (const ndis of ['6.40', '6.50'] as const) {
      const rooms: number[] = [];
      const { save } = saveScene(
        [
          extension('forward', {
            saveNic: (state) => {
              rooms.push(state.capacityBytes);
              if (rooms.length > 2) return 'forward';
              if (state.capacityBytes >= 6001) return state.save(blob(6001));
              state.request.bytesNeeded = 568 + 6001;
              return NdisStatus.BUFFER_TOO_SHORT;
            },
          }),
        ],
        ndis,
      );
      t.equal(save().records[0]?.data.length, 6001, ndis);
      t.same(rooms, [4096, 6001, 4096]);
    }
    t.end();
  },
);

t.test('records of several extensions, several each, come in stack order (G5, G11, G18)', (t) => {
  const owners = [
    keeper([blob(1, 1), blob(2, 2)], 'capture', 'c'),
    keeper([], 'filter', 'empty'),
    keeper([blob(4097, 3)], 'filter', 'f'),
    keeper([blob(3, 4)], 'forward', 'w'),
  ];
  const { world, save, sent } = saveScene(owners);
  t.same(
    save().records.map(({ extensionFriendlyName, data }) => [
      extensionFriendlyName,
      data.length,
      data[0],
    ]),
    [
      ['c', 1, 1],
      ['c', 2, 2],
      ['f', 4097, 3],
      ['w', 3, 4],
    ],
  );
  t.equal(sent().filter((line) => line === 'SAVE SUCCESS').length, 5);
  t.equal(sent().filter((line) => line.startsWith('SAVE_COMPLETE')).length, 1);
  t.same(rules(world), [], 'a capturing extension may save as well (OP-2)');
  t.end();
});

t.test(
  'the longest record: 64,967 bytes on revision 1, SaveDataSizeOverflow on revision 2 (G12)',
  (t) => {
    const longest = saveScene([keeper([blob(64_967)])], '6.30');
    const [record] = longest.save().records;
    t.equal(record?.data.length, 64_967);
    const [, answered] = longest.world.trace.entries();
    t.equal(hex(answered?.input.subarray(0, 4) ?? blob(0)), '80 01 ff ff', 'Header.Size is full');
    t.equal(hex(answered?.output?.subarray(564, 568) ?? blob(0)), 'c7 fd 38 02');

    const over = saveScene([keeper([blob(64_968)])], '6.40');
    t.match(over.save(), { records: [], refused: { status: NdisStatus.FAILURE } });
    t.match(over.world.findings, [{ rule: 'D6', message: /1 to 64967 bytes \(rule G12\)/ }]);

    const large = saveScene([keeper([blob(70_000, 0x5c)])], '6.50');
    t.same(large.save().records[0]?.data, blob(70_000, 0x5c));
    const output = large.world.trace.entries()[1]?.output ?? blob(0);
    // 65,535 - 576 = 64,959 in SaveDataSize, 70,000 - 64,959 = 5,041 over.
    t.equal(hex(output.subarray(564, 572)), 'bf fd 40 02 b1 13 00 00');
    t.same([...rules(longest.world), ...rules(large.world)], []);
    t.end();
  },
);

t.test(
  'save is refused on a NIC that is not index 0 or not connected; nothing is sent (G1, G4)',
  async (t) => {
    const { world, machine, port, nic } = saveScene([]);
    now(machine.disconnectNic(port, nic));
    world.trace.clear();
    t.throws(() => machine.saveNic(port, nic), {
      code: 'ILLEGAL_TRANSITION',
      message: 'NIC 1/0 is deleted: save is not allowed (rule G1)',
      place: { rule: 'G1' },
    });
    const outer = makePort(machine, 'external', 'outer');
    now(machine.connectNic(outer, nicOptions({ type: 'external' })));
    const { nic: lower } = now(
      machine.connectNic(outer, nicOptions({ type: 'external', index: 1 })),
    );
    world.trace.clear();
    for (const operation of [
      () => machine.saveNic(outer, lower),
      () => machine.restoreNic(outer, lower, []),
    ]) {
      t.throws(operation, { code: 'ILLEGAL_TRANSITION', place: { rule: 'G4', found: '1' } });
    }
    t.equal(lower.transfer, undefined);
    t.same(nicOidsOf(world), []);
  },
);

t.test(
  'a save asked for while one runs on the NIC comes after its SAVE_COMPLETE, and so does a disconnect (G9, C31)',
  async (t) => {
    const held: NicSaveState[] = [];
    const { world, machine, port, nic, sent } = saveScene([
      extension('filter', {
        saveNic: (state) => {
          if (held.length > 0) return 'forward';
          held.push(state);
          return state.request.pend();
        },
      }),
    ]);
    const first = machine.saveNic(port, nic);
    t.equal(nic.transfer, 'save');
    const second = machine.saveNic(port, nic);
    const gone = machine.disconnectNic(port, nic);
    await settle();
    t.same(sent(), []);
    held[0]?.save(blob(2));
    held[0]?.request.complete(NdisStatus.SUCCESS);
    t.equal((await first).records.length, 1);
    t.equal((await second).records.length, 0);
    await gone;
    t.same(
      sent().map((line) => line.split(' ')[0]),
      ['SAVE', 'SAVE', 'SAVE_COMPLETE', 'SAVE', 'SAVE_COMPLETE', 'DISCONNECT', 'DELETE'],
    );
    t.same(rules(world), []);
  },
);

t.test('a NIC on which a save or restore runs takes no second one (G9, G28)', (t) => {
  const { machine, port, nic } = saveScene([]);
  nic.transfer = 'restore';
  t.throws(() => machine.saveNic(port, nic), {
    code: 'ILLEGAL_TRANSITION',
    place: { rule: 'G9' },
  });
  nic.transfer = 'save';
  t.throws(() => machine.restoreNic(port, nic, []), {
    message: 'NIC 1/0: a save runs on it; restore is not allowed before it ended (rule G28)',
    place: { rule: 'G28' },
  });
  t.equal(nic.transfer, 'save', 'the one that runs is not disturbed');
  t.end();
});

t.test(
  'pending in the middle of a save: the same record by promise and by hand (G5, G13)',
  async (t) => {
    const handlers: ExtensionHandlers[] = [
      {
        saveNic: async (state) => {
          await settle();
          return state.portId === 1 && once() ? state.save(blob(7)) : 'forward';
        },
      },
      {
        saveNic: (state) => {
          if (!once()) return 'forward';
          queueMicrotask(() => state.request.complete(state.save(blob(7))));
          return state.request.pend();
        },
      },
    ];
    let given = false;
    const once = (): boolean => {
      const first = !given;
      given = true;
      return first;
    };
    for (const each of handlers) {
      given = false;
      const { world, machine, port, nic } = saveScene([
        extension('filter', each),
        keeper([blob(9)], 'forward'),
      ]);
      const outcome = await machine.saveNic(port, nic);
      t.same(
        outcome.records.map(({ data }) => data.length),
        [7, 9],
      );
      t.same(rules(world), []);
      t.equal(nic.transfer, undefined);
    }
  },
);

t.test(
  'the trace decodes question, record and end by their NDIS names, on revision 1 and 2 (G2, G11, G12, G25)',
  (t) => {
    for (const [ndis, revision, offset] of [
      ['6.30', 1, 568],
      ['6.85', 2, 576],
    ] as const) {
      const { world, save, machine, port, nic } = saveScene([keeper([blob(3)])], ndis);
      const { records } = save();
      now(machine.restoreNic(port, nic, records));
      const decoded = world.trace.entries().map((entry) => decodeTrace(world.registry, entry));
      const head = (size: number) => ({
        structure: 'NDIS_SWITCH_NIC_SAVE_STATE',
        Header: { Type: 0x80, Revision: revision, Size: size },
        Flags: 0,
        PortId: 1,
        NicIndex: 0,
        FeatureClassId: '00000000-0000-0000-0000-000000000000',
        SaveDataOffset: offset,
        ...(revision === 2 ? { SaveDataSizeOverflow: 0 } : {}),
      });
      const owned = {
        ExtensionId: records[0]?.extensionId,
        ExtensionFriendlyName: 'filter',
        SaveDataSize: 3,
        SaveData: 'ababab',
      };
      const nobody = {
        ExtensionId: '00000000-0000-0000-0000-000000000000',
        ExtensionFriendlyName: '',
      };
      t.same(decoded, [
        { ...head(offset + 4096), ...owned },
        { ...head(offset + 4096), ...nobody, SaveDataSize: 4096, SaveData: '' },
        { ...head(offset), ...nobody, SaveDataSize: 0 },
        { ...head(offset + 3), ...owned },
        { ...head(offset), ...nobody, SaveDataSize: 0 },
      ]);
    }
    t.end();
  },
);
