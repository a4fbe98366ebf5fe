import t from 'tap';
import { enumParametersSize, OIDS, writeEnumQuestion } from '../../src/abi/index.ts';
import { NULL_GUID } from '../../src/core/guid.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { VerifierMode } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionHandlers, ExtensionType, SwitchContext } from '../../src/sdk/extension.ts';
import { liveVerifier } from '../../src/verifier/live-verifier.ts';
import { extensionWith, FABRIKAM, FABRIKAM_MOF } from '../support/fabrikam.ts';

/* Small slips in the verifier that no other test noticed when they were made on purpose (docs/reference/mutants.md). */

const OTHER = 'f0000000-0000-4000-8000-0000000000f0';
const PORT_SETTING = 'Fabrikam_PortCustomSettingData';

async function world(
  mode: VerifierMode,
  type: ExtensionType,
  attach: (sw: SwitchContext) => ExtensionHandlers,
  id?: string,
): Promise<Fabric> {
  const extension = extensionWith(attach, { type, ...(id === undefined ? {} : { id }) });
  const extensions = [extension];
  const options = { clock: 'manual', seed: 'slips', extensions } as const;
  const fabric = await Fabric.open({ ...liveVerifier(mode), ...options });
  await fabric.switches.create({ name: 'S', extensions });
  return fabric;
}

const rules = (fabric: Fabric): unknown[] =>
  fabric.events.after(0).flatMap(({ type, data }) => (type === 'finding' ? [data['rule']] : []));

t.test('a reference on one port guards no enumeration of another (B38)', async (t) => {
  let context: SwitchContext | undefined;
  const fabric = await world('observe', 'filter', (sw) => {
    context = sw;
    return {};
  });
  const { ports } = fabric.switches.get('S');
  const [a, b] = [await ports.create({ name: 'A' }), await ports.create({ name: 'B' })];
  const ask = async (portId: number): Promise<void> => {
    const question = new Uint8Array(enumParametersSize('port'));
    const wanted = { portId, propertyType: 2, propertyId: NULL_GUID };
    writeEnumQuestion('port', question, 0, wanted);
    await context?.request('method', OIDS.OID_SWITCH_PORT_PROPERTY_ENUM.code, question, 4096);
  };
  t.equal(context?.referencePort(a.info.portId), NdisStatus.SUCCESS);
  await ask(a.info.portId);
  t.notOk(rules(fabric).includes('B38'), 'the port it holds');
  await ask(b.info.portId);
  t.ok(rules(fabric).includes('B38'), 'the other one');
  context?.dereferencePort(a.info.portId);
  await fabric.close();
});

t.test('a forwarding extension may forward the policies of others (E25, E29)', async (t) => {
  for (const [id, found] of [
    [OTHER, []],
    [FABRIKAM, ['E29']],
  ] as const) {
    const fabric = await world('enforce', 'forward', () => ({}), id);
    await fabric.features.register(FABRIKAM_MOF);
    const port = await fabric.switches.get('S').ports.create({ name: 'A' });
    const added = await port.properties.add(PORT_SETTING, { SettingIntA: 1 });
    t.equal(added.settings['SettingIntA'], 1, 'a warning fails nothing, also with enforce');
    t.same(
      rules(fabric).filter((rule) => rule === 'E29'),
      found,
    );
    await fabric.close();
  }
});

t.test('enforce holds nothing against an extension that a fault did for it (E25)', async (t) => {
  const fabric = await world('enforce', 'filter', () => ({}), OTHER);
  await fabric.features.register(FABRIKAM_MOF);
  const port = await fabric.switches.get('S').ports.create({ name: 'A' });
  // It ends a policy of another vendor with success: which it may not, and did not do itself.
  fabric.faults.add({
    ...{ at: 'oid', effect: 'status', status: 'SUCCESS', times: 1 },
    ...{ extension: OTHER, oid: 'OID_SWITCH_PORT_PROPERTY_ADD' },
  });
  const added = await port.properties.add(PORT_SETTING, { SettingIntA: 1 });
  t.equal(added.settings['SettingIntA'], 1);
  const [finding] = fabric.events.after(0).filter(({ data }) => data['rule'] === 'E25');
  t.match(finding?.data, { injected: true, extensionId: OTHER });
  await fabric.close();
});
