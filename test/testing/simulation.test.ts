import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { FROM_SOURCES } from '../support/from-sources.ts';
import { SIMULATED_CALLS } from '../support/simulated-calls.ts';
import '../support/uncovered-children.ts';
import passthrough from '../../extensions/passthrough/extension.ts';
import { NdisStatus } from '../../src/core/status.ts';
import { ScenarioRunner } from '../../src/scenario/run-scenarios.ts';
import { defineExtension } from '../../src/sdk/define.ts';
import { drawSetting } from '../../src/testing/simulation/draw-step.ts';
import { type Invariant, PLANTS, type Plant } from '../../src/testing/simulation/plants.ts';
import { type PlayReport, play, playSeed } from '../../src/testing/simulation/play.ts';
import { parseReplay, replayText } from '../../src/testing/simulation/replay-file.ts';
import { scenarioText } from '../../src/testing/simulation/scenario-text.ts';
import { shrink } from '../../src/testing/simulation/shrink.ts';
import { simulate } from '../../src/testing/simulation/simulate.ts';
import {
  BEHAVIOURS,
  type HostRule,
  type Setting,
  type Step,
} from '../../src/testing/simulation/step.ts';
import { HostTrace } from '../../src/testing/simulation/trace-checks.ts';

// About 20 seconds; many times that on a machine that is busy.
t.setTimeout(300_000);

/** What an operator decides needs more steps than these histories have. */
const RARE = new Set(['settleMigration', 'resumeMigration', 'abandonArrival', 'discardKept']);
const SEEDS = 200;
const STEPS = 12;
/** Calls that answer at once and change nothing. */
const READS = new Set(
  'adapter arrivals classOf counters get keys kept list peer pending record recording subscribe'.split(
    ' ',
  ),
);
/** What hosts say to one another. */
const PROTOCOLS = new Set(['MigrationPeer', 'HostDirectory']);
const ROOT = resolve(import.meta.dirname, '../..');

t.test('200 seeded worlds of 12 steps: every invariant holds', async (t) => {
  const total = { done: 0, refused: 0, skipped: 0, unknown: 0 };
  const kinds = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { breach, changes, history } = await playSeed(String(seed), STEPS);
    t.equal(breach, undefined, `seed ${seed}: ${breach?.invariant} ${breach?.message}`);
    for (const key of ['done', 'refused', 'skipped', 'unknown'] as const) {
      total[key] += changes[key];
    }
    for (const step of allIn(history.steps)) {
      kinds.add(step.do === 'vm' ? `vm ${step.verb}` : step.do);
      for (const { at, effect } of step.rules ?? []) kinds.add(`rule ${at} ${effect}`);
      for (const { what } of step.mischief ?? []) kinds.add(what);
    }
  }
  const { done, refused } = total;
  t.ok(done > SEEDS * 5, `${done} changes were acknowledged`);
  t.ok(refused > SEEDS / 2, `${refused} were refused`);
  const wanted = [
    ...['together', 'crashHost', 'wait', 'addSwitchPolicy', 'removeSwitchPolicy'],
    ...Object.values(SIMULATED_CALLS).flatMap((call) => ('drawn' in call ? call.drawn : [])),
    ...['throw', 'hang', 'twice', 'delay', 'act'].map((effect) => `rule oid ${effect}`),
    ...['fail', 'delay', 'crash', 'crashAnswered'].map((effect) => `rule store ${effect}`),
    ...['lost', 'lostAnswer', 'twice', 'delay', 'crash', 'crashAnswered'].map(
      (effect) => `rule message ${effect}`,
    ),
    'rule call status',
    ...BEHAVIOURS,
  ];
  for (const kind of wanted) if (!RARE.has(kind)) t.ok(kinds.has(kind), `${kind} was drawn`);
});

t.test('every call of the library that changes a world is drawn, or it is said why not', (t) => {
  const found: string[] = [];
  for (const name of ['api', 'sim-api', 'faults-api', 'migration-api']) {
    const text = readFileSync(join(ROOT, `src/policy/${name}.ts`), 'utf8');
    for (const [, type = '', body = ''] of text.matchAll(
      /^export interface (\w+) \{\n(.*?)^\}/gms,
    )) {
      for (const [, call = ''] of body.matchAll(/^ {2}(\w+)(?:<\w+>)?\(/gm)) {
        if (!READS.has(call) && !PROTOCOLS.has(type)) found.push(`${type}.${call}`);
      }
    }
  }
  t.ok(found.length > 60, `${found.length} calls`);
  t.same(Object.keys(SIMULATED_CALLS).toSorted(), found.toSorted());
  t.end();
});

t.test('the same seed gives the same trace byte for byte', async (t) => {
  const traceOf = async (seed: string) => {
    const lines: string[] = [];
    const { digest, history } = await playSeed(seed, 30, { onTrace: (line) => lines.push(line) });
    return { digest, history, lines };
  };
  const first = await traceOf('repeat');
  t.ok(
    first.lines.some((line) => line.includes('OID_SWITCH_')),
    'it has OIDs',
  );
  t.same(await traceOf('repeat'), first, 'in this process');
  t.not((await traceOf('another')).digest, first.digest, 'another seed, another trace');
  t.equal((await play(first.history)).digest, first.digest, 'its steps played again');
  const args = [...FROM_SOURCES, 'scripts/simulate.ts', '--seed', 'repeat', '--steps', '30'];
  const child = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  t.equal(child.status, 0, child.stderr);
  t.match(child.stdout, `seed repeat: trace sha256 ${first.digest}`, 'in another process');
});

/** Each step, with those inside of it. */
function allIn(steps: readonly Step[]): readonly Step[] {
  return steps.flatMap((step) =>
    step.do === 'together' || step.do === 'atomic' ? [step, ...allIn(step.steps)] : [step],
  );
}

/** The first seed in which the planted defect breaks this invariant. */
async function firstFailure(plant: Plant, invariant: Invariant): Promise<PlayReport> {
  for (let seed = 1; seed <= 20; seed += 1) {
    const report = await playSeed(String(seed), 40, { plant });
    if (report.breach?.invariant === invariant) return report;
  }
  throw new Error('nothing was noticed');
}

for (const { plant, invariant, most, step } of [
  // A VM and one more record of it: two writes, of which the second is forgotten.
  {
    plant: { defect: 'storeForgets', nth: 2 },
    invariant: 'durable',
    most: 3,
    step: /createVm/,
  },
  // A VM, its start on a switch, and the policy that is missed.
  {
    plant: { defect: 'extensionForgets', nth: 1 },
    invariant: 'views',
    most: 5,
    step: /addPolicy/,
  },
] as const) {
  t.test(`a planted defect, ${plant.defect}, is noticed and shrunk to a few steps`, async (t) => {
    const { breach, history } = await firstFailure(plant, invariant);
    t.equal(breach?.invariant, invariant);
    if (breach === undefined) return;
    const shrunk = await shrink(history, breach);
    const { steps } = shrunk.history;
    t.equal(shrunk.breach.invariant, invariant, 'the same invariant');
    t.ok(steps.length <= most, `${steps.length} steps: ${JSON.stringify(steps)}`);
    t.match(JSON.stringify(steps), step);
    for (let at = 0; at < steps.length; at += 1) {
      const without = { ...shrunk.history, steps: steps.filter((_, i) => i !== at) };
      const { breach: other } = await play(without);
      t.not(other?.invariant, invariant, `step ${at + 1} cannot go`);
    }

    const file = replayText(shrunk.history, shrunk.breach);
    t.same(parseReplay(file), shrunk.history, 'the file has the history');
    const again = await play(parseReplay(file));
    t.same(again.breach, shrunk.breach, 'the file replays it');
    const { plant: _, ...sound } = shrunk.history.setting;
    const repaired = await play({ ...shrunk.history, setting: sound });
    t.equal(repaired.breach, undefined, 'without the defect everything holds');

    const { text, unsaid } = scenarioText(shrunk.history, shrunk.breach, again);
    t.notMatch(unsaid.join(), /^step/, 'every step has a verb');
    await playsAsScenario(t, text);
  });
}

/** What may notice a defect before its own invariant does. */
const OTHERS: Readonly<Partial<Record<Invariant, readonly Invariant[]>>> = {
  // A host that dies finds on its disk what it has.
  durable: ['acknowledged', 'untouched', 'empty'],
  // Others wait for the host that does not come back.
  opens: ['quiet'],
  // What it kept was shown of a switch that is there again.
  empty: ['durable'],
};

for (const [invariant, defect] of Object.entries(PLANTS) as [Invariant, Plant['defect']][]) {
  t.test(
    `a planted defect, ${defect}, breaks ${invariant}, and nothing it has no part in`,
    async (t) => {
      const found: string[] = [];
      for (let seed = 1; seed <= 20 && !found.includes(invariant); seed += 1) {
        const plant = { defect, nth: invariant === 'durable' ? 2 : 1 };
        const { breach } = await playSeed(String(seed), 40, { plant });
        if (breach !== undefined) found.push(breach.invariant);
      }
      t.ok(found.includes(invariant), `${found.join()}`);
      const sensible: readonly string[] = [invariant, ...(OTHERS[invariant] ?? [])];
      t.same(
        found.filter((each) => !sensible.includes(each)),
        [],
      );
    },
  );
}

/** The product is sound: the scenario of a planted defect passes. */
async function playsAsScenario(t: Test, text: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'simulation-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'found.yaml');
  const policies = join(ROOT, 'policies');
  const placed = text
    .replaceAll('../fabrikam.mof', join(policies, 'fabrikam.mof'))
    .replaceAll(': extensions/', `: ${join(policies, 'scenarios/extensions')}/`);
  writeFileSync(file, placed);
  const runner = await ScenarioRunner.open([file], { cwd: folder });
  for await (const outcome of runner.play()) {
    t.same(outcome.failure, undefined, text);
    t.equal(outcome.ok, true, 'the scenario passes');
  }
}

/** One write of a host fails. */
const failing = (host: string, nth: number): readonly HostRule[] => [
  { host, at: 'store', effect: 'fail', nth, times: 1 },
];

for (const nth of [1, 2]) {
  t.test(
    `an update whose write fails and a removal at once, write ${nth}: told once`,
    async (t) => {
      // Seed 1428: the update was taken back after the removal, with an OID for a policy that was gone.
      const on = { vm: 'V', adapter: 'n0', policy: 4 };
      const place = { host: 'h1', switch: 'A', policy: 5 };
      const steps: Step[] = [
        { do: 'createVm', host: 'h1', vm: 'V', adapters: ['A'] },
        { do: 'addPolicy', ...on, value: 1 },
        { do: 'addSwitchPolicy', ...place, value: 1 },
        { do: 'vm', verb: 'start', vm: 'V' },
        {
          do: 'together',
          steps: [
            { do: 'updatePolicy', ...on, value: 168 },
            { do: 'removePolicy', ...on },
          ],
          rules: failing('h1', nth),
        },
        {
          do: 'together',
          steps: [
            { do: 'updateSwitchPolicy', ...place, value: 168 },
            { do: 'removeSwitchPolicy', ...place },
          ],
          rules: failing('h1', nth),
        },
        { do: 'restartHost', host: 'h1' },
      ];
      for (const scheduling of ['fifo', 'seeded'] as const) {
        const setting = { ...drawSetting('undo'), hosts: ['h1'], scheduling };
        const { breach } = await play({ setting, steps });
        t.equal(breach, undefined, `${scheduling}: ${breach?.message}`);
      }
    },
  );
}

t.test(
  'a port whose write fails while its switch is deleted leaves nothing on the disk',
  async (t) => {
    // Seed 2050: the port was stored once more after the switch was gone.
    const place = { host: 'h1', switch: 'A' };
    const steps: Step[] = [
      {
        do: 'together',
        steps: [
          { do: 'createPort', ...place, port: 'P3' },
          { do: 'deleteSwitch', ...place },
        ],
        rules: failing('h1', 1),
      },
    ];
    const setting: Setting = {
      seed: '2050',
      hosts: ['h1'],
      profile: 'ws2022',
      scheduling: 'fifo',
      behaviour: {},
    };
    const { breach } = await play({ setting, steps });
    t.equal(breach?.message, undefined);
  },
);

t.test('a host goes back to a snapshot exactly, and a fork of it shows the same', async (t) => {
  const on = { vm: 'V', adapter: 'n0', policy: 4 };
  const place = { host: 'h1', snapshot: 'T' };
  const steps: Step[] = [
    { do: 'createVm', host: 'h1', vm: 'V', adapters: ['A'] },
    { do: 'addPolicy', ...on, value: 1 },
    { do: 'vm', verb: 'start', vm: 'V' },
    { do: 'assignVf', vm: 'V', adapter: 'n0' },
    { do: 'takeSnapshot', ...place },
    { do: 'updatePolicy', ...on, value: 2 },
    { do: 'copyVm', vm: 'V', to: 'h1', copy: 'W' },
    { do: 'copySwitch', host: 'h1', switch: 'B', to: 'h1', copy: 'C' },
    { do: 'vm', verb: 'save', vm: 'V' },
    { do: 'forkSnapshot', ...place },
    { do: 'restoreSnapshot', ...place, rules: failing('h1', 1) },
    { do: 'restoreSnapshot', ...place },
    { do: 'vm', verb: 'pause', vm: 'V' },
    { do: 'restartHost', host: 'h1' },
    { do: 'restoreSnapshot', ...place },
    { do: 'resetHost', host: 'h1' },
  ];
  const setting = {
    ...drawSetting('back'),
    hosts: ['h1'],
    profile: 'ws2022',
    profiles: {},
  } as const;
  const { breach, results } = await play({ setting, steps });
  t.equal(breach, undefined, `${breach?.message}`);
  const done = Array.from({ length: 10 }, () => 'done');
  const back = ['refused', 'done', 'done', 'done', 'skipped', 'done'];
  t.same(results, [...done, ...back], 'after a restart there are no snapshots');
});

t.test('changes that come while their VM moves: all of them, or none', async (t) => {
  const setting = { ...drawSetting('move'), hosts: ['h1', 'h2'], scheduling: 'seeded' } as const;
  const on = { vm: 'V', adapter: 'n0' };
  for (const change of [
    { do: 'updatePolicy', ...on, policy: 1, value: 9 },
    { do: 'removePolicy', ...on, policy: 1 },
    { do: 'disconnectAdapter', ...on },
    { do: 'vm', verb: 'save', vm: 'V' },
    { do: 'vm', verb: 'stop', vm: 'V' },
    { do: 'deleteSwitch', host: 'h2', switch: 'A' },
  ] as const) {
    const steps: Step[] = [
      { do: 'createVm', host: 'h1', vm: 'V', adapters: ['A'] },
      { do: 'addPolicy', ...on, policy: 1, value: 7 },
      { do: 'vm', verb: 'start', vm: 'V' },
      { do: 'together', steps: [{ do: 'migrate', vm: 'V', to: 'h2' }, change] },
      { do: 'restartHost', host: 'h1' },
    ];
    const { breach } = await play({ setting, steps });
    t.equal(breach, undefined, `${change.do}: ${breach?.message}`);
  }
});

const NAUGHTY = defineExtension({
  id: '0badcafe-0000-4000-8000-000000000001',
  name: 'naughty',
  vendor: 'extswitch',
  version: '1.0',
  type: 'filter',
  attach: (sw) => ({
    addPortProperty({ request }) {
      const pended = request.pend();
      sw.after(5, () => {
        request.forward();
        request.complete(NdisStatus.SUCCESS);
      });
      return pended;
    },
  }),
});

t.test('an extension of a user that completes twice is found, shrunk and replayed', async (t) => {
  const report = await simulate({ extensions: [NAUGHTY], seeds: 4, steps: 40 });
  t.equal(report.seeds, 4);
  const [failure] = report.failures;
  t.equal(failure?.invariant, 'rules');
  if (failure === undefined) return;
  t.match(failure.message, /^naughty on .* breaks NdisOidDoubleComplete: /);
  t.ok(failure.steps.length <= 3, `${failure.steps.length} steps`);
  t.match(JSON.stringify(failure.steps), 'addPolicy');
  const options = { extensions: [NAUGHTY] };
  const first = await play(parseReplay(failure.replay), options);
  t.equal(first.breach?.message, failure.message, 'the file replays it');
  const again = await play(parseReplay(failure.replay), options);
  t.equal(again.digest, first.digest, 'to the byte');
  await t.rejects(simulate({ seeds: 0 }), { code: 'INVALID_ARGUMENT', message: /seeds/ });
  const taken = { ...NAUGHTY, id: '5cbf81be-5055-47cd-9055-a76b2b4e369e' };
  await t.rejects(simulate({ extensions: [taken] }), { code: 'INVALID_ARGUMENT' });
});

t.test('an extension that forwards everything breaks nothing', async (t) => {
  const { failures } = await simulate({ extensions: [passthrough], seeds: 5, steps: 20 });
  t.same(failures, []);
});

t.test('scripts/simulate.ts with a planted defect: exit code 1, the seed, a file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'simulate-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [...FROM_SOURCES, 'scripts/simulate.ts', ...args], {
      cwd: ROOT,
      encoding: 'utf8',
    });
  const { history } = await firstFailure({ defect: 'storeForgets', nth: 2 }, 'durable');
  const { seed } = history.setting;
  const found = run('--seed', seed, '--plant', 'storeForgets:2', '--out', folder);
  t.equal(found.status, 1, found.stderr);
  t.match(found.stdout, `seed ${seed} breaks durable`);
  const file = readdirSync(folder).find((name) => name.endsWith('.json')) ?? '';
  t.equal(file, `seed-${seed}.json`);
  const replayed = run('--replay', join(folder, file));
  t.equal(replayed.status, 1, replayed.stderr);
  const { breach } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  t.match(replayed.stdout, `durable: ${breach.message}`);
  const shared = run('--jobs', '2', '--seeds', '4', '--steps', '4', '--out', folder);
  t.match(shared.stdout, /^4 seed\(s\), 16 steps, \d+ OID requests, [\d.]+ s: 0 failed$/m);
  t.equal(shared.status, 0, 'two processes');
  t.equal(run('--steps', 'many').status, 2, 'a wrong option is a usage error');
});

t.test('what is no history to replay is refused with the reason', async (t) => {
  const good = replayText({ setting: drawSetting('1'), steps: [] });
  const wrong = (change: object) => JSON.stringify({ ...JSON.parse(good), ...change });
  const cases: [string, RegExp][] = [
    ['{', /JSON/],
    ['[]', /format undefined/],
    [wrong({ version: 2 }), /version 2/],
    [wrong({ setting: { hosts: [] } }), /setting.hosts/],
    [wrong({ setting: null }), /setting is missing/],
    [wrong({ steps: [{}] }), /steps\[0\] has no "do"/],
  ];
  for (const [text, message] of cases) {
    t.throws(() => parseReplay(text), { code: 'INVALID_ARGUMENT', message });
  }
});

t.test('traces that no switch may have: twice, never, upwards, out of the state tables', (t) => {
  const types = new Map([
    ['c', 'capture'],
    ['f', 'filter'],
  ]);
  const entry = (request: number, modules: readonly string[], oid = 'OID_SWITCH_PARAMETERS') => ({
    seq: request,
    request,
    time: 0,
    switch: 'S',
    oid,
    requestType: 'set' as const,
    origin: 'protocolEdge',
    route: modules.map((module) => ({ module, verdict: 'forward' })),
    status: 'NDIS_STATUS_SUCCESS',
    // Port 0, long enough for every structure of a port.
    input: new Uint8Array(2048),
  });
  const down = ['c', 'f', 'miniportEdge'];
  const found = (entries: readonly ReturnType<typeof entry>[], activated: readonly string[]) => {
    const broken: string[] = [];
    const trace = new HostTrace(types, 0);
    const complain = (invariant: string): unknown => broken.push(invariant);
    trace.add(entries, activated, complain);
    trace.check(complain);
    return broken;
  };
  t.same(
    found([entry(2, down), entry(1, ['c', 'c', 'f'])], ['S']),
    [],
    'a pended one is there twice',
  );
  t.same(found([entry(1, down), entry(2, down), entry(2, down)], ['S']), ['once'], 'twice');
  t.same(found([entry(1, down), entry(3, down)], ['S']), ['once'], '2 never ended');
  t.same(found([entry(1, down), entry(1, down)], ['S']), ['once'], '1 twice, in one life');
  t.same(found([entry(1, down), entry(1, down)], ['S', 'S']), [], 'a switch made again');
  t.same(found([entry(1, ['f', 'c'])], ['S']), ['stackOrder'], 'upwards (rule A2)');
  t.same(found([entry(1, ['c', 'f', 'c'])], ['S']), ['stackOrder'], 'one is met again');
  const deleted = [entry(1, down, 'OID_SWITCH_PORT_DELETE')];
  const empty = 'a port that never was is deleted (B.5), by a structure without header';
  t.same(found(deleted, ['S']), ['bytes', 'states'], empty);
  t.end();
});
