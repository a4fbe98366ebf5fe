import { OIDS, structure } from '../../../abi/index.ts';
import { switchOwner } from '../../life-cycles/policy-owner.ts';
import type { VerifyStage } from '../stages.ts';

const ARRAY = structure('NDIS_SWITCH_PORT_ARRAY');
/** Longer than a request may be held (NdisTimedOidComplete). */
const LONG_MS = 13_000;

/** Rule A63: the extension goes while it may have a request. */
export const heldAtDetach: VerifyStage = {
  name: 'held-at-detach',
  title: 'The extension is disabled while requests are on their way',
  isRace: false,
  sendsByHand: true,
  async run(stage, rig) {
    const name = 'Left';
    await stage.createSwitch(name);
    // What another driver asks waits for no turn of the switch, so that the extension can go meanwhile.
    const question = new Uint8Array(ARRAY.sizeof());
    ARRAY.initialize(question);
    const oid = OIDS.OID_SWITCH_PORT_ARRAY.code;
    const asked = rig.send(name, 'query', oid, question, { room: 4096 });
    await stage.pass(1);
    await stage.disable(name);
    await stage.act('see what came of a query', () => asked, 'A63');
    await stage.enable(name);
    await stage.pass(200);
    await stage.check('when it is back');
  },
};

/** Rules A62, A66: the stack restarts, by the extension's own wish or not, while it may have a request. */
export const heldAtRestart: VerifyStage = {
  name: 'held-at-restart',
  title: 'The stack restarts while requests are on their way',
  isRace: false,
  async run(stage) {
    const name = 'Restarted';
    await stage.createSwitch(name);
    const owner = switchOwner(name);
    await stage.act('add policies', () => stage.policies.add(owner));
    await stage.act('update policies', () => stage.policies.update(owner).catch(() => undefined));
    await stage.pass(LONG_MS);
    await stage.disable(name);
    await stage.enable(name);
    await stage.check('when it has restarted');
  },
};
