import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { ExtensionHandlers, NicSaveState, OidRequest } from '../../src/sdk/extension.ts';
import { blob, keeper, nicOidsOf, saveScene } from '../support/save-scene.ts';
import {
  extension,
  makePort,
  nicOptions,
  now,
  rules,
  settle,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

/** Saves past an extension with these handlers and a good one below it that has one record. */
function past(handlers: ExtensionHandlers, ndis: '6.30' | '6.85' = '6.85') {
  return saveScene(
    [extension('filter', handlers, 'bad'), keeper([blob(5)], 'forward', 'good')],
    ndis,
  );
}

t.test(
  'any other error of an extension fails the save: nothing is kept, SAVE_COMPLETE goes out, the NIC stays (G8, G10, OP-14)',
  (t) => {
    for (const status of [
      NdisStatus.FAILURE,
      NdisStatus.RESOURCES,
      NdisStatus.INVALID_LENGTH,
      NdisStatus.DATA_NOT_ACCEPTED,
    ]) {
      const { save, sent, world, nic } = saveScene([
        keeper([blob(3)], 'filter'),
        extension('forward', { saveNic: () => status }, 'bad'),
      ]);
      const outcome = save();
      t.same(outcome.records, []);
      t.equal(outcome.refused?.status, status);
      t.equal(outcome.refused?.completedBy?.name, 'bad');
      t.equal(outcome.rule, undefined);
      t.equal(sent()[0], 'SAVE SUCCESS', 'one record was there and is discarded');
      t.equal(sent().at(-1), 'SAVE_COMPLETE SUCCESS');
      t.equal(sent().length, 3);
      t.equal(nic.state, 'connected');
      t.equal(nic.transfer, undefined);
      t.same(rules(world), [], 'an owner may fail its save');
      t.match(world.changes.at(-1), { event: 'nicSaveFailed', portId: 1, nicIndex: 0, records: 0 });
    }
    t.end();
  },
);

t.test('after a failed save the next one starts afresh and succeeds (G8, G9)', (t) => {
  let fails = true;
  const { save, world } = past({ saveNic: () => (fails ? NdisStatus.FAILURE : 'forward') });
  t.equal(save().refused?.status, NdisStatus.FAILURE);
  fails = false;
  t.equal(save().records.length, 1);
  t.match(world.changes.at(-1), { event: 'nicSaved', records: 1, nic: 'nic', port: 'port' });
  t.end();
});

t.test('a handler that throws fails the save and hurts nobody else (G10, D6)', (t) => {
  const { save, sent, world } = past({
    saveNic: () => {
      throw new Error('boom');
    },
    saveNicComplete: () => {
      throw new Error('bang');
    },
  });
  t.equal(save().refused?.status, NdisStatus.FAILURE);
  t.same(sent(), ['SAVE FAILURE', 'SAVE_COMPLETE SUCCESS']);
  t.same(rules(world), ['D6', 'D6']);
  t.end();
});

t.test(
  'SAVE_COMPLETE that an extension fails or completes goes on as if forwarded (G20, G21, OP-28)',
  (t) => {
    const ended: string[] = [];
    for (const verdict of [NdisStatus.FAILURE, NdisStatus.SUCCESS]) {
      const { save, world, machine } = saveScene([
        extension('capture', {
          oidRequestComplete: (request) => {
            if (request.oidName.endsWith('SAVE_COMPLETE')) ended.push(`${request.status}`);
          },
        }),
        extension('filter', { saveNicComplete: () => verdict }),
        keeper([blob(1)], 'forward'),
      ]);
      t.equal(save().records.length, 1);
      t.same(rules(world), ['G20']);
      t.equal(machine.modules[2]?.desynchronized, true);
    }
    t.same(ended, ['0', '0'], 'who watches learns that the save ended');
    t.end();
  },
);

t.test('success without ExtensionId is no record; the others are still asked (OP-10, G13)', (t) => {
  let lies = 2;
  const { save, world } = past({
    saveNic: () => {
      lies -= 1;
      return lies >= 0 ? NdisStatus.SUCCESS : 'forward';
    },
  });
  t.same(
    save().records.map(({ extensionFriendlyName }) => extensionFriendlyName),
    ['good'],
  );
  t.same(rules(world), ['OP-10', 'OP-10']);
  t.match(world.findings[0], {
    severity: 'error',
    oid: 'OID_SWITCH_NIC_SAVE',
    message: /bad completed it with success but set no ExtensionId/,
  });
  t.end();
});

/** Writes a record by hand: ExtensionId at 16, SaveDataSize at 564, as a driver would. */
function byHand(request: OidRequest, idByte: number, size: number): NdisStatus {
  const { bytes } = request;
  bytes.fill(idByte, 16, 32);
  bytes[564] = size & 0xff;
  bytes[565] = size >> 8;
  return NdisStatus.SUCCESS;
}

t.test('success with an id and no data is no record (OP-11, G16, G18)', (t) => {
  let once = true;
  const { save, world } = past({
    saveNic: ({ request }) => {
      if (!once) return 'forward';
      once = false;
      return byHand(request, 0x11, 0);
    },
  });
  t.equal(save().records.length, 1);
  t.same(rules(world), ['OP-11']);
  t.end();
});

t.test('more bytes reported than there is room for is no record (G16)', (t) => {
  let once = true;
  const { save, world } = past({
    saveNic: ({ request }) => {
      if (!once) return 'forward';
      once = false;
      return byHand(request, 0x11, 4097);
    },
  });
  t.equal(save().records.length, 1);
  t.match(world.findings, [{ rule: 'G16', message: /SaveDataSize/ }]);
  t.end();
});

t.test(
  'a record of a foreign id or without a name is told, and kept as it was given (G13)',
  (t) => {
    let once = true;
    const { save, world } = past({
      saveNic: ({ request }) => {
        if (!once) return 'forward';
        once = false;
        request.bytes[576] = 0x77;
        return byHand(request, 0x11, 2);
      },
    });
    t.match(save().records[0], {
      extensionId: '11111111-1111-1111-1111-111111111111',
      extensionFriendlyName: '',
      data: Uint8Array.of(0x77, 0),
    });
    t.same(rules(world), ['G13', 'G13']);
    t.match(world.findings[0]?.message, /instead of its own id e0000000-/);
    t.end();
  },
);

t.test(
  'Header, PortId, NicIndex and SaveDataOffset are put back when an owner changed them (G15)',
  (t) => {
    // Members by their offsets: Header.Size 2, Flags 4, PortId 8, NicIndex 12, SaveDataOffset 566.
    for (const offset of [0, 2, 4, 8, 12, 14, 566]) {
      let once = true;
      const { save, world } = past({
        saveNic: (state) => {
          if (!once) return 'forward';
          once = false;
          const status = state.save(blob(3, 9));
          const { bytes } = state.request;
          bytes[offset] = (bytes[offset] ?? 0) ^ 0x55;
          return status;
        },
      });
      const { records } = save();
      t.match(records[0], { portId: 1, extensionFriendlyName: 'bad', data: blob(3, 9) });
      t.equal(records.length, 2);
      t.match(world.findings, [
        { rule: 'G15', message: new RegExp(`changed byte ${offset} of OID_SWITCH_NIC_SAVE`) },
      ]);
    }
    t.end();
  },
);

t.test('who forwards after writing has written nothing: the next sees zeros (G18)', (t) => {
  const seen: number[][] = [];
  const { save, world } = saveScene([
    extension(
      'filter',
      {
        saveNic: (state) => {
          state.save(blob(4));
          return 'forward';
        },
      },
      'bad',
    ),
    extension('forward', {
      saveNic: ({ request }) => {
        seen.push([...request.bytes.subarray(16, 40), ...request.bytes.subarray(564, 584)]);
      },
    }),
  ]);
  t.same(save().records, []);
  t.same(rules(world), ['G18']);
  t.same(seen, [
    [...new Array(24).fill(0), 0x00, 0x10, 0x40, 0x02, 0, 0, 0, 0, ...new Array(12).fill(0)],
  ]);
  t.end();
});

t.test('BytesNeeded that is not more than the room there was fails the save (G17, OP-12)', (t) => {
  for (const needed of [0, 100, 568, 568 + 4096]) {
    const { save, world } = past({
      saveNic: ({ request }) => {
        request.bytesNeeded = needed;
        return NdisStatus.BUFFER_TOO_SHORT;
      },
    });
    t.match(save(), {
      records: [],
      rule: 'G17',
      refused: { status: NdisStatus.BUFFER_TOO_SHORT },
    });
    t.same(rules(world), ['G17']);
    t.match(world.findings[0]?.message, new RegExp(`BytesNeeded ${needed} although`));
  }
  t.end();
});

t.test('more room than a record may have fails the save (G12)', (t) => {
  for (const [ndis, most] of [
    ['6.30', 64_967],
    ['6.85', 16_777_216],
  ] as const) {
    const { save, sent, world } = past(
      {
        saveNic: ({ request }) => {
          request.bytesNeeded = (ndis === '6.30' ? 568 : 576) + most + 1;
          return NdisStatus.BUFFER_TOO_SHORT;
        },
      },
      ndis,
    );
    t.match(save(), { records: [], rule: 'G12' });
    t.same(sent(), ['SAVE BUFFER_TOO_SHORT', 'SAVE_COMPLETE SUCCESS']);
    t.match(world.findings, [{ rule: 'G12', message: new RegExp(`at most ${most} on`) }]);
  }
  t.end();
});

t.test('who wants more room every time is cut off after eight requests (G17)', (t) => {
  const { save, sent, world } = past({
    saveNic: (state) => {
      state.request.bytesNeeded = 576 + state.capacityBytes + 1;
      return NdisStatus.BUFFER_TOO_SHORT;
    },
  });
  t.match(save(), { records: [], rule: 'G17' });
  t.equal(sent().filter((line) => line === 'SAVE BUFFER_TOO_SHORT').length, 8);
  t.match(world.findings, [{ rule: 'G17', message: /asked 8 times in a row/ }]);
  t.end();
});

t.test(
  'eight requests for more room are the limit of each record, not of all together (G7, G17)',
  async (t) => {
    const done: number[] = [];
    let asked = 0;
    const { save, world } = saveScene([
      extension('filter', {
        saveNic: (state) => {
          if (done.length === 3) return 'forward';
          asked += 1;
          if (asked < 8) {
            // 576: the structure of revision 2 with its padding, 8-aligned (OP-12).
            state.request.bytesNeeded = 576 + state.capacityBytes + 1;
            return NdisStatus.BUFFER_TOO_SHORT;
          }
          asked = 0;
          done.push(state.capacityBytes);
          return state.save(blob(done.length));
        },
      }),
    ]);
    t.same(
      save().records.map(({ data }) => data.length),
      [1, 2, 3],
      'each was asked for eight times',
    );
    t.same(rules(world), []);
  },
);

t.test('endless success is cut off by number, by size, or when it brings nothing (G19)', (t) => {
  const byNumber = past({ saveNic: (state) => state.save(blob(1)) });
  t.match(byNumber.save(), { records: [], rule: 'G19', refused: { status: 0 } });
  t.match(byNumber.world.findings, [
    { rule: 'G19', severity: 'error', message: /bad found no end: 1001 records/ },
  ]);

  const large = blob(16_777_216);
  const bySize = past({ saveNic: (state) => state.save(large) });
  t.match(bySize.save(), { records: [], rule: 'G19' });
  t.match(bySize.world.findings[0]?.message, /5 records with 83886080 bytes/);

  const byNothing = past({ saveNic: () => NdisStatus.SUCCESS });
  t.match(byNothing.save(), { records: [], rule: 'G19' });
  t.equal(byNothing.sent().length, 9);
  t.same(rules(byNothing.world), [...new Array(8).fill('OP-10'), 'G19']);

  const finite = saveScene([keeper(Array.from({ length: 1000 }, () => blob(1)))]);
  t.equal(finite.save().records.length, 1000);
  t.end();
});

t.test(
  'data that is no data throws inside the handler and fails the save (G12, G14, OP-11)',
  (t) => {
    const bad: ((state: NicSaveState) => NdisStatus)[] = [
      (state) => state.save(blob(0)),
      (state) => state.save('text' as unknown as Uint8Array),
      (state) => state.save(blob(16_777_217)),
      (state) => state.save(blob(1), 'My_Class'),
    ];
    for (const saveNic of bad) {
      const { save, world } = past({ saveNic });
      t.equal(save().refused?.status, NdisStatus.FAILURE);
      t.same(rules(world), ['D6']);
    }
    t.end();
  },
);

t.test(
  'a save state kept beyond its request can write nothing any more (G18, G35, D5)',
  async (t) => {
    const kept: NicSaveState[] = [];
    const { save, world } = past({
      saveNic: (state) => {
        kept.push(state);
      },
    });
    const { records } = save();
    t.throws(() => kept[0]?.save(blob(2)), { code: 'ILLEGAL_TRANSITION', place: { rule: 'D5' } });
    t.throws(() => kept[1]?.request.bytes, { code: 'ILLEGAL_TRANSITION' });
    t.same(records[0]?.data, blob(5));
    t.same(rules(world), []);
  },
);

t.test('bytes written after the completion are not in the record (G13, G35)', async (t) => {
  let raw: Uint8Array | undefined;
  let calls = 0;
  const { machine, port, nic } = past({
    saveNic: (state) => {
      calls += 1;
      if (calls > 1) return 'forward';
      queueMicrotask(() => {
        const status = state.save(blob(2, 1));
        raw = state.request.bytes;
        state.request.complete(status);
        raw.fill(0xff);
      });
      return state.request.pend();
    },
  });
  const { records } = await machine.saveNic(port, nic);
  t.same(records[0]?.data, blob(2, 1));
  t.equal(raw?.[576], 0xff);
});

t.test('a save held too long is ended by the switch and fails (G10)', async (t) => {
  const { machine, port, nic, world, sent } = past({ saveNic: (state) => state.request.pend() });
  const saving = machine.saveNic(port, nic);
  world.clock.advance(11_999);
  await settle();
  t.same(sent(), []);
  world.clock.advance(1);
  t.equal((await saving).refused?.status, NdisStatus.REQUEST_ABORTED);
  t.same(sent(), ['SAVE REQUEST_ABORTED', 'SAVE_COMPLETE SUCCESS']);
  t.same(rules(world), ['NdisTimedOidComplete']);
});

t.test('SAVE_COMPLETE held too long is forwarded for its holder (G20)', async (t) => {
  const { machine, port, nic, world } = past({
    saveNicComplete: (_nic, request) => request.pend(),
  });
  const saving = machine.saveNic(port, nic);
  world.clock.advance(12_000);
  t.equal((await saving).records.length, 1);
  t.same(rules(world), ['NdisTimedOidComplete']);
});

t.test(
  'the switch stops in the middle of a save: it fails, SAVE_COMPLETE still goes out (G8, G10)',
  async (t) => {
    const { machine, port, nic, sent } = past({ saveNic: (state) => state.request.pend() });
    const saving = machine.saveNic(port, nic);
    const stopped = machine.stop();
    const outcome = await saving;
    await stopped;
    t.same(outcome.records, []);
    t.equal(outcome.refused?.status, NdisStatus.REQUEST_ABORTED);
    t.same(sent(), ['SAVE REQUEST_ABORTED', 'SAVE_COMPLETE SUCCESS']);
    t.equal(nic.transfer, undefined);
    t.equal(machine.modules.length, 0);
  },
);

t.test(
  'an extension is disabled in the middle of a save: it leaves when the save has ended (G9, A63)',
  async (t) => {
    const held: NicSaveState[] = [];
    const log: string[] = [];
    const leaver = extension(
      'filter',
      {
        saveNic: (state) => {
          if (held.length > 0) return 'forward';
          held.push(state);
          return state.request.pend();
        },
        saveNicComplete: () => {
          log.push('save ended');
        },
        detach: () => {
          log.push('detached');
        },
      },
      'leaver',
    );
    const stayer = keeper([blob(5)], 'forward', 'stayer');
    const { machine, port, nic, world } = saveScene([leaver, stayer]);
    const saving = machine.saveNic(port, nic);
    const changing = machine.changeStack([stayer]);
    held[0]?.request.complete(held[0].save(blob(6)));
    t.same(
      (await saving).records.map(({ extensionFriendlyName }) => extensionFriendlyName),
      ['leaver', 'stayer'],
    );
    await changing;
    t.same(log, ['save ended', 'detached']);
    t.same(rules(world), []);
  },
);

t.test('an extension cannot issue the save and restore OIDs itself (G1, G23, D20)', (t) => {
  const world = switchWorld();
  const statuses: number[] = [];
  const machine = startSwitch(world, [
    extension('filter', (sw) => ({
      createPort: () => {
        for (const oid of [0x10290, 0x10291, 0x10292, 0x10293]) {
          const result = sw.request(oid === 0x10290 ? 'method' : 'set', oid, new Uint8Array(568));
          if (!(result instanceof Promise)) statuses.push(result.status);
        }
      },
    })),
  ]);
  now(machine.connectNic(makePort(machine), nicOptions()));
  t.same(statuses, new Array(4).fill(NdisStatus.NOT_SUPPORTED));
  t.same(rules(world), new Array(4).fill('C41'));
  t.ok(nicOidsOf(world).every((line) => !/SAVE|RESTORE/.test(line)));
  t.end();
});
