import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { ExtensionHandlers, FeatureStatusQuery, Verdict } from '../../src/sdk/extension.ts';
import { extensionWith, FABRIKAM } from '../support/fabrikam.ts';
import {
  hex,
  lastEntry,
  mofClass,
  openWorld,
  PORT_STATUS,
  SWITCH_STATUS,
  turn,
} from './open-world.ts';

const UNKNOWN = '00000000-0000-4000-8000-00000000000a';
const PORT_QUERY = 'OID_SWITCH_PORT_FEATURE_STATUS_QUERY';

/** An extension that answers both kinds of query. */
function answering(answer: (query: FeatureStatusQuery) => Verdict): ExtensionHandlers {
  return { queryPortFeatureStatus: answer, querySwitchFeatureStatus: answer };
}

t.test('F1, F9, F14, F15: the owner answers, management gets values and raw bytes', async (t) => {
  const asked: (string | undefined)[] = [];
  const { fabric, sw, port } = await openWorld([
    extensionWith(() =>
      answering((query) => {
        asked.push(query.feature);
        return query.respond({ CurrentStatus: 0x01020304 });
      }),
    ),
  ]);
  const expected = {
    extensionId: FABRIKAM,
    version: 0x0100,
    data: { CurrentStatus: 0x01020304 },
    raw: Uint8Array.of(4, 3, 2, 1),
  };
  t.same(await port.status(PORT_STATUS), {
    featureId: 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbd',
    feature: PORT_STATUS,
    ...expected,
  });
  t.same(await sw.status('{EB29F0F2-F5DC-45C6-81BB-3CD9F219BBBE}'), {
    featureId: 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbe',
    feature: SWITCH_STATUS,
    ...expected,
  });
  t.same(asked, [PORT_STATUS, SWITCH_STATUS]);
  t.match(fabric.trace.decode(lastEntry(sw, PORT_QUERY)), {
    PortId: 1,
    FeatureStatusVersion: 256,
    FeatureStatus: { FeatureStatusBufferLength: 4, CustomData: { CurrentStatus: 0x01020304 } },
  });
  await fabric.close();
});

t.test(
  'F13, OP-34: nobody owns it: NO_FEATURE_STATUS with NOT_SUPPORTED from the miniport edge',
  async (t) => {
    const { fabric, sw, port } = await openWorld([extensionWith(() => ({}))]);
    for (const [ask, oid] of [
      [() => port.status(PORT_STATUS), PORT_QUERY],
      [() => sw.status(SWITCH_STATUS), 'OID_SWITCH_FEATURE_STATUS_QUERY'],
      [() => port.status(UNKNOWN), PORT_QUERY],
    ] as const) {
      const error = await ask().then(
        () => undefined,
        (thrown) => thrown,
      );
      t.match(error, {
        code: 'NO_FEATURE_STATUS',
        httpStatus: 404,
        message: /^no extension of switch S reports/,
      });
      t.same(error.place, { ndisStatus: 'NDIS_STATUS_NOT_SUPPORTED', oid });
    }
    await fabric.close();
  },
);

t.test('F12: an owner that fails is named with its status', async (t) => {
  const { fabric, port } = await openWorld([
    extensionWith(() => answering(() => NdisStatus.FAILURE)),
  ]);
  await t.rejects(port.status(PORT_STATUS), {
    code: 'NO_FEATURE_STATUS',
    message: /the extension completed the query with NDIS_STATUS_FAILURE/,
    place: { ndisStatus: 'NDIS_STATUS_FAILURE', extensionId: FABRIKAM, oid: PORT_QUERY },
  });
  await fabric.close();
});

t.test('an owner that never answers is ended by the clock and named', async (t) => {
  const { fabric, port } = await openWorld([
    extensionWith(() => answering((query) => query.request.pend())),
  ]);
  const asked = t.rejects(port.status(PORT_STATUS), {
    code: 'NO_FEATURE_STATUS',
    place: { ndisStatus: 'NDIS_STATUS_REQUEST_ABORTED', extensionId: FABRIKAM },
  });
  await turn();
  t.match(fabric.pending(), [{ oid: PORT_QUERY, heldBy: FABRIKAM, pendingForMs: 0, queued: 0 }]);
  fabric.clock.advance(11_999);
  t.match(fabric.pending(), [{ pendingForMs: 11_999 }]);
  fabric.clock.advance(1);
  await asked;
  t.same(fabric.pending(), []);
  t.match(fabric.events.after(0).at(-1), {
    type: 'finding',
    time: 12_000,
    data: { rule: 'NdisTimedOidComplete' },
  });
  await fabric.close();
});

t.test('a wrong scope or an unknown name is refused without asking anybody', async (t) => {
  const { fabric, sw, port } = await openWorld();
  const { seq } = lastEntry(sw, 'OID_SWITCH_PORT_CREATE');
  const wrong = { code: 'INVALID_ARGUMENT', place: { member: 'featureId' } };
  await t.rejects(port.status(SWITCH_STATUS), wrong);
  await t.rejects(sw.status(PORT_STATUS), wrong);
  await t.rejects(sw.status('Nobody_Status'), { code: 'NOT_FOUND' });
  await t.rejects(
    sw.status('Fabrikam_SwitchCustomSettingData'),
    { code: 'NOT_FOUND' },
    'a setting is no status',
  );
  t.equal(sw.trace.entries().at(-1)?.seq, seq);
  await fabric.close();
});

t.test('a class nobody registered: raw bytes, no values', async (t) => {
  const { fabric, port } = await openWorld([
    extensionWith(() => answering((query) => query.respondRaw(Uint8Array.of(1, 2, 3), 0x0203))),
  ]);
  t.same(await port.status(UNKNOWN), {
    featureId: UNKNOWN,
    feature: '',
    extensionId: FABRIKAM,
    version: 0x0203,
    data: {},
    raw: Uint8Array.of(1, 2, 3),
  });
  await fabric.close();
});

t.test('F5, F11: more data than the class is long is asked for again with room', async (t) => {
  const { fabric, sw, port } = await openWorld([
    extensionWith(() =>
      answering((query) => query.respond({ Ports: Array.from({ length: 100 }, (_, i) => i) })),
    ),
  ]);
  await fabric.features.register(
    mofClass(
      { name: 'Fabrikam_Ports', base: 'Msvm_EthernetPortData' },
      '[WmiDataId(1)] uint32 Ports[];',
    ),
  );
  const { data, raw } = await port.status('Fabrikam_Ports');
  t.same(
    data['Ports'],
    Array.from({ length: 100 }, (_, i) => i),
  );
  t.equal(hex(raw.subarray(0, 12)), '640000000800000000000000');
  t.same(
    sw.trace.entries({ oid: PORT_QUERY }).map(({ status }) => status),
    ['NDIS_STATUS_INVALID_LENGTH', 'NDIS_STATUS_SUCCESS'],
  );
  await fabric.close();
});

t.test(
  'an answer that does not fit its class fails with its place, and the trace shows it as bytes',
  async (t) => {
    const { fabric, sw, port } = await openWorld([
      extensionWith(() => answering((query) => query.respondRaw(Uint8Array.of(1, 2)))),
    ]);
    await t.rejects(port.status(PORT_STATUS), {
      code: 'EXTENSION_FAILED',
      place: { structure: PORT_STATUS, offset: 0, extensionId: FABRIKAM },
    });
    t.match(fabric.trace.decode(lastEntry(sw, PORT_QUERY)), {
      structure: 'NDIS_SWITCH_PORT_FEATURE_STATUS_PARAMETERS',
      FeatureStatus: { FeatureStatusBufferLength: 2, CustomData: '0102' },
    });
    await fabric.close();
  },
);
