import { readFileSync } from 'node:fs';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionDefinition, ExtensionHandlers, Verdict } from '../../src/sdk/extension.ts';
import { briefly, goldenText, goldenTrace } from '../support/golden-trace.ts';
import { extension, settle } from '../support/switch-world.ts';

const FABRIKAM = readFileSync(new URL('../../policies/fabrikam.mof', import.meta.url));

/** A world with manual clock and fixed seed, the Fabrikam classes, and a switch with extensions of all three classes. */
async function world(handlers: {
  readonly capture?: ExtensionHandlers;
  readonly filter?: ExtensionHandlers;
  readonly forward?: ExtensionHandlers;
}): Promise<{ fabric: Fabric; names: Map<string, string>; ids: string[] }> {
  const fabric = await Fabric.open({ clock: 'manual', seed: 'golden' });
  await fabric.features.register(FABRIKAM, { source: 'fabrikam.mof' });
  const stack: ExtensionDefinition[] = [
    extension('capture', handlers.capture ?? {}, 'capture'),
    extension('filter', handlers.filter ?? {}, 'filter'),
    extension('forward', handlers.forward ?? {}, 'forward'),
  ];
  await fabric.switches.create({ name: 'Golden', type: 'external', extensions: stack });
  return {
    fabric,
    names: new Map(stack.map(({ id, name }) => [id, name])),
    ids: stack.map(({ id }) => id),
  };
}

const PROPERTY = '01020304-0506-0708-090a-0b0c0d0e0f10';
const PORT_CLASS = 'Fabrikam_PortCustomSettingData';
const SWITCH_CLASS = 'Fabrikam_SwitchCustomSettingData';

t.test(
  'S5: custom port property: a filtering owner forwards and watches, vetoes what it cannot take; removed (E14, E16, E17, E25, E28, E36)',
  async (t) => {
    const watched: string[] = [];
    const verdict = (value: unknown): Verdict =>
      Number(value) > 100 ? NdisStatus.DATA_NOT_ACCEPTED : 'forward';
    const { fabric, names, ids } = await world({
      filter: {
        addPortProperty: ({ settings }) => verdict(settings?.['SettingIntA']),
        updatePortProperty: ({ settings }) => verdict(settings?.['SettingIntA']),
        oidRequestComplete: ({ oidName, status }) => {
          if (/PROPERTY/.test(oidName)) watched.push(`${oidName} ${status}`);
        },
      },
    });
    const port = await fabric.switches.get('Golden').ports.create({ name: 'VM A' });
    const { properties } = port;
    await properties.add(PORT_CLASS, { SettingIntA: 1, SettingIntB: 2n }, { id: PROPERTY });
    await properties.update(PROPERTY, { SettingIntA: 3, SettingIntB: 4n });
    await t.rejects(properties.update(PROPERTY, { SettingIntA: 101 }), {
      code: 'VETOED',
      place: { extensionId: ids[1], ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED' },
    });
    t.same(properties.get(PROPERTY).settings, { SettingIntA: 3, SettingIntB: 4n }, 'unchanged');
    await properties.delete(PROPERTY);
    t.same([...properties.list()], []);

    const entries = fabric.trace.entries();
    t.same(briefly(entries), [
      'PORT_CREATE: forward forward forward SUCCESS => SUCCESS',
      'PORT_PROPERTY_ADD: forward forward forward SUCCESS => SUCCESS',
      'PORT_PROPERTY_UPDATE: forward forward forward SUCCESS => SUCCESS',
      'PORT_PROPERTY_UPDATE: forward DATA_NOT_ACCEPTED => DATA_NOT_ACCEPTED',
      'PORT_PROPERTY_DELETE: forward forward forward SUCCESS => SUCCESS',
    ]);
    t.same(
      entries.map(({ input }) => input.length),
      [1056, 64 + 16 + 16, 96, 96, 48],
    );
    t.equal(entries[3]?.route.at(-1)?.module, ids[1]);
    t.same(
      watched,
      [
        'OID_SWITCH_PORT_PROPERTY_ADD 0',
        'OID_SWITCH_PORT_PROPERTY_UPDATE 0',
        'OID_SWITCH_PORT_PROPERTY_DELETE 0',
      ],
      'its own veto does not come back to it',
    );
    const text = goldenText('S5: custom port property, filtering owner', fabric, names);
    t.equal(text, goldenTrace('s05-custom-port-property', text));
    await fabric.close();
  },
);

t.test(
  'S6: custom switch property: a forwarding owner completes; an unknown instance is INVALID_PARAMETER (E15, E27, E29, OP-5)',
  async (t) => {
    const held = new Set<string>();
    const { fabric, names, ids } = await world({
      forward: {
        addSwitchProperty: ({ propertyInstanceId }) => {
          held.add(propertyInstanceId);
          return NdisStatus.SUCCESS;
        },
        updateSwitchProperty: ({ propertyInstanceId }) =>
          held.has(propertyInstanceId) ? NdisStatus.SUCCESS : NdisStatus.INVALID_PARAMETER,
        deleteSwitchProperty: ({ propertyInstanceId }) =>
          held.delete(propertyInstanceId) ? NdisStatus.SUCCESS : NdisStatus.INVALID_PARAMETER,
      },
    });
    const { properties } = fabric.switches.get('Golden');
    await properties.add(SWITCH_CLASS, { SwitchSettingIntA: 10 }, { id: PROPERTY });
    await properties.update(PROPERTY, { SwitchSettingIntA: 11, SwitchSettingIntB: 12n });
    held.clear();
    await t.rejects(properties.update(PROPERTY, { SwitchSettingIntA: 13 }), { code: 'VETOED' });
    await t.rejects(properties.delete(PROPERTY), {
      code: 'VETOED',
      place: { ndisStatus: 'NDIS_STATUS_INVALID_PARAMETER' },
    });
    t.match(properties.get(PROPERTY), { revision: 2, settings: { SwitchSettingIntA: 11 } });
    held.add(PROPERTY);
    await properties.delete(PROPERTY);

    const entries = fabric.trace.entries();
    t.same(briefly(entries), [
      'PROPERTY_ADD: forward forward SUCCESS => SUCCESS',
      'PROPERTY_UPDATE: forward forward SUCCESS => SUCCESS',
      'PROPERTY_UPDATE: forward forward INVALID_PARAMETER => INVALID_PARAMETER',
      'PROPERTY_DELETE: forward forward INVALID_PARAMETER => INVALID_PARAMETER',
      'PROPERTY_DELETE: forward forward SUCCESS => SUCCESS',
    ]);
    t.ok(entries.every(({ route }) => route.at(-1)?.module === ids[2]));
    t.same(
      entries.map(({ input }) => input.length),
      [56 + 16 + 16, 88, 88, 44, 44],
    );
    t.same(
      fabric.events.after(0).filter(({ type }) => type === 'finding'),
      [],
    );
    const text = goldenText('S6: custom switch property, forwarding owner', fabric, names);
    t.equal(text, goldenTrace('s06-custom-switch-property', text));
    await fabric.close();
  },
);

t.test(
  'S7: feature status: too small, asked again, answered; nobody owns the other one (F1, F5, F9, F11, F13)',
  async (t) => {
    let calls = 0;
    const { fabric, names, ids } = await world({
      filter: {
        queryPortFeatureStatus: (query) => {
          calls += 1;
          if (query.capacityBytes < 8) {
            query.request.bytesNeeded = 64 + 16 + 8;
            return NdisStatus.INVALID_LENGTH;
          }
          return query.respondRaw(Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0), 0x0100);
        },
      },
    });
    const sw = fabric.switches.get('Golden');
    const port = await sw.ports.create({ name: 'VM A' });
    const status = await port.status('Fabrikam_CustomPortData');
    t.match(status, {
      feature: 'Fabrikam_CustomPortData',
      extensionId: ids[1],
      version: 0x0100,
      data: { CurrentStatus: 42 },
    });
    t.equal(calls, 2);
    await t.rejects(sw.status('Fabrikam_CustomSwitchData'), {
      code: 'NO_FEATURE_STATUS',
      place: { ndisStatus: 'NDIS_STATUS_NOT_SUPPORTED' },
    });

    const entries = fabric.trace.entries();
    t.same(briefly(entries), [
      'PORT_CREATE: forward forward forward SUCCESS => SUCCESS',
      'PORT_FEATURE_STATUS_QUERY: forward INVALID_LENGTH => INVALID_LENGTH',
      'PORT_FEATURE_STATUS_QUERY: forward SUCCESS => SUCCESS',
      'FEATURE_STATUS_QUERY: forward forward forward NOT_SUPPORTED => NOT_SUPPORTED',
    ]);
    t.same(
      entries.map(({ input, output }) => [input.length, output?.length]),
      [
        [1056, undefined],
        [64 + 16 + 4, 0],
        [64 + 16 + 8, 88],
        [56 + 16 + 4, 0],
      ],
    );
    const text = goldenText('S7: feature status query', fabric, names);
    t.equal(text, goldenTrace('s07-feature-status', text));
    await fabric.close();
  },
);

t.test(
  'S15: veto and rollback: the forwarding extension vetoes, the filter learns it from the completion (D14, D21, B17, B29)',
  async (t) => {
    const reserved = new Set<number>();
    const { fabric, names, ids } = await world({
      filter: {
        createPort: ({ portId }, request) => {
          reserved.add(portId);
          if (portId !== 2) return 'forward';
          setImmediate(() => request.forward());
          return request.pend();
        },
        oidRequestComplete: ({ oidName, status, bytes }) => {
          if (oidName === 'OID_SWITCH_PORT_CREATE' && status !== NdisStatus.SUCCESS) {
            reserved.delete(bytes[8] ?? 0);
          }
        },
      },
      forward: {
        createPort: ({ friendlyName }) =>
          friendlyName === 'full' ? NdisStatus.RESOURCES : NdisStatus.DATA_NOT_ACCEPTED,
      },
    });
    const { ports } = fabric.switches.get('Golden');
    await t.rejects(ports.create({ name: 'vetoed' }), {
      code: 'VETOED',
      place: { extensionId: ids[2], ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED' },
    });
    const second = ports.create({ name: 'full' });
    await settle();
    t.match(fabric.pending(), [{ oid: 'OID_SWITCH_PORT_CREATE', heldBy: ids[1], queued: 0 }]);
    await t.rejects(second, {
      code: 'VETOED',
      place: { ndisStatus: 'NDIS_STATUS_RESOURCES' },
    });
    t.same([...ports.list()], []);
    t.same([...reserved], [], 'rolled back');

    const entries = fabric.trace.entries();
    t.same(briefly(entries), [
      'PORT_CREATE: forward forward DATA_NOT_ACCEPTED => DATA_NOT_ACCEPTED',
      'PORT_CREATE: forward pend forward RESOURCES => RESOURCES',
    ]);
    t.ok(
      entries.every(({ route }) => !route.some(({ module }) => module === 'miniportEdge')),
      'M never saw it; neither TEARDOWN nor DELETE followed',
    );
    const text = goldenText('S15: veto and rollback', fabric, names);
    t.equal(text, goldenTrace('s15-veto-and-rollback', text));
    await fabric.close();
  },
);
