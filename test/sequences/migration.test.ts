import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { decodeTrace } from '../../src/policy/trace-decode.ts';
import type { ExtensionHandlers, SwitchContext } from '../../src/sdk/extension.ts';
import type { SaveRecord } from '../../switch/save-record.ts';
import type { Switch } from '../../switch/switch.ts';
import {
  extension,
  nicOptions,
  now,
  portOptions,
  portProperty,
  type SwitchWorld,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';
import { briefly, goldenText } from './golden-text.ts';

/*
 * S11 and S12 as the switches of two hosts meet them. The management that carries the records from one to the other comes with
 * migration as a whole; here the test does it.
 */
const FOLDER = new URL('../golden/sequences/', import.meta.url);

interface Host {
  readonly world: SwitchWorld;
  readonly machine: Switch;
  readonly names: Map<string, string>;
  readonly events: { seq: number; type: 'state' | 'finding'; data: Record<string, unknown> }[];
}

function host(name: string, handlers: (sw: SwitchContext) => ExtensionHandlers): Host {
  const world = switchWorld('6.85', name, { suspendOids: true });
  const events: Host['events'] = [];
  const environment = {
    ...world.environment,
    stateChange: (_name: string, data: Readonly<Record<string, unknown>>) =>
      void events.push({ seq: world.environment.trace.recorded, type: 'state', data }),
    finding: (_name: string, { rule, severity }: { rule: string; severity: string }) =>
      void events.push({
        seq: world.environment.trace.recorded,
        type: 'finding',
        data: { rule, severity },
      }),
  };
  // The same extensions on both hosts: a record finds its owner by the extension's id (rule G30).
  const stack = [
    { ...extension('capture', {}), id: 'e0000000-0000-0000-0000-0000000000c0' },
    { ...extension('filter', handlers), id: 'e0000000-0000-0000-0000-0000000000f1' },
    { ...extension('forward', {}), id: 'e0000000-0000-0000-0000-0000000000f0' },
  ];
  const machine = startSwitch({ ...world, environment }, stack);
  return { world, machine, names: new Map(stack.map((one) => [one.id, one.name])), events };
}

/** Two records for each NIC; takes its own back and remembers on which port. */
function keeper(taken: string[]): () => ExtensionHandlers {
  return () => {
    const blobs = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)];
    let next = 0;
    return {
      saveNic: (state) => {
        const blob = blobs[next];
        next += 1;
        return blob === undefined ? 'forward' : state.save(blob);
      },
      restoreNic: (state) => {
        if (!state.isMine) return 'forward';
        taken.push(`${state.portId}: ${[...state.data]}`);
        return NdisStatus.SUCCESS;
      },
    };
  };
}

function golden(t: Test, name: string, title: string, { world, names, events }: Host): void {
  const text = goldenText(
    title,
    {
      trace: {
        entries: (filter) => world.trace.entries(filter),
        decode: (entry) => decodeTrace(world.registry, entry),
      },
      events: { after: (seq) => events.filter((event) => event.seq > seq) },
    },
    names,
    0,
  );
  const file = new URL(`${name}.txt`, FOLDER);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  if (!existsSync(file)) throw new Error(`${name}.txt is not there: run with UPDATE_GOLDEN=1`);
  t.equal(text, readFileSync(file, 'utf8'), 'the golden file');
}

t.test(
  'S11 and S12: a VM moves: checked and made ready there, saved and taken down here, made and restored there (S11, S12, G25, G44, OP-38, OP-39)',
  (t) => {
    const taken: string[] = [];
    const source = host('source', keeper([]));
    const destination = host('destination', keeper(taken));
    const policies = [portProperty(source.world)];
    const running = now(
      source.machine.openConnection({
        port: portOptions('synthetic', 'vm'),
        properties: policies,
        nics: [nicOptions()],
      }),
    ).port;
    // On the destination another port came first: the port id will differ (rule G25).
    now(destination.machine.createPort(portOptions('synthetic', 'other')));
    source.world.trace.clear();
    destination.world.trace.clear();
    source.events.length = 0;
    destination.events.length = 0;

    // S12 steps 1-3.
    const ready = { port: portOptions('synthetic', 'vm'), properties: policies, nics: [] };
    t.equal(now(destination.machine.validateConnection(ready)).refused, undefined);
    const operational = now(destination.machine.openConnection(ready)).port;
    // S11 steps 2-7.
    const nic = running?.nics.get(0);
    if (running === undefined || operational === undefined || nic === undefined) {
      throw new Error('refused');
    }
    now(source.machine.startMigrationSource(running, nic));
    const { records }: { records: readonly SaveRecord[] } = now(
      source.machine.saveNic(running, nic),
    );
    now(source.machine.finishMigrationSource(running, nic));
    now(source.machine.deletePort(running));
    // S12 steps 5 and 6.
    const opened = now(destination.machine.openNics(operational, [nicOptions({ isKnown: true })]));
    const arrived = opened.nics?.[0];
    if (arrived === undefined) throw new Error('refused');
    const restored = now(destination.machine.restoreNic(operational, arrived, records));

    t.same(briefly(source.world.trace.entries()), [
      'NIC_SUSPENDED_LM_SOURCE_STARTED',
      'NIC_SAVE',
      'NIC_SAVE',
      'NIC_SAVE',
      'NIC_SAVE_COMPLETE',
      'NIC_SUSPENDED_LM_SOURCE_FINISHED',
      'NIC_DISCONNECT',
      'NIC_DELETE',
      'PORT_TEARDOWN',
      'PORT_DELETE',
    ]);
    t.same(briefly(destination.world.trace.entries()), [
      'PORT_CREATE',
      'PORT_PROPERTY_ADD',
      'PORT_TEARDOWN',
      'PORT_DELETE',
      'PORT_CREATE',
      'PORT_PROPERTY_ADD',
      'NIC_CREATE',
      'NIC_CONNECT',
      'NIC_RESTORE',
      'NIC_RESTORE',
      'NIC_RESTORE_COMPLETE',
    ]);
    t.same(taken, [`${operational.portId}: 1,2,3`, `${operational.portId}: 4`]);
    t.not(operational.portId, running.portId);
    t.same(restored.unowned, []);
    t.equal(source.machine.state.ports.size, 0);
    golden(t, 's11-migration-source', 'S11: live migration, source host', source);
    golden(t, 's12-migration-destination', 'S12: live migration, destination host', destination);
    t.end();
  },
);
