import { OIDS, structure } from '../../../abi/index.ts';
import { NdisStatus, statusName } from '../../../core/status.ts';
import type { VerifyStage } from '../stages.ts';

const PORT = structure('NDIS_SWITCH_PORT_PARAMETERS');

/** Rule B34: requests that were on their way when their port was torn down. */
export const lateOids: VerifyStage = {
  name: 'late-oids',
  title: 'A request for a port arrives after the port was torn down',
  isRace: false,
  sendsByHand: true,
  async run(stage, rig) {
    const name = 'Late';
    await stage.createSwitch(name);
    await stage.createVm('VM1', [name]);
    await stage.act('start VM1', () => stage.start('VM1'));
    const machine = rig.machine(name);
    const port = [...machine.state.ports.values()].find(({ type }) => type === 'synthetic');
    const torn = machine.modules.find(({ id }) => id !== stage.extension.id);
    if (port === undefined || torn === undefined) return;
    // A witness keeps the port in its teardown.
    machine.references.referencePort(torn, port.portId);
    const stopped = stage.stop('VM1');
    await stage.pass(0);
    const bytes = new Uint8Array(PORT.sizeof());
    PORT.initialize(bytes);
    const view = PORT.view(bytes, 0);
    view.PortId = port.portId;
    view.PortName = port.name;
    view.PortFriendlyName = port.friendlyName;
    const before = bytes.slice();
    rig.expectLate(1);
    const outcome = await stage.act('send PORT_UPDATED to a port in teardown', () =>
      rig.send(name, 'set', OIDS.OID_SWITCH_PORT_UPDATED.code, bytes),
    );
    stage.expect(
      outcome.status === NdisStatus.SUCCESS && outcome.completedBy === undefined,
      `an OID_SWITCH_PORT_UPDATED that arrived after PORT_TEARDOWN ended with ${statusName(outcome.status)}; expected it to be forwarded`,
      'B34',
    );
    stage.expect(
      before.every((byte, i) => byte === outcome.bytes[i]),
      'an OID_SWITCH_PORT_UPDATED that arrived after PORT_TEARDOWN was changed',
      'B34',
    );
    machine.references.dereferencePort(torn, port.portId);
    await stage.act('stop VM1', () => stopped);
    await stage.check('when the port has gone');
  },
};
