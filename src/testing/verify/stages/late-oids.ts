import type { Switch } from '../../../../switch/switch.ts';
import { OIDS, structure } from '../../../abi/index.ts';
import { NdisStatus, statusName } from '../../../core/status.ts';
import type { LifeCycleStage } from '../../life-cycles/stage.ts';
import type { VerifyStage } from '../stages.ts';
import type { VerifyRig } from '../verify-rig.ts';

const PORT = structure('NDIS_SWITCH_PORT_PARAMETERS');
const NIC = structure('NDIS_SWITCH_NIC_PARAMETERS');

/** Rules B34, C48: requests that were on their way when their port was torn down, their NIC disconnected. */
export const lateOids: VerifyStage = {
  name: 'late-oids',
  title: 'A request arrives after its port was torn down, or its NIC disconnected',
  isRace: false,
  sendsByHand: true,
  async run(stage, rig) {
    const name = 'Late';
    await stage.createSwitch(name);
    await stage.createVm('VM1', [name]);
    await stage.act('start VM1', () => stage.start('VM1'));
    const machine = rig.machine(name);
    const port = [...machine.state.ports.values()].find(({ type }) => type === 'synthetic');
    const nic = port?.nics.get(0);
    // A witness keeps them where they are.
    const witness = machine.modules.find(({ id }) => id !== stage.extension.id);
    if (port === undefined || nic === undefined || witness === undefined) return;
    const { references } = machine;
    const { portId } = port;
    references.referencePort(witness, portId);
    references.referenceNic(witness, portId, 0);
    const stopped = stage.stop('VM1');
    await stage.pass(0);
    const nicBytes = new Uint8Array(NIC.sizeof());
    NIC.initialize(nicBytes);
    NIC.view(nicBytes, 0).PortId = portId;
    await sendLate(stage, rig, machine, 'OID_SWITCH_NIC_UPDATED', nicBytes, 'C48');
    references.dereferenceNic(witness, portId, 0);
    await stage.pass(0);
    const portBytes = new Uint8Array(PORT.sizeof());
    PORT.initialize(portBytes);
    const view = PORT.view(portBytes, 0);
    view.PortId = portId;
    view.PortName = port.name;
    await sendLate(stage, rig, machine, 'OID_SWITCH_PORT_UPDATED', portBytes, 'B34');
    references.dereferencePort(witness, portId);
    await stage.act('stop VM1', () => stopped);
    await stage.check('when the port has gone');
  },
};

async function sendLate(
  stage: LifeCycleStage,
  rig: VerifyRig,
  machine: Switch,
  oid: 'OID_SWITCH_NIC_UPDATED' | 'OID_SWITCH_PORT_UPDATED',
  bytes: Uint8Array,
  rule: string,
): Promise<void> {
  const before = bytes.slice();
  rig.expectLate(1);
  const outcome = await stage.act(`send ${oid} late`, () =>
    rig.send(machine.state.name, 'set', OIDS[oid].code, bytes),
  );
  const isForwarded = outcome.status === NdisStatus.SUCCESS && outcome.completedBy === undefined;
  const status = statusName(outcome.status);
  const text = `${oid} that arrived late ended with ${status}; expected it to be forwarded`;
  stage.expect(isForwarded, text, rule);
  const isSame = before.every((byte, i) => byte === outcome.bytes[i]);
  stage.expect(isSame, `${oid} that arrived late was changed`, rule);
}
