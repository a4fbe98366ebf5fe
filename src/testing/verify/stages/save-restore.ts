import type { Nic, Port } from '../../../../switch/ports.ts';
import { type SaveRecord, saveStateBytes } from '../../../../switch/save-record.ts';
import type { Switch } from '../../../../switch/switch.ts';
import { OIDS, saveDataOffset, structure } from '../../../abi/index.ts';
import { NULL_GUID } from '../../../core/guid.ts';
import type { LifeCycleStage } from '../../life-cycles/stage.ts';
import type { VerifyStage } from '../stages.ts';
import type { VerifyRig } from '../verify-rig.ts';

const NAME = 'Saved';
const NIC = structure('NDIS_SWITCH_NIC_PARAMETERS');
const ROOM = 32 * 1024;
/** Requests of one interleaved save, after which it is no use to go on (rule G19). */
const MAX_ROUNDS = 200;

/** Rules G13-G34: saves one after the other and mixed, restores of its own records, of foreign ones, of damaged ones. */
export const saveRestore: VerifyStage = {
  name: 'save-restore',
  title:
    'Run-time data is saved, mixed and in turn, and comes back on another port, foreign, damaged',
  isRace: false,
  sendsByHand: true,
  async run(stage, rig) {
    await stage.createSwitch(NAME);
    await stage.createVm('VM1', [NAME, NAME]);
    await stage.act('start VM1', () => stage.start('VM1'));
    const machine = rig.machine(NAME);
    const [a, b] = nicsOf(machine);
    if (a === undefined || b === undefined) return;
    const ofA = await saved(stage, machine, a);
    const ofB = await saved(stage, machine, b);
    rig.sawSavedRecords(ofA.length + ofB.length);
    const mixed = await saveMixed(stage, rig, machine, a, b);
    for (const [place, alone, together] of [
      [a, ofA.length, mixed[0]],
      [b, ofB.length, mixed[1]],
    ] as const) {
      const nic = `NIC ${place.nic.portId}/${place.nic.index}`;
      const text = `${nic} gives ${alone} records when it is saved alone, ${together} while another NIC is saved`;
      stage.expect(alone === together, text, 'G22');
    }
    // Rule G25: another port than it was saved on.
    await restored(stage, machine, b, ofA, 'its records, on another port', 'G31');
    await restoreForeign(stage, machine, a);
    await restoreDamaged(stage, machine, a, ofA);
    await suspend(stage, rig, machine, a);
    const vm = stage.fabric.vms.get('VM1');
    await stage.act('save VM1', () => vm.save(), 'G10');
    await stage.act('restore VM1', () => vm.restore(), 'G27');
    await stage.check('after save and restore');
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
    if (port.type === 'synthetic' && nic !== undefined) places.push({ port, nic });
  }
  return places;
}

/** Its records of one NIC, by the switch's own save. */
async function saved(
  stage: LifeCycleStage,
  machine: Switch,
  { port, nic }: Place,
): Promise<SaveRecord[]> {
  const outcome = await stage.act('save a NIC', async () => machine.saveNic(port, nic));
  return outcome.records.filter(({ extensionId }) => extensionId === stage.extension.id);
}

/** How many records each NIC gives when their saves interleave request by request (rule G9 allows that for two NICs). */
async function saveMixed(
  stage: LifeCycleStage,
  rig: VerifyRig,
  machine: Switch,
  ...places: readonly [Place, Place]
): Promise<readonly [number, number]> {
  const counts: [number, number] = [0, 0];
  const isOver = [false, false];
  for (let round = 0; round < MAX_ROUNDS && isOver.includes(false); round += 1) {
    for (const [i, { nic }] of places.entries()) {
      if (isOver[i] === true) continue;
      const offset = saveDataOffset(machine.state.ndis);
      const bytes = saveStateBytes(nic, offset, ROOM, machine.state.ndis);
      const save = OIDS.OID_SWITCH_NIC_SAVE.code;
      const { completedBy, status } = await stage.act('save two NICs in turn', () =>
        rig.send(NAME, 'method', save, bytes, { room: bytes.length }),
      );
      if (completedBy === undefined || status !== 0) isOver[i] = true;
      else if (completedBy.id === stage.extension.id) counts[i as 0 | 1] += 1;
    }
  }
  for (const { nic } of places) {
    const offset = saveDataOffset(machine.state.ndis);
    const bytes = saveStateBytes(nic, offset, 0, machine.state.ndis);
    const end = OIDS.OID_SWITCH_NIC_SAVE_COMPLETE.code;
    await stage.act('end a save', () => rig.send(NAME, 'set', end, bytes));
  }
  return counts;
}

async function restored(
  stage: LifeCycleStage,
  machine: Switch,
  { port, nic }: Place,
  records: readonly SaveRecord[],
  what: string,
  rule: string,
): Promise<void> {
  if (records.length === 0) return;
  const outcome = await stage.act(`restore ${what}`, async () =>
    machine.restoreNic(port, nic, records),
  );
  const count = `${outcome.restored} of ${records.length}`;
  stage.expect(outcome.restored === records.length, `took back ${count} of ${what}`, rule);
}

async function restoreForeign(
  stage: LifeCycleStage,
  machine: Switch,
  { port, nic }: Place,
): Promise<void> {
  const record: SaveRecord = {
    extensionId: '3f1d7c52-8a64-4b09-9e2b-5c0f6a71e3fe',
    extensionFriendlyName: 'Nobody',
    featureClassId: NULL_GUID,
    portId: port.portId,
    data: Uint8Array.of(0xde, 0xad),
  };
  const outcome = await stage.act('restore a foreign record', async () =>
    machine.restoreNic(port, nic, [record]),
  );
  const isPassed = outcome.unowned.length === 1;
  stage.expect(isPassed, 'took or failed a record of another extension', 'G30');
}

/** Rule G33: data it cannot make sense of. */
async function restoreDamaged(
  stage: LifeCycleStage,
  machine: Switch,
  { port, nic }: Place,
  records: readonly SaveRecord[],
): Promise<void> {
  const [first] = records;
  if (first === undefined) return;
  const damaged = { ...first, data: Uint8Array.of(0xff) };
  const outcome = await stage.act('restore a damaged record', async () =>
    machine.restoreNic(port, nic, [damaged]),
  );
  const isTaken = outcome.refused === undefined;
  stage.advise(isTaken, 'failed the restore of a record of its own that it could not read', 'G33');
}

/** Rule G45: OIDs that most drivers do not know; from NDIS 6.50 on. */
async function suspend(
  stage: LifeCycleStage,
  rig: VerifyRig,
  machine: Switch,
  { nic }: Place,
): Promise<void> {
  if (Number(machine.state.ndis) < 6.5) return;
  const bytes = new Uint8Array(NIC.sizeof(machine.state.ndis));
  NIC.initialize(bytes);
  NIC.view(bytes, 0).PortId = nic.portId;
  for (const oid of ['OID_SWITCH_NIC_SUSPEND', 'OID_SWITCH_NIC_RESUME'] as const) {
    await stage.act(`send ${oid}`, () => rig.send(NAME, 'set', OIDS[oid].code, bytes));
  }
}
