import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { PortProperty, SwitchProperty } from '../../src/sdk/extension.ts';
import {
  extension,
  fromHex,
  hex,
  INSTANCE,
  makePort,
  now,
  PORT_FEATURE,
  portProperty,
  rules,
  SWITCH_FEATURE,
  standardProperty,
  startSwitch,
  switchProperty,
  switchWorld,
} from '../support/switch-world.ts';

const PORT_ID_BYTES = '22 22 11 11 33 33 44 44 55 55 66 66 77 77 88 88';

t.test('a handler reads the property as values and as bytes (E22-E24)', (t) => {
  const world = switchWorld();
  const seen: unknown[] = [];
  const read = (property: PortProperty | SwitchProperty): void => {
    seen.push({
      ...('portId' in property ? { portId: property.portId } : {}),
      type: property.propertyType,
      id: property.propertyId,
      instance: property.propertyInstanceId,
      version: property.propertyVersion,
      serialization: property.serializationVersion,
      feature: property.feature,
      raw: hex(property.raw),
      settings: property.settings,
      same: Object.is(property.settings, property.settings),
      request: property.request.property === property,
    });
  };
  const machine = startSwitch(world, [
    extension('filter', {
      addPortProperty: read,
      deletePortProperty: read,
      addSwitchProperty: read,
      deleteSwitchProperty: read,
    }),
  ]);
  const port = makePort(machine);
  const property = portProperty(world);
  now(machine.addProperty(port, property));
  now(machine.deleteProperty(port, property));
  const own = switchProperty(world);
  now(machine.addProperty(machine.state, own));
  now(machine.deleteProperty(machine.state, own));
  const isolation = standardProperty(world, 5, { IsolationMode: 1, AllowUntaggedTraffic: true });
  now(machine.addProperty(port, isolation));
  now(machine.deleteProperty(port, isolation));
  const nil = '00000000-0000-0000-0000-000000000000';
  const custom = { type: 'custom', instance: INSTANCE, same: true, request: true };
  t.same(seen, [
    {
      ...custom,
      portId: 1,
      id: PORT_FEATURE,
      version: 0x0102,
      serialization: 1,
      feature: 'Fabrikam_PortSettingData',
      raw: '01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00',
      settings: { A: 1, B: 2n },
    },
    {
      ...custom,
      portId: 1,
      id: PORT_FEATURE,
      version: 0,
      serialization: 0,
      feature: 'Fabrikam_PortSettingData',
      raw: '',
      settings: undefined,
    },
    {
      ...custom,
      id: SWITCH_FEATURE,
      version: 0x0100,
      serialization: 1,
      feature: 'Fabrikam_SwitchSettingData',
      raw: '07 00 00 00',
      settings: { Limit: 7 },
    },
    {
      ...custom,
      id: SWITCH_FEATURE,
      version: 0,
      serialization: 0,
      feature: 'Fabrikam_SwitchSettingData',
      raw: '',
      settings: undefined,
    },
    {
      ...custom,
      portId: 1,
      type: 'isolation',
      id: nil,
      version: 0x0100,
      serialization: 1,
      feature: 'Msvm_EthernetSwitchPortIsolationSettingData',
      raw: '80 01 14 00 00 00 00 00 01 00 00 00 01 00 00 00 00 00 00 00',
      settings: { IsolationMode: 1, AllowUntaggedTraffic: true, DefaultIsolationId: 0 },
    },
    {
      ...custom,
      portId: 1,
      type: 'isolation',
      id: nil,
      version: 0,
      serialization: 0,
      feature: 'Msvm_EthernetSwitchPortIsolationSettingData',
      raw: '',
      settings: undefined,
    },
  ]);
  t.end();
});

t.test('each module gets values of its own: what one changes the next does not read (E22)', (t) => {
  const world = switchWorld();
  const seen: unknown[] = [];
  const machine = startSwitch(world, [
    extension('filter', {
      addPortProperty: (property) => {
        const settings = property.settings as { A: number };
        settings.A = 666;
      },
    }),
    extension('forward', {
      addPortProperty: (property) => {
        seen.push(property.settings?.['A']);
      },
    }),
  ]);
  const port = makePort(machine);
  const property = portProperty(world);
  now(machine.addProperty(port, property));
  t.same(seen, [1]);
  t.same(property.settings, { A: 1, B: 2n });
  t.end();
});

t.test('a property kept beyond its request gives no values and no bytes any more (D6)', (t) => {
  const world = switchWorld();
  let kept: PortProperty | undefined;
  const machine = startSwitch(world, [
    extension('filter', {
      addPortProperty: (property) => {
        kept = property;
      },
    }),
  ]);
  const port = makePort(machine);
  now(machine.addProperty(port, portProperty(world)));
  t.throws(() => kept?.raw, { code: 'ILLEGAL_TRANSITION' });
  t.throws(() => kept?.settings, { code: 'ILLEGAL_TRANSITION' });
  t.end();
});

t.test(
  'the table is changed in the moment of completion: what waited behind sees the change (E16, J8)',
  async (t) => {
    const world = switchWorld();
    const seen: number[] = [];
    let held: PortProperty | undefined;
    let ask: (() => unknown) | undefined;
    const machine = startSwitch(world, [
      extension('capture', (sw) => {
        ask = () => {
          const answer = sw.request(
            'method',
            0x10274,
            fromHex(`80 01 2e 00 00 00 00 00 01 00 00 00 01 00 00 00 ${PORT_ID_BYTES} 01 00 14*00`),
            200,
          );
          if (answer instanceof Promise) {
            return answer.then(({ output }) => seen.push(output[40] ?? -1));
          }
          return seen.push(answer.output[40] ?? -1);
        };
        return {};
      }),
      extension('forward', {
        addPortProperty: (property) => {
          held = property;
          return property.request.pend();
        },
      }),
    ]);
    const port = makePort(machine);
    ask?.();
    const sent = machine.addProperty(port, portProperty(world));
    const waiting = ask?.();
    held?.request.complete(NdisStatus.SUCCESS);
    await sent;
    await waiting;
    t.same(seen, [0, 1], 'NumProperties before and after');
    t.same(rules(world), []);
  },
);

t.test(
  'a buffer shown to a handler or held by one is not used again for the next request',
  async (t) => {
    const world = switchWorld();
    const kept: Uint8Array[] = [];
    const machine = startSwitch(world, [
      extension('filter', { addPortProperty: (property) => void kept.push(property.raw) }),
    ]);
    const port = makePort(machine);
    now(machine.addProperty(port, portProperty(world, { A: 1, B: 0n })));
    now(
      machine.addProperty(
        port,
        portProperty(world, { A: 2, B: 0n }, '99999999-0000-0000-0000-000000000001'),
      ),
    );
    t.same(
      kept.map((bytes) => bytes[0]),
      [1, 2],
    );
    const big = new Uint8Array(70_000);
    t.ok(big.length > 65_536);
  },
);
