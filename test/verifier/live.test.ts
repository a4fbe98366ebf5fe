import t from 'tap';
import { NULL_GUID } from '../../src/core/guid.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { VerifierMode } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { defineExtension } from '../../src/sdk/define.ts';
import type { ExtensionHandlers, SwitchContext } from '../../src/sdk/extension.ts';
import { liveVerifier } from '../../src/verifier/live-verifier.ts';
import { FABRIKAM_MOF } from '../support/fabrikam.ts';

const ID = '5cbf81be-5055-47cd-9055-a76b2b4e369e';

async function world(
  mode: VerifierMode,
  attach: (sw: SwitchContext) => ExtensionHandlers,
): Promise<Fabric> {
  const filter = defineExtension({
    id: ID,
    name: 'Filter',
    vendor: 'Fabrikam',
    version: '1.0',
    type: 'filter',
    attach,
  });
  const fabric = await Fabric.open({
    ...liveVerifier(mode),
    clock: 'manual',
    seed: 'live',
    extensions: [filter],
  });
  await fabric.switches.create({ name: 'S', extensions: [filter] });
  return fabric;
}

const findings = (fabric: Fabric) =>
  fabric.events.after(0).filter(({ type }) => type === 'finding');

/** Changes PortType of NDIS_SWITCH_PORT_PARAMETERS, u32 at 1032 (ndis-switch-abi.md). */
const scribbler = () => ({
  createPort: (_port: unknown, request: { readonly bytes: Uint8Array }) => {
    request.bytes[1032] = 9;
    return 'forward' as const;
  },
});

t.test('B26 with the verifier off: the finding names the byte, the change succeeds', async (t) => {
  const fabric = await world('off', scribbler);
  await fabric.switches.get('S').ports.create({ name: 'A' });
  const [finding, ...more] = findings(fabric);
  t.same(more, []);
  t.match(finding?.data, { rule: 'B26', severity: 'error', oid: 'OID_SWITCH_PORT_CREATE' });
  t.equal(finding?.data['bytes'], undefined);
  await fabric.close();
});

t.test('B26 with observe: the finding carries bytes, offset and route', async (t) => {
  const fabric = await world('observe', scribbler);
  const port = await fabric.switches.get('S').ports.create({ name: 'A' });
  t.equal(port.info.state, 'created');
  const data = findings(fabric)[0]?.data;
  t.match(data, { rule: 'B26', offset: 1032, route: [ID] });
  const bytes = data?.['bytes'] as Uint8Array;
  // Header: NDIS_OBJECT_TYPE_DEFAULT 0x80, revision 1; the size follows.
  t.same([bytes[0], bytes[1]], [0x80, 1]);
  t.equal(bytes[1032], 9, 'as it was when it happened');
  await fabric.close();
});

t.test('B26 with enforce: the change fails and nothing of it stays', async (t) => {
  const fabric = await world('enforce', scribbler);
  const sw = fabric.switches.get('S');
  await t.rejects(sw.ports.create({ name: 'A' }), {
    code: 'VETOED',
    place: { ndisStatus: 'NDIS_STATUS_FAILURE', extensionId: ID },
  });
  t.same([...sw.ports.list()], []);
  t.equal(findings(fabric).length, 1);
  await fabric.close();
});

t.test(
  'B24 with enforce: a teardown that was completed fails, the port goes all the same (OP-28)',
  async (t) => {
    const fabric = await world('enforce', () => ({ teardownPort: () => NdisStatus.SUCCESS }));
    const sw = fabric.switches.get('S');
    const port = await sw.ports.create({ name: 'A' });
    await port.delete();
    t.same([...sw.ports.list()], []);
    const torn = sw.trace.entries({ oid: 'OID_SWITCH_PORT_TEARDOWN' })[0];
    t.equal(torn?.status, 'NDIS_STATUS_FAILURE');
    await fabric.close();
  },
);

t.test(
  'B42 with observe: a reference that is kept is reported while the deletion waits',
  async (t) => {
    let held = 0;
    let give: (() => void) | undefined;
    const fabric = await world('observe', (sw) => ({
      connectNic(nic) {
        sw.referencePort(nic.portId);
        held = nic.portId;
        give = () => sw.dereferencePort(held);
        return 'forward';
      },
    }));
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await vm.start();
    const stopped = vm.stop();
    await new Promise((done) => setImmediate(done));
    fabric.clock.advance(11_999);
    t.same(findings(fabric), [], 'not before 12 s have passed');
    fabric.clock.advance(1);
    t.match(findings(fabric)[0]?.data, { rule: 'B42', severity: 'error', extensionId: ID });
    give?.();
    await stopped;
    await fabric.close();
  },
);

t.test(
  'E25 with enforce: what only a watcher sees fails the request as well; observe lets it pass',
  async (t) => {
    for (const mode of ['observe', 'enforce'] as const) {
      // It ends a policy of another vendor with success.
      const fabric = await world(mode, () => ({ addPortProperty: () => NdisStatus.SUCCESS }));
      await fabric.features.register(FABRIKAM_MOF.replaceAll(ID, NULL_GUID));
      const port = await fabric.switches.get('S').ports.create({ name: 'A' });
      const added = port.properties.add('Fabrikam_PortCustomSettingData', { SettingIntA: 1 });
      if (mode === 'observe') t.match(await added, { settings: { SettingIntA: 1 } });
      else await t.rejects(added, { code: 'VETOED', place: { extensionId: ID } });
      t.match(
        findings(fabric).find(({ data }) => data['rule'] === 'E25')?.data,
        { severity: 'error', extensionId: ID, oid: 'OID_SWITCH_PORT_PROPERTY_ADD' },
        mode,
      );
      t.equal([...port.properties.list()].length, mode === 'observe' ? 1 : 0);
      await fabric.close();
    }
  },
);
