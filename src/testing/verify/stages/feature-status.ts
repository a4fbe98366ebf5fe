import type { PropertyCodec } from '../../../../switch/environment.ts';
import {
  FeatureStatusBuffer,
  featureStatusSize,
  OIDS,
  type Scope,
  writeFeatureStatusQuery,
} from '../../../abi/index.ts';
import { NULL_GUID } from '../../../core/guid.ts';
import { NdisStatus, statusName } from '../../../core/status.ts';
import type { LifeCycleStage } from '../../life-cycles/stage.ts';
import type { VerifyStage } from '../stages.ts';
import type { RawOutcome, VerifyRig } from '../verify-rig.ts';

const NAME = 'Asked';
/** No class has this id. */
const NOBODYS = '3f1d7c52-8a64-4b09-9e2b-5c0f6a71e3ff';
const ROOM = 4096;

/** Rules F7-F11: status of the extension and of nobody, with room and without. */
export const featureStatus: VerifyStage = {
  name: 'feature-status',
  title: 'Feature status is asked for: its own, nobody’s, with room and without',
  isRace: false,
  sendsByHand: true,
  async run(stage, rig) {
    await stage.createSwitch(NAME);
    await stage.createVm('VM1', [NAME]);
    await stage.act('start VM1', () => stage.start('VM1'));
    const machine = rig.machine(NAME);
    const port = [...machine.state.ports.values()].find(({ type }) => type === 'synthetic');
    for (const scope of ['port', 'switch'] as const) {
      const ask = (id: string, room: number, codec?: PropertyCodec): Promise<RawOutcome> =>
        stage.act(`ask for status ${id}`, () =>
          rig.send(NAME, 'method', OID[scope], question(scope, id, room, port?.portId), {
            room: featureStatusSize(scope, room),
            ...(codec === undefined ? {} : { codec }),
          }),
        );
      const foreign = await ask(NOBODYS, ROOM);
      stage.expect(
        foreign.completedBy?.id !== stage.extension.id,
        `answered the ${scope} status ${NOBODYS}, which is nobody's, with ${statusName(foreign.status)}`,
        'F7',
      );
      for (const { id, name, kind, extensionId, scope: of } of stage.fabric.features.list()) {
        if (kind !== 'status' || of !== scope || extensionId !== stage.extension.id) continue;
        const codec = machine.environment.catalog.status(scope, id);
        if (codec !== undefined)
          await askOwn(stage, rig, scope, name, (room) => ask(id, room, codec));
      }
    }
    await stage.check('after it was asked');
  },
};

const OID = {
  port: OIDS.OID_SWITCH_PORT_FEATURE_STATUS_QUERY.code,
  switch: OIDS.OID_SWITCH_FEATURE_STATUS_QUERY.code,
};

function question(scope: Scope, id: string, room: number, portId = 0): Uint8Array {
  const bytes = new Uint8Array(featureStatusSize(scope, room));
  const head = { portId, featureStatusId: id, featureStatusInstanceId: NULL_GUID };
  writeFeatureStatusQuery(scope, bytes, 0, head, room);
  return bytes;
}

async function askOwn(
  stage: LifeCycleStage,
  rig: VerifyRig,
  scope: Scope,
  name: string,
  ask: (room: number) => Promise<RawOutcome>,
): Promise<void> {
  let answer = await ask(ROOM);
  const isOwn = ({ completedBy }: RawOutcome): boolean => completedBy?.id === stage.extension.id;
  // It may have failed for reasons of the moment (rule F12): once more.
  if (isOwn(answer) && answer.status !== NdisStatus.SUCCESS) answer = await ask(ROOM);
  stage.expect(isOwn(answer), `never answered ${name}, a ${scope} status of its own`, 'F7');
  if (!isOwn(answer) || answer.status !== NdisStatus.SUCCESS) return;
  rig.sawStatusAnswer();
  const buffer = new FeatureStatusBuffer(scope).bind(answer.bytes, 0, answer.bytes.length);
  const { FeatureStatusVersion: version } = buffer.parameters;
  const fixed = featureStatusSize(scope, 0);
  const { dataLength } = buffer;
  stage.expect(version !== 0, `answered ${name} without FeatureStatusVersion`, 'F9');
  stage.expect(
    answer.bytesWritten === fixed + dataLength && dataLength > 0,
    `answered ${name} with ${dataLength} bytes of data by the custom structure and BytesWritten ${answer.bytesWritten}; expected ${fixed} and the data`,
    'F9',
  );
  if (dataLength === 0 || dataLength === ROOM) return;
  const small = await ask(0);
  const needed = fixed + dataLength;
  stage.expect(
    isOwn(small) && small.status === NdisStatus.INVALID_LENGTH && small.bytesNeeded >= needed,
    `without room answered ${name} with ${statusName(small.status)} and BytesNeeded ${small.bytesNeeded}; expected NDIS_STATUS_INVALID_LENGTH and ${needed}`,
    'F11',
  );
}
