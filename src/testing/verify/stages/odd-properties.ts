import type { PropertyCodec } from '../../../../switch/environment.ts';
import { isExtSwitchError } from '../../../core/errors.ts';
import { NdisStatus, statusName } from '../../../core/status.ts';
import type { FeatureInfo } from '../../../policy/api.ts';
import type { LifeCycleStage } from '../../life-cycles/stage.ts';
import type { VerifyStage } from '../stages.ts';
import type { VerifyRig } from '../verify-rig.ts';

const NAME = 'Odd';
const INSTANCE = '3f1d7c52-8a64-4b09-9e2b-5c0f6a71e3fd';
const SECURITY = 2;
/** Security, VLAN, profile, isolation. */
const STANDARD_TYPES = [2, 3, 4, 5];

/** Rules E24-E37: properties that are not as usual: standard ones, too short ones, of unknown instances, refused below. */
export const oddProperties: VerifyStage = {
  name: 'odd-properties',
  title: 'Properties that are standard, too short, of nobody’s instance, or refused below',
  isRace: false,
  sendsByHand: true,
  async run(stage, rig) {
    await stage.createSwitch(NAME);
    await stage.createVm('VM1', [NAME]);
    await stage.act('start VM1', () => stage.start('VM1'));
    const machine = rig.machine(NAME);
    const port = [...machine.state.ports.values()].find(({ type }) => type === 'synthetic');
    if (port === undefined) return;
    const { portId } = port;
    const { catalog } = machine.environment;
    for (const type of STANDARD_TYPES) {
      const codec = catalog.standard(type);
      if (codec !== undefined) await sendStandard(stage, rig, portId, codec);
    }
    const own = [...stage.fabric.features.list()].filter(
      ({ kind, extensionId }) => kind === 'setting' && extensionId === stage.extension.id,
    );
    for (const feature of own) {
      const codec = catalog.setting(feature.scope, feature.id);
      if (codec === undefined || !(await isAccepted(stage, feature))) continue;
      rig.sawOddProperty();
      if (feature.scope === 'port')
        await sendAsStandard(stage, rig, portId, codec, catalog.standard(SECURITY));
      else await sendUnknown(stage, rig, codec);
      // A capturing extension may fail nothing (rules A17, E36).
      if (stage.extension.type !== 'capture') {
        await sendShort(stage, rig, portId, feature.scope, codec);
      }
      if (feature.scope === 'port') await refuseBelow(stage, feature);
    }
    await stage.check('at the end of the odd ones');
  },
};

function bytesOf(codec: PropertyCodec): Uint8Array {
  const settings = codec.normalize({});
  const bytes = new Uint8Array(codec.size(settings));
  codec.write(settings, bytes, 0);
  return bytes;
}

/** Rules E30, E32: added and deleted; a refusal is allowed (rule E33). */
async function sendStandard(
  stage: LifeCycleStage,
  rig: VerifyRig,
  portId: number,
  codec: PropertyCodec,
): Promise<void> {
  const { propertyType, id: propertyId } = codec;
  const head = {
    scope: 'port',
    portId,
    propertyType,
    propertyId,
    propertyInstanceId: INSTANCE,
  } as const;
  rig.sawStandardProperty();
  await stage.act(`add ${codec.name}`, () =>
    rig.sendProperty(NAME, 'add', head, bytesOf(codec), codec),
  );
  await stage.act(`delete ${codec.name}`, () =>
    rig.sendProperty(NAME, 'delete', head, new Uint8Array(0), codec),
  );
}

/** Rule E24: a Security property with the id of the extension's own class in a member that means nothing there. */
async function sendAsStandard(
  stage: LifeCycleStage,
  rig: VerifyRig,
  portId: number,
  own: PropertyCodec,
  security: PropertyCodec | undefined,
): Promise<void> {
  if (security === undefined) return;
  const head = {
    scope: 'port',
    portId,
    propertyType: SECURITY,
    propertyId: own.id,
    propertyInstanceId: INSTANCE,
  } as const;
  const usual = { ...head, propertyId: security.id };
  const send = (which: typeof head) =>
    stage.act('add a Security property', () =>
      rig.sendProperty(NAME, 'add', which, bytesOf(security), security),
    );
  const asUsual = await send(usual);
  const withOwn = await send(head);
  const text = `ended a Security property with ${statusName(withOwn.status)} for the PropertyId in it; with another one it was ${statusName(asUsual.status)}`;
  const isSame =
    asUsual.status === withOwn.status && asUsual.completedBy?.id === withOwn.completedBy?.id;
  stage.expect(isSame, text, 'E24');
}

/** Rule E27. */
async function sendUnknown(
  stage: LifeCycleStage,
  rig: VerifyRig,
  codec: PropertyCodec,
): Promise<void> {
  const head = { scope: 'switch', propertyId: codec.id, propertyInstanceId: INSTANCE } as const;
  for (const verb of ['update', 'delete'] as const) {
    const data = verb === 'delete' ? new Uint8Array(0) : bytesOf(codec);
    const full = { ...head, propertyVersion: codec.version };
    const outcome = await stage.act(`${verb} an unknown instance of ${codec.name}`, () =>
      rig.sendProperty(NAME, verb, full, data, codec),
    );
    const isRefused =
      outcome.status === NdisStatus.INVALID_PARAMETER &&
      outcome.completedBy?.id === stage.extension.id;
    const text = `${verb} of an instance of ${codec.name} that it does not hold ended with ${statusName(outcome.status)}; expected it to refuse it with NDIS_STATUS_INVALID_PARAMETER`;
    stage.expect(isRefused, text, 'E27');
  }
}

/** Rule E34: one byte less than the class needs. */
async function sendShort(
  stage: LifeCycleStage,
  rig: VerifyRig,
  portId: number,
  scope: 'port' | 'switch',
  codec: PropertyCodec,
): Promise<void> {
  const data = bytesOf(codec);
  const head = {
    scope,
    portId,
    propertyId: codec.id,
    propertyVersion: codec.version,
    propertyInstanceId: INSTANCE,
  } as const;
  const short = data.subarray(0, data.length - 1);
  const outcome = await stage.act(`add ${codec.name} with a byte too few`, () =>
    rig.sendProperty(NAME, 'add', head, short, codec),
  );
  const isRefused = outcome.status === NdisStatus.INVALID_LENGTH && outcome.bytesNeeded > 0;
  const text = `${codec.name} with ${short.length} of ${data.length} bytes ended with ${statusName(outcome.status)} and BytesNeeded ${outcome.bytesNeeded}; expected NDIS_STATUS_INVALID_LENGTH and what is needed`;
  stage.expect(isRefused, text, 'E34');
  if (outcome.status !== NdisStatus.SUCCESS) return;
  await stage.act(`delete ${codec.name} with a byte too few`, () =>
    rig.sendProperty(NAME, 'delete', head, new Uint8Array(0), codec),
  );
}

/** Whether an instance with default values can be added at all; it is deleted again. */
async function isAccepted(stage: LifeCycleStage, feature: FeatureInfo): Promise<boolean> {
  const properties = () =>
    feature.scope === 'port'
      ? stage.fabric.vms.get('VM1').adapter('eth0').properties
      : stage.fabric.switches.get(NAME).properties;
  const held = [...properties().list()].some(({ featureId }) => featureId === feature.id);
  if (held) return true;
  const added = await stage.act(`add ${feature.name}`, () =>
    properties().add(feature.id, {}).catch(refusal),
  );
  if (added === undefined) return false;
  await stage.act(`delete ${feature.name}`, () => properties().delete(added.id));
  return true;
}

/** Rule E37: refused below once, then it succeeds. */
async function refuseBelow(stage: LifeCycleStage, feature: FeatureInfo): Promise<void> {
  if (stage.below === undefined) return;
  const { properties } = stage.fabric.vms.get('VM1').adapter('eth0');
  for (const { id, featureId } of properties.list()) {
    if (featureId !== feature.id) continue;
    await stage.act('make room', () => properties.delete(id));
    stage.policies.forgetOne(id);
  }
  stage.below.refuseNext('OID_SWITCH_PORT_PROPERTY_ADD');
  await stage.refused(`add ${feature.name}, refused below`, () => properties.add(feature.id, {}));
  const added = await stage.act(
    `add ${feature.name} after it was refused below`,
    () => properties.add(feature.id, {}),
    'E37',
  );
  await stage.act(`delete ${feature.name}`, () => properties.delete(added.id));
}

function refusal(error: unknown): undefined {
  if (isExtSwitchError(error)) return undefined;
  throw error;
}
