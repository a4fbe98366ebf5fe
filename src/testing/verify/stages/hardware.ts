import type { Nic, Port } from '../../../../switch/ports.ts';
import type { Switch } from '../../../../switch/switch.ts';
import { OFFLOAD_OIDS } from '../../../abi/index.ts';
import { isExtSwitchError } from '../../../core/errors.ts';
import type { LifeCycleStage } from '../../life-cycles/stage.ts';
import type { VerifyStage } from '../stages.ts';

const NAME = 'Hardware';
const ADAPTER = { name: 'Ethernet 1', virtualFunctions: 4, queues: 4 };
const MULTICAST = Uint8Array.of(0x01, 0x00, 0x5e, 0, 0, 0x17);
const IPSEC = [
  'OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA',
  'OID_TCP_TASK_IPSEC_OFFLOAD_V2_UPDATE_SA',
  'OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA',
] as const;
/** No header has a status with this number: whoever gets it cannot handle it. */
const NOBODYS_STATUS = 0x4001_fe17;

/** Rules D23-D44, H4-H15: what goes through a switch to the adapter below it, and what comes from there. */
export const hardware: VerifyStage = {
  name: 'hardware',
  title: 'Virtual functions, queues, multicast and IPsec go to an adapter; its status comes up',
  isRace: false,
  async run(stage, rig) {
    const uplink = { adapters: [ADAPTER] };
    await stage.createSwitch(NAME, { type: 'external', uplink, managementOs: true });
    await stage.createVm('VM1', [NAME, NAME, NAME]);
    await stage.act('start VM1', () => stage.start('VM1'));
    const machine = rig.machine(NAME);
    const { host } = stage.switch(NAME);
    for (const adapter of ['eth0', 'eth1']) await assignVf(stage, adapter);
    await stage.check('with virtual functions');
    for (const { port, nic } of nicsOf(machine)) await useQueue(stage, machine, port, nic);
    await stage.check('with queues');
    await stage.act('link down', () => host.setLink(1, false), 'H3');
    await stage.act('link up', () => host.setLink(1, true), 'H3');
    await indicateUnknown(stage, machine);
    await stage.check('after the link was down');
    await freeVf(stage, 'eth1');
    await assignVf(stage, 'eth1');
    // S3 step 1: what is left is given back when the VM stops.
    await stage.act('stop VM1', () => stage.stop('VM1'));
    await stage.check('after VM1 was stopped');
  },
};

interface Place {
  readonly port: Port;
  readonly nic: Nic;
}

function nicsOf(machine: Switch): Place[] {
  const places: Place[] = [];
  for (const port of machine.state.ports.values()) {
    const nic = port.nics.get(0);
    if (nic?.type === 'synthetic') places.push({ port, nic });
  }
  return places;
}

/** S2 step 7. Rules D41, D43: whoever must see all traffic refuses it. */
async function assignVf(stage: LifeCycleStage, name: string): Promise<void> {
  const adapter = stage.fabric.vms.get('VM1').adapter(name);
  const isAssigned = await stage.act(
    `assign a virtual function to ${name}`,
    () => adapter.assignVf().then(() => true, refused),
    'D41',
  );
  if (!isAssigned) stage.note('no virtual function was used: ALLOCATE_VF or CREATE_VPORT fails');
}

/** S17. It may have asked for the removal itself by now (rule H14). */
async function freeVf(stage: LifeCycleStage, name: string): Promise<void> {
  const adapter = stage.fabric.vms.get('VM1').adapter(name);
  if (!adapter.info.vfAssigned) return;
  await stage.act(`take the virtual function from ${name}`, () => adapter.removeVf(), 'D40');
}

/** A queue with its filter, the multicast list, and IPsec, which the adapter does not have. */
async function useQueue(
  stage: LifeCycleStage,
  machine: Switch,
  port: Port,
  nic: Nic,
): Promise<void> {
  const title = `of NIC ${nic.portId}/${nic.index}`;
  await stage.act(`assign a queue ${title}`, async () => machine.assignQueue(port, nic), 'D41');
  const lists = [[MULTICAST], []];
  for (const list of lists) {
    const set = async () => machine.multicast(port, nic, list);
    await stage.act(`set the multicast list ${title}`, set, 'D23');
  }
  for (const name of IPSEC) {
    const { code: oid, requestType } = OFFLOAD_OIDS[name];
    const wanted = { nic, requestType, oid, input: new Uint8Array(64) };
    await stage.act(`send ${name} ${title}`, async () => machine.nicRequest(wanted), 'D42');
  }
}

/** Rule H4: what nobody handles arrives, itself or as the extension's own copy (rule H6). */
async function indicateUnknown(stage: LifeCycleStage, machine: Switch): Promise<void> {
  const oid = 'NDIS_STATUS_SWITCH_NIC_STATUS';
  const before = stage.fabric.trace.entries({ oid }).at(-1)?.seq ?? 0;
  await stage.act('the adapter indicates a status', async () =>
    machine.indicateAdapterStatus(1, NOBODYS_STATUS, Uint8Array.of(1, 2, 3, 4)),
  );
  const arrived = stage.fabric.trace
    .entries({ oid, afterSeq: before })
    .some(({ route }) => route.at(-1)?.module === 'protocolEdge');
  stage.expect(arrived, 'swallowed a status indication that nobody knows', 'H4');
}

/** A veto, or an adapter that cannot: both leave nothing behind. */
function refused(error: unknown): false {
  if (isExtSwitchError(error) && error.code === 'VETOED') return false;
  throw error;
}
