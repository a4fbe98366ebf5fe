import type { PropertyCodec } from '../../../../switch/environment.ts';
import type { FilterModule } from '../../../../switch/filter-module.ts';
import { OIDS, type Scope } from '../../../abi/index.ts';
import { isErrorStatus, NdisStatus, statusName } from '../../../core/status.ts';
import type { LifeCycleStage } from '../../life-cycles/stage.ts';
import type { VerifyStage } from '../stages.ts';
import type { Damage, RawOutcome, VerifyRig } from '../verify-rig.ts';

const NAME = 'Malformed';
const INSTANCE = '3f1d7c52-8a64-4b09-9e2b-5c0f6a71e3fc';
const SECURITY = 2;
const VLAN = 3;
/** Bytes of the head that are left of a request that was cut off. */
const STUMP = 20;

/** What is wrong with a request, by what a driver would have to look at. */
const DAMAGES: readonly {
  readonly what: string;
  readonly length?: number;
  spoil(bytes: Uint8Array): void;
}[] = [
  { what: 'Header.Type 0', spoil: (bytes) => bytes.fill(0, 0, 1) },
  { what: 'Header.Revision 0', spoil: (bytes) => bytes.fill(0, 1, 2) },
  { what: 'Header.Size 4', spoil: (bytes) => bytes.set([4, 0], 2) },
  { what: `only ${STUMP} bytes`, length: STUMP, spoil: (bytes) => bytes.fill(0, STUMP) },
];

/** Sets with an empty buffer are sent as these: none of them changes what is there. */
const SETS = [
  'OID_SWITCH_PORT_PROPERTY_ADD',
  'OID_SWITCH_PROPERTY_ADD',
  'OID_SWITCH_PORT_UPDATED',
  'OID_SWITCH_NIC_UPDATED',
] as const;

/** Rules D11, D12: structures that do not hold, and sets with nothing in them. Only the extension under test gets them. */
export const malformedProperties: VerifyStage = {
  name: 'malformed-properties',
  title: 'Properties come whose structure does not hold, and sets with nothing in them',
  isRace: false,
  sendsByHand: true,
  async run(stage, rig) {
    await stage.createSwitch(NAME);
    await stage.createVm('VM1', [NAME]);
    await stage.act('start VM1', () => stage.start('VM1'));
    const machine = rig.machine(NAME);
    const only = machine.modules.find(({ id }) => id === stage.extension.id);
    const port = [...machine.state.ports.values()].find(({ type }) => type === 'synthetic');
    if (only === undefined || port === undefined) return;
    const { catalog } = machine.environment;
    for (const name of SETS) await sendEmpty(stage, rig, only, name);
    for (const type of [SECURITY, VLAN]) {
      const codec = catalog.standard(type);
      if (codec !== undefined) await sendDamaged(stage, rig, only, 'port', port.portId, codec);
    }
    for (const { kind, id, scope, extensionId } of stage.fabric.features.list()) {
      if (kind !== 'setting' || extensionId !== stage.extension.id) continue;
      const codec = catalog.setting(scope, id);
      if (codec !== undefined) await sendDamaged(stage, rig, only, scope, port.portId, codec);
    }
    await stage.check('after malformed requests');
  },
};

async function sendEmpty(
  stage: LifeCycleStage,
  rig: VerifyRig,
  only: FilterModule,
  name: (typeof SETS)[number],
): Promise<void> {
  rig.sawEmptySet();
  const title = `send ${name} with an empty buffer`;
  const send = () => rig.send(NAME, 'set', OIDS[name].code, new Uint8Array(0), { only });
  const { outcome, threw } = await watched(stage, title, send);
  const isForwarded = outcome.completedBy === undefined && outcome.status === NdisStatus.SUCCESS;
  const how = threw ? 'threw' : `ended it with ${statusName(outcome.status)}`;
  const text = `got ${name} with an empty buffer and ${how}; expected it to be forwarded`;
  stage.advise(isForwarded && !threw, text, 'D12');
}

async function sendDamaged(
  stage: LifeCycleStage,
  rig: VerifyRig,
  only: FilterModule,
  scope: Scope,
  portId: number,
  codec: PropertyCodec,
): Promise<void> {
  const settings = codec.normalize({});
  const data = new Uint8Array(codec.size(settings));
  codec.write(settings, data, 0);
  const head = {
    scope,
    portId,
    propertyType: codec.propertyType,
    propertyId: codec.id,
    propertyVersion: codec.version,
    propertyInstanceId: INSTANCE,
  };
  for (const { what, ...spoiled } of DAMAGES) {
    const damage: Damage = { only, ...spoiled };
    rig.sawMalformed();
    const { outcome, threw } = await watched(stage, `add ${codec.name} with ${what}`, () =>
      // Of a stump nobody can tell the class: its PropertyId is cut off.
      rig.sendProperty(
        NAME,
        'add',
        head,
        data,
        damage.length === undefined ? codec : undefined,
        damage,
      ),
    );
    stage.expect(!threw, `threw for ${codec.name} with ${what}; expected it to refuse it`, 'D11');
    if (threw) continue;
    const isTaken = outcome.completedBy !== undefined && !isErrorStatus(outcome.status);
    const text = `took ${codec.name} with ${what} and said ${statusName(outcome.status)}; expected it to refuse it`;
    stage.expect(!isTaken, text, 'D11');
  }
}

/** Does it, and whether the extension threw meanwhile. */
async function watched(
  stage: LifeCycleStage,
  title: string,
  send: () => Promise<RawOutcome>,
): Promise<{ readonly outcome: RawOutcome; readonly threw: boolean }> {
  const before = stage.findings.length;
  const outcome = await stage.act(title, send);
  const threw = stage.findings
    .slice(before)
    .some(({ rule, message }) => rule === 'D6' && message.includes(' threw in its handler'));
  return { outcome, threw };
}
