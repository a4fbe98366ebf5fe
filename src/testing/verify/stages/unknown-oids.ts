import { OIDS, oidName } from '../../../abi/index.ts';
import { statusName } from '../../../core/status.ts';
import type { RequestType } from '../../../sdk/extension.ts';
import type { VerifyStage } from '../stages.ts';

const NAME = 'Unknown';
/** Numbers that no header has: one of the switch's range, one of a vendor. */
const NOBODYS = [0x0001_02fe, 0xff01_02fe];
/** Of NDIS 6.50 and later, undocumented: drivers that were built before do not know them. */
const LATER = [OIDS.OID_SWITCH_NIC_DIRECT_REQUEST.code];
const TYPES: readonly RequestType[] = ['query', 'set', 'method'];
const ROOM = 64;

/** Rule D13: requests that nobody knows come down the stack, as they do after an update of the host. */
export const unknownOids: VerifyStage = {
  name: 'unknown-oids',
  title: 'Requests come that no extension knows',
  isRace: false,
  sendsByHand: true,
  async run(stage, rig) {
    await stage.createSwitch(NAME);
    for (const oid of [...NOBODYS, ...LATER]) {
      for (const type of TYPES) {
        const input = Uint8Array.of(0x80, 1, 8, 0, 0xde, 0xad, 0xbe, 0xef);
        const what = `${type} ${oidName(oid)}`;
        const outcome = await stage.act(`send ${what}`, () =>
          rig.send(NAME, type, oid, input, { room: ROOM }),
        );
        const status = statusName(outcome.status);
        const text = `ended ${what}, which it cannot know, with ${status}; expected it to be forwarded`;
        stage.expect(outcome.completedBy?.id !== stage.extension.id, text, 'D13');
      }
    }
    await stage.check('after requests that nobody knows');
  },
};
