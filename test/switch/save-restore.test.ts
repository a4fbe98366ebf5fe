import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  NicRestoreState,
} from '../../src/sdk/extension.ts';
import type { SaveRecord } from '../../switch/save-record.ts';
import { blob, keeper, saveScene } from '../support/save-scene.ts';
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

/** Wire bytes 44 33 22 11 66 55 88 77 99 aa bb cc dd ee ff 00. */
const STRANGER = '11223344-5566-7788-99aa-bbccddeeff00';
const CLASS = '01020304-0506-0708-090a-0b0c0d0e0f10';
const NO_CLASS = '00000000-0000-0000-0000-000000000000';

function record(extensionId: string, data: Uint8Array, more: Partial<SaveRecord> = {}): SaveRecord {
  return {
    extensionId,
    extensionFriendlyName: 'AB',
    featureClassId: NO_CLASS,
    portId: 9,
    data,
    ...more,
  };
}

/** Takes its own records and keeps what it got. */
function taker(
  type: 'capture' | 'filter' | 'forward' = 'filter',
  name: string = type,
): { definition: ExtensionDefinition; got: [portId: number, data: Uint8Array][] } {
  const got: [number, Uint8Array][] = [];
  const definition = extension(
    type,
    {
      restoreNic: (state) => {
        if (!state.isMine) return 'forward';
        got.push([state.portId, state.data]);
        return NdisStatus.SUCCESS;
      },
    },
    name,
  );
  return { definition, got };
}

t.test(
  'OID_SWITCH_NIC_RESTORE carries the record with these bytes and the port of today (G23, G25, G26)',
  (t) => {
    for (const [ndis, head, tail] of [
      ['6.30', '80 01 3b 02', '03 00 38 02'],
      ['6.85', '80 02 43 02', '03 00 40 02 8*00'],
    ] as const) {
      const { world, restore, sent } = saveScene([extension('filter', {})], ndis);
      const stored = record(STRANGER, Uint8Array.of(1, 2, 3), { featureClassId: CLASS });
      t.same(restore([stored]), { restored: 0, unowned: [stored] });
      t.same(sent(), ['RESTORE SUCCESS', 'RESTORE_COMPLETE SUCCESS']);
      const [first, complete] = world.trace.entries();
      t.equal(first?.requestType, 'set');
      t.equal(
        hex(first?.input ?? blob(0)),
        hex(
          fromHex(`${head} 00 00 00 00 01 00 00 00 00 00 00 00   ; port 1, not 9
          44 33 22 11 66 55 88 77 99 aa bb cc dd ee ff 00
          04 00 41 00 42 00 510*00
          04 03 02 01 06 05 08 07 09 0a 0b 0c 0d 0e 0f 10 ${tail} 01 02 03`),
        ),
      );
      t.equal(complete?.input.length, ndis === '6.30' ? 568 : 576);
      t.equal(hex(complete?.input.subarray(8, 14) ?? blob(0)), '01 00 00 00 00 00');
      t.match(world.changes.slice(-2), [
        {
          event: 'nicRestoreUnowned',
          portId: 1,
          nicIndex: 0,
          extensionId: STRANGER,
          extension: 'AB',
        },
        { event: 'nicRestored', portId: 1, restored: 0, unowned: 1 },
      ]);
      t.same(rules(world), [], 'nobody broke a rule');
    }
    t.end();
  },
);

t.test('the owner sees its record decoded and takes it; nobody below sees it (G30, G31)', (t) => {
  const seen: unknown[] = [];
  const look = (state: NicRestoreState): void => {
    seen.push([
      state.portId,
      state.nicIndex,
      state.extensionId,
      state.extensionFriendlyName,
      state.featureClassId,
      state.isMine,
      [...state.data],
      state.request.oidName,
    ]);
  };
  const owner = extension('filter', {
    restoreNic: (state) => {
      look(state);
      return NdisStatus.SUCCESS;
    },
    restoreNicComplete: (nic, request) => {
      seen.push([nic.portId, nic.nicIndex, request.oidName]);
    },
  });
  const { restore, world } = saveScene([
    extension('capture', { restoreNic: look }),
    owner,
    extension('forward', { restoreNic: look }),
  ]);
  const stored = record(owner.id, Uint8Array.of(5, 6), { featureClassId: CLASS });
  t.same(restore([stored]), { restored: 1, unowned: [] });
  const facts = (mine: boolean) => [
    ...[1, 0, owner.id, 'AB', CLASS, mine, [5, 6]],
    'OID_SWITCH_NIC_RESTORE',
  ];
  t.same(seen, [facts(false), facts(true), [1, 0, 'OID_SWITCH_NIC_RESTORE_COMPLETE']]);
  t.same(rules(world), []);
  t.end();
});

t.test('a restore of nothing is its RESTORE_COMPLETE (G23)', (t) => {
  const { restore, sent } = saveScene([]);
  t.same(restore([]), { restored: 0, unowned: [] });
  t.same(sent(), ['RESTORE_COMPLETE SUCCESS']);
  t.end();
});

t.test(
  'the next record goes out only when the one before has completed with success (G24, G28, OP-18)',
  async (t) => {
    const held: NicRestoreState[] = [];
    const owner = extension('filter', {
      restoreNic: (state) => {
        held.push(state);
        return state.request.pend();
      },
    });
    const { machine, port, nic, sent, world } = saveScene([owner]);
    const running = machine.restoreNic(port, nic, [
      record(owner.id, blob(1, 1)),
      record(owner.id, blob(1, 2)),
      record(owner.id, blob(1, 3)),
    ]);
    const second = machine.restoreNic(port, nic, []);
    for (let i = 0; i < 3; i += 1) {
      await settle();
      t.equal(held.length, i + 1);
      t.equal(nic.transfer, 'restore');
      t.same(held[i]?.data, blob(1, i + 1));
      held[i]?.request.complete(NdisStatus.SUCCESS);
    }
    t.same(await running, { restored: 3, unowned: [] });
    t.same(await second, { restored: 0, unowned: [] });
    t.same(sent(), [
      'RESTORE SUCCESS',
      'RESTORE SUCCESS',
      'RESTORE SUCCESS',
      'RESTORE_COMPLETE SUCCESS',
      'RESTORE_COMPLETE SUCCESS',
    ]);
    t.same(rules(world), []);
  },
);

t.test(
  'an error of the owner ends the restore: no further record, RESTORE_COMPLETE unless switched off (G27, OP-17)',
  (t) => {
    for (const completeFailedRestore of [true, false]) {
      const owner = extension('filter', {
        restoreNic: (state) => (state.data[0] === 2 ? NdisStatus.RESOURCES : NdisStatus.SUCCESS),
      });
      const { restore, sent, world, nic } = saveScene([owner], '6.85', { completeFailedRestore });
      const outcome = restore([1, 2, 3].map((n) => record(owner.id, blob(1, n))));
      t.match(outcome, { restored: 1, unowned: [] });
      t.equal(outcome.refused?.status, NdisStatus.RESOURCES);
      t.equal(outcome.refused?.completedBy?.id, owner.id);
      t.same(sent(), [
        'RESTORE SUCCESS',
        'RESTORE RESOURCES',
        ...(completeFailedRestore ? ['RESTORE_COMPLETE SUCCESS'] : []),
      ]);
      t.match(world.changes.at(-1), { event: 'nicRestoreFailed', restored: 1 });
      t.equal(nic.state, 'connected');
      t.equal(nic.transfer, undefined);
      t.same(rules(world), []);
    }
    t.end();
  },
);

t.test('a handler that throws on a record fails the restore (G27, G33, D6)', (t) => {
  const { restore, sent, world } = saveScene([
    extension('filter', {
      restoreNic: () => {
        throw new Error('boom');
      },
    }),
  ]);
  t.equal(restore([record(STRANGER, blob(1))]).refused?.status, NdisStatus.FAILURE);
  t.same(sent(), ['RESTORE FAILURE', 'RESTORE_COMPLETE SUCCESS']);
  t.same(rules(world), ['D6', 'G32'], 'it was not even its own record');
  t.end();
});

t.test('who takes a foreign record gets a warning; it counts as taken (G30, G32)', (t) => {
  const { restore, world } = saveScene([
    extension('filter', { restoreNic: () => NdisStatus.SUCCESS }, 'greedy'),
  ]);
  t.same(restore([record(STRANGER, blob(1))]), { restored: 1, unowned: [] });
  t.match(world.findings, [
    {
      rule: 'G32',
      severity: 'warning',
      oid: 'OID_SWITCH_NIC_RESTORE',
      message: new RegExp(`greedy completed a record of ${STRANGER}, which is not its own`),
    },
  ]);
  t.end();
});

t.test('who forwards its own record breaks a rule; the restore goes on (G26, G31)', (t) => {
  const { definition, got } = taker('forward', 'good');
  const lazy = extension('filter', {}, 'lazy');
  const { restore, world } = saveScene([lazy, definition]);
  const own = record(lazy.id, blob(1));
  t.same(restore([own, record(definition.id, blob(2))]), { restored: 1, unowned: [own] });
  t.equal(got.length, 1);
  t.match(world.findings, [{ rule: 'G31', severity: 'error', extensionId: lazy.id }]);
  t.end();
});

t.test('bytes of a record that a handler changes are put back (D4, G32)', (t) => {
  const bad = extension('filter', {
    restoreNic: ({ request }) => {
      request.bytes[576] = 0xff;
    },
  });
  const { definition, got } = taker('forward');
  const { restore, world } = saveScene([bad, definition]);
  t.equal(restore([record(definition.id, blob(2, 1))]).restored, 1);
  t.same(got, [[1, blob(2, 1)]]);
  t.match(world.findings, [{ rule: 'G32', message: /changed byte 576 .* from 0x01 to 0xff/ }]);
  t.end();
});

t.test(
  'RESTORE_COMPLETE that an extension fails or completes goes on as if forwarded (G34, OP-28)',
  (t) => {
    const { restore, world, machine } = saveScene([
      extension('filter', { restoreNicComplete: () => NdisStatus.FAILURE }),
      extension('forward', {}),
    ]);
    t.same(restore([]), { restored: 0, unowned: [] });
    t.same(rules(world), ['G34']);
    t.equal(machine.modules[1]?.desynchronized, true);
    t.end();
  },
);

t.test(
  'data kept from a restore outlives the request and stays as it was (G31, G35)',
  async (t) => {
    const kept: NicRestoreState[] = [];
    const owner = extension('filter', {
      restoreNic: (state) => {
        kept.push(state);
        return NdisStatus.SUCCESS;
      },
    });
    const { restore } = saveScene([owner]);
    const bytes = blob(3, 7);
    restore([record(owner.id, bytes)]);
    bytes.fill(0);
    t.same(kept[0]?.data, blob(3, 7));
    const data = kept[0]?.data;
    t.equal(kept[0]?.data, data, 'one copy');
    t.throws(() => kept[0]?.request.bytes, { code: 'ILLEGAL_TRANSITION' });
  },
);

t.test('restore is refused on a NIC that is not connected; nothing is sent (G29)', (t) => {
  const { machine, port, nic, world, sent } = saveScene([]);
  now(machine.disconnectNic(port, nic));
  world.trace.clear();
  t.throws(() => machine.restoreNic(port, nic, []), {
    code: 'ILLEGAL_TRANSITION',
    message: 'NIC 1/0 is deleted: restore is not allowed (rule G29)',
    place: { rule: 'G29' },
  });
  t.same(sent(), []);
  t.end();
});

t.test('a record that no request can carry is refused before the first OID (G11, G12)', (t) => {
  const { machine, port, nic, sent } = saveScene([], '6.40');
  const good = record(STRANGER, blob(1));
  const bad: [Partial<SaveRecord>, string][] = [
    [{ data: blob(0) }, 'data'],
    [{ data: blob(64_968) }, 'data'],
    [{ extensionId: NO_CLASS }, 'extensionId'],
    [{ extensionId: STRANGER.replace('bbcc', 'BBCC') }, 'extensionId'],
    [{ featureClassId: 'x' }, 'featureClassId'],
    [{ extensionFriendlyName: 'n'.repeat(257) }, 'extensionFriendlyName'],
  ];
  for (const [change, member] of bad) {
    t.throws(() => machine.restoreNic(port, nic, [good, { ...good, ...change }]), {
      code: 'INVALID_ARGUMENT',
      message: new RegExp(`^record 1: ${member} is .* \\(rule G12\\)$`),
      place: { rule: 'G12', member },
    });
  }
  t.equal(nic.transfer, undefined);
  t.same(sent(), []);
  const longest = record(STRANGER, blob(64_967), { extensionFriendlyName: 'n'.repeat(256) });
  t.equal(now(machine.restoreNic(port, nic, [longest])).unowned.length, 1);
  t.end();
});

t.test('the switch stops in the middle of a restore: it fails (G27)', async (t) => {
  const { machine, port, nic, sent, world } = saveScene([
    extension('filter', { restoreNic: (state) => state.request.pend() }),
  ]);
  const running = machine.restoreNic(port, nic, [
    record(STRANGER, blob(1)),
    record(STRANGER, blob(2)),
  ]);
  const stopped = machine.stop();
  t.equal((await running).refused?.status, NdisStatus.REQUEST_ABORTED);
  await stopped;
  t.same(sent(), ['RESTORE REQUEST_ABORTED', 'RESTORE_COMPLETE SUCCESS']);
  t.same(rules(world), [], "what the switch ended is nobody's fault");
});

t.test(
  'turns: check refuses before the first OID, accepted is told of success alone (G8, G27)',
  (t) => {
    const told: number[] = [];
    let status: NdisStatus | 'forward' = 'forward';
    const { machine, port, nic, sent } = saveScene([
      extension('filter', { saveNic: () => status, restoreNic: () => status }),
    ]);
    const refuse = {
      check: () => {
        throw new Error('not now');
      },
    };
    t.throws(() => machine.saveNic(port, nic, refuse), { message: 'not now' });
    t.throws(() => machine.restoreNic(port, nic, [], refuse), { message: 'not now' });
    t.same(sent(), []);
    const one = record(STRANGER, blob(1));
    for (status of ['forward', NdisStatus.FAILURE] as const) {
      now(machine.saveNic(port, nic, { accepted: (outcome) => told.push(outcome.records.length) }));
      now(
        machine.restoreNic(port, nic, [one], {
          accepted: (outcome) => told.push(10 + outcome.unowned.length),
        }),
      );
    }
    t.same(told, [0, 11]);
    t.end();
  },
);

// --- laws ------------------------------------------------------------------------------------------------------------

const TYPES = ['capture', 'filter', 'filter', 'forward'] as const;

/** Saves what it is told to and notes what comes back, pending when `late`. */
function both(
  type: (typeof TYPES)[number],
  name: string,
  blobs: readonly Uint8Array[],
  late: boolean,
) {
  const got: Uint8Array[] = [];
  const left = [...blobs];
  const handlers: ExtensionHandlers = {
    saveNic: (state) => {
      const next = left[0];
      if (next === undefined) return 'forward';
      const status = state.save(next, CLASS);
      if (status === NdisStatus.SUCCESS) left.shift();
      return late ? Promise.resolve(status) : status;
    },
    restoreNic: (state) => {
      if (!state.isMine) return 'forward';
      assert.equal(state.portId, 2);
      assert.equal(state.featureClassId, CLASS);
      got.push(state.data);
      return late ? Promise.resolve(NdisStatus.SUCCESS) : NdisStatus.SUCCESS;
    },
  };
  return { definition: extension(type, handlers, name), got, blobs };
}

t.test(
  'any blobs of any extensions come back identical and in order on another port (G5, G7, G11, G23, G25, G31, OP-18)',
  async (t) => {
    const size = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 1, max: 64 }) },
      { weight: 3, arbitrary: fc.constantFrom(4095, 4096, 4097, 64_959, 64_960, 64_967) },
      { weight: 1, arbitrary: fc.integer({ min: 64_968, max: 200_000 }) },
    );
    const owner = fc.record({
      sizes: fc.array(size, { maxLength: 5 }),
      late: fc.boolean(),
      fill: fc.integer({ min: 0, max: 255 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('6.30' as const, '6.50' as const, '6.85' as const),
        fc.tuple(owner, owner, owner, owner),
        async (ndis, plans) => {
          const most = ndis === '6.30' ? 64_967 : 200_000;
          const owners = plans.map(({ sizes, late, fill }, i) => {
            const blobs = sizes.map((length, n) => {
              const bytes = blob(Math.min(length, most), fill);
              bytes[0] = n;
              bytes[bytes.length - 1] = n;
              return bytes;
            });
            return both(TYPES[i] ?? 'filter', `e${i}`, blobs, late);
          });
          const { machine, port, nic, world } = saveScene(
            owners.map(({ definition }) => definition),
            ndis,
          );
          const { records } = await machine.saveNic(port, nic);
          assert.deepEqual(
            records.map(({ data }) => data),
            owners.flatMap(({ blobs }) => blobs),
          );
          const other = makePort(machine, 'synthetic', 'other');
          const { nic: there } = now(machine.connectNic(other, nicOptions({ name: 'other' })));
          const outcome = await machine.restoreNic(other, there, records);
          assert.deepEqual(outcome, { restored: records.length, unowned: [] });
          for (const { got, blobs } of owners) assert.deepEqual(got, blobs);
          assert.deepEqual(rules(world), []);
        },
      ),
      { numRuns: 60 },
    );
    t.pass('60 cases');
  },
);

t.test(
  'an extension gone between save and restore leaves its records unowned, the others get theirs (G26, OP-18)',
  (t) => {
    const gone = keeper([blob(2, 1), blob(2, 2)], 'filter', 'gone');
    const { definition, got } = taker('forward');
    const stays: ExtensionDefinition = {
      ...definition,
      attach: (sw) => ({
        ...definition.attach(sw),
        saveNic: (state) => (got.length === 0 && left-- > 0 ? state.save(blob(3, 3)) : 'forward'),
      }),
    };
    let left = 1;
    const { machine, port, nic, save, restore, world } = saveScene([gone, stays]);
    const { records } = save();
    t.equal(records.length, 3);
    now(machine.changeStack([stays]));
    t.same(restore(records), { restored: 1, unowned: records.slice(0, 2) });
    t.same(got, [[port.portId, blob(3, 3)]]);
    t.equal(world.changes.filter(({ event }) => event === 'nicRestoreUnowned').length, 2);
    t.same(rules(world), []);
    t.equal(nic.state, 'connected');
    t.end();
  },
);
