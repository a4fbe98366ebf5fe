import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { NdisStatus, statusName } from '../../src/core/status.ts';
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

/** Fails the request that comes when `countdown` has run out, once. */
interface Trap {
  countdown: number;
  readonly status: NdisStatus;
  /** What it failed. */
  failed?: string;
}

function trapped(handlers: ExtensionHandlers, trap: Trap | undefined): ExtensionHandlers {
  if (trap === undefined) return handlers;
  return {
    ...handlers,
    oidRequest(request) {
      trap.countdown -= 1;
      if (trap.countdown !== -1) return 'forward';
      trap.failed = request.oidName.slice('OID_SWITCH_'.length);
      return trap.status;
    },
  };
}

function host(name: string, handlers: (sw: SwitchContext) => ExtensionHandlers, trap?: Trap): Host {
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
    {
      ...extension('filter', (sw) => trapped(handlers(sw), trap)),
      id: 'e0000000-0000-0000-0000-0000000000f1',
    },
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

/** Requests that may end a migration where it stands; what else fails is a rule broken, and the move goes on (OP-28). */
const DECISIVE = /^(PORT_CREATE|PORT_PROPERTY_ADD|NIC_CREATE|NIC_SAVE|NIC_RESTORE)$/;

/** S11 and S12 as management would do them; what came of it. */
function migrate(source: Host, destination: Host): 'moved' | 'stayed' | 'arrived without its data' {
  const policies = [portProperty(source.world)];
  const there = { port: portOptions('synthetic', 'vm'), properties: policies, nics: [] };
  const [running] = source.machine.state.ports.values();
  const nic = running?.nics.get(0);
  if (running === undefined || nic === undefined) throw new Error('nothing runs on the source');
  if (now(destination.machine.validateConnection(there)).refused !== undefined) return 'stayed';
  const operational = now(destination.machine.openConnection(there)).port;
  if (operational === undefined) return 'stayed';
  now(source.machine.startMigrationSource(running, nic));
  const saved = now(source.machine.saveNic(running, nic));
  now(source.machine.finishMigrationSource(running, nic));
  if (saved.refused !== undefined) {
    now(destination.machine.deletePort(operational));
    return 'stayed';
  }
  now(source.machine.deletePort(running));
  const nics = [nicOptions({ isKnown: true })];
  const arrived = now(destination.machine.openNics(operational, nics)).nics?.[0];
  if (arrived === undefined) {
    now(destination.machine.deletePort(operational));
    // Back where it was, on the port id it had, with its data.
    const port = { ...there.port, portId: running.portId };
    const back = now(source.machine.openConnection({ port, properties: policies, nics })).port;
    const again = back?.nics.get(0);
    if (back === undefined || again === undefined) throw new Error('not taken back');
    now(source.machine.restoreNic(back, again, saved.records));
    return 'stayed';
  }
  const restored = now(destination.machine.restoreNic(operational, arrived, saved.records));
  return restored.refused === undefined ? 'moved' : 'arrived without its data';
}

t.test(
  'a veto at each request of S11 and S12 leaves the port whole on one host and nothing of it on the other (G10, G27, OP-14, OP-17, S11, S12)',
  (t) => {
    const decided = new Set<string>();
    for (const side of ['source', 'destination'] as const) {
      for (const status of [NdisStatus.DATA_NOT_ACCEPTED, NdisStatus.RESOURCES]) {
        for (let at = 0; ; at += 1) {
          const trap: Trap = { countdown: Number.POSITIVE_INFINITY, status };
          const source = host('source', keeper([]), side === 'source' ? trap : undefined);
          const destination = host('destination', keeper([]), side === 'source' ? undefined : trap);
          const { port } = now(
            source.machine.openConnection({
              port: portOptions('synthetic', 'vm'),
              properties: [portProperty(source.world)],
              nics: [nicOptions()],
            }),
          );
          trap.countdown = at;
          const outcome = migrate(source, destination);
          if (trap.failed === undefined) break;
          const what = `${trap.failed} failed with ${statusName(status)} on the ${side}`;
          const isDecisive = DECISIVE.test(trap.failed);
          if (isDecisive) decided.add(trap.failed);
          const expected = isDecisive
            ? trap.failed === 'NIC_RESTORE'
              ? 'arrived without its data'
              : 'stayed'
            : 'moved';
          t.equal(outcome, expected, what);
          const here = source.machine.state.ports.size;
          const there = destination.machine.state.ports.size;
          t.same([here, there], outcome === 'stayed' ? [1, 0] : [0, 1], `${what}: one host has it`);
          const [owner] = [
            ...source.machine.state.ports.values(),
            ...destination.machine.state.ports.values(),
          ];
          t.equal(owner?.nics.get(0)?.state, 'connected', `${what}: its NIC is connected`);
          t.equal(owner?.properties.size, 1, `${what}: its policy is there`);
          t.equal(owner?.references, 0);
          if (outcome === 'stayed')
            t.equal(owner?.portId, port?.portId, `${what}: the port it was`);
        }
      }
    }
    t.same([...decided].sort(), [
      'NIC_CREATE',
      'NIC_RESTORE',
      'NIC_SAVE',
      'PORT_CREATE',
      'PORT_PROPERTY_ADD',
    ]);
    t.end();
  },
);
