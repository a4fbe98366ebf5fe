import { createHash } from 'node:crypto';
import { VirtualClock } from '../../core/clock.ts';
import { isExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface, TraceEntry } from '../../policy/api.ts';
import { LocalHosts } from '../../policy/migration-hosts.ts';
import { type Act, actOf, type Places } from './change.ts';
import { type Outcome, settle } from './patience.ts';
import { MischiefList } from './rogue.ts';
import { SimulatedHost, type Surroundings } from './simulated-host.ts';
import { MessageTraps } from './simulated-hosts.ts';
import { SimulatedStore } from './simulated-store.ts';
import { addStateLines, differences, type StateLines, vmLine } from './state-lines.ts';
import type { Change, Setting, Step } from './step.ts';
import { checkView, HostTrace } from './trace-checks.ts';

/** What did not hold. */
export interface Breach {
  /** Name of the invariant: docs/reference/simulation.md. */
  readonly invariant: string;
  readonly message: string;
  /** Number of the step after which it was seen, from 0. */
  readonly step: number;
}

export interface SimulationOptions {
  /** After each step: default. `none`: only to measure what they cost. */
  readonly checks?: 'all' | 'none';
  /** Gets every line of the history's trace; equal histories give equal lines. */
  readonly onTrace?: (line: string) => void;
}

/** What one change came to. */
export type Result = 'skipped' | 'done' | 'refused' | 'unknown';

const onPurpose = new Error('on purpose');
/** Findings that say an extension refused what was to come back: then the world is not what was stored until a restart. */
const LOSS = /was to be connected again|made again|stays as it is|stays on the synthetic path/;
/** One that an extension refused to undo: those above it were told that it stays (rule E17). */
const TAKEN_BACK = /to take back/;
const LEAK = /still had \d+ reference/;
/** Steps after which a second process opens a copy of each disk. */
const BESIDE_EVERY = 10;

/** A world of several hosts that is taken from step to step, and looked at after each. */
export class Simulation {
  readonly #setting: Setting;
  readonly #options: SimulationOptions;
  readonly #clock = new VirtualClock();
  readonly #mischief = new MischiefList();
  readonly #messages = new MessageTraps();
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #traces = new Map<string, HostTrace>();
  readonly #around: Surroundings;
  readonly #hash = createHash('sha256');
  /** Hosts on which an extension has refused an undo. */
  readonly #lossy = new Set<string>();
  #wasLossy = false;
  /** Hosts on which extensions rightly believe what is not there. */
  readonly #doubted = new Set<string>();
  #lines: StateLines = new Map();
  #step = -1;
  /** The first thing that did not hold. */
  breach: Breach | undefined;
  /** Changes asked for, of which some were refused and some had nothing to work on. */
  readonly changes = { done: 0, refused: 0, skipped: 0, unknown: 0 };
  /** What each step came to. */
  readonly results: Result[] = [];
  /** OID requests that completed, and hand-overs of them to a module. */
  requests = 0;
  visits = 0;

  constructor(setting: Setting, options: SimulationOptions = {}) {
    this.#setting = setting;
    this.#options = options;
    this.#around = {
      setting,
      clock: this.#clock,
      hosts: new LocalHosts(),
      mischief: this.#mischief,
      messages: this.#messages,
      isDead: (host) => this.#hosts.get(host)?.store.isDead ?? true,
    };
  }

  get hosts(): SimulatedHost[] {
    return [...this.#hosts.values()];
  }

  /** SHA-256 of the trace so far. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  async open(): Promise<void> {
    for (const name of this.#setting.hosts) {
      const host = await this.#openHost(name, new SimulatedStore(this.#setting.plant));
      if (this.breach === undefined) await this.#must('setting up', host.setUp());
    }
    this.#lines = this.#look();
  }

  async play(step: Step): Promise<void> {
    this.#step += 1;
    this.#note(`step ${JSON.stringify(step)}`);
    this.#arm(step);
    this.#wasLossy = this.#lossy.size > 0;
    const isChecked = this.#options.checks !== 'none';
    const verdict = await this.#perform(step);
    this.results.push(verdict.result);
    this.#arm({ do: 'wait', ms: 0 });
    if (this.breach !== undefined) return;
    await this.#reopenDead();
    this.#gather();
    if (!isChecked || this.breach !== undefined) return;
    this.#compare(verdict);
    this.#check();
    if (this.#step % BESIDE_EVERY === BESIDE_EVERY - 1) await this.#checkDisks();
  }

  /** The last look: disks, traces, and that everything can be taken away. */
  async close(): Promise<void> {
    if (this.breach === undefined && this.#options.checks !== 'none') {
      await this.#checkDisks();
      if (this.breach === undefined) await this.#empty();
    }
    for (const host of this.hosts) {
      this.#gather();
      this.#traces.get(host.name)?.check((invariant, message) => this.#bad(invariant, message));
      await this.#settle(host.fabric.close());
    }
  }

  // --- steps ---------------------------------------------------------------------------------------------------------

  #arm(step: Step): void {
    this.#mischief.arm(step.mischief);
    this.#messages.arm(step.message);
    for (const { name, store } of this.hosts) {
      store.arm(step.store?.host === name ? step.store : undefined);
    }
  }

  async #perform(step: Step): Promise<Verdict> {
    switch (step.do) {
      case 'wait': {
        this.#clock.advance(step.ms);
        await this.#settle(Promise.resolve());
        return { result: 'done', acts: [] };
      }
      case 'restartHost':
      case 'crashHost':
        await this.#restart(step.host, step.do === 'crashHost');
        return { result: 'done', acts: [] };
      case 'migrate':
        return this.#migrate(step);
      case 'together':
        return this.#together(step.steps);
      case 'atomic':
        return this.#atomic(step);
      default:
        return this.#alone(step);
    }
  }

  async #alone(change: Change): Promise<Verdict> {
    const act = actOf(change, this.#places());
    if (act === undefined) return this.#count({ result: 'skipped', acts: [] });
    const world = this.#host(act.host).fabric;
    const outcome = await this.#settle(asked(act, world));
    return this.#count({ result: this.#resultOf(outcome, [act.host]), acts: [act] });
  }

  async #together(steps: readonly Change[]): Promise<Verdict> {
    const acts = steps.flatMap((step) => actOf(step, this.#places()) ?? []);
    if (acts.length === 0) return this.#count({ result: 'skipped', acts });
    const all = acts.map((act) =>
      asked(act, this.#host(act.host).fabric).then(
        () => undefined,
        (error: unknown) => ({ error }),
      ),
    );
    const outcome = await this.#settle(Promise.all(all));
    if (outcome !== undefined && 'value' in outcome) {
      for (const each of outcome.value) {
        this.#resultOf(each ?? { value: undefined }, []);
      }
    }
    // What each came to depends on the others.
    return this.#count({ result: 'unknown', acts });
  }

  async #atomic({ host, throws, steps }: Extract<Step, { do: 'atomic' }>): Promise<Verdict> {
    const acts: Act[] = [];
    const owner = this.#hosts.get(host);
    if (owner === undefined) return this.#count({ result: 'skipped', acts });
    const change = owner.fabric.atomic(async (world) => {
      for (const step of steps) {
        const act = actOf(step, {
          world: (name) => (name === host ? world : undefined),
          hostOf: (vm) => (hasVm(world, vm) ? host : undefined),
        });
        if (act === undefined) continue;
        acts.push(act);
        await act.run(world);
      }
      if (throws) throw onPurpose;
    });
    const outcome = await this.#settle(change);
    const result = this.#resultOf(outcome, [host]);
    // Later changes may have undone the effect of the first.
    return this.#count({ result: result === 'done' ? 'unknown' : result, acts });
  }

  async #migrate({ vm, to }: Extract<Step, { do: 'migrate' }>): Promise<Verdict> {
    const from = this.#places().hostOf(vm);
    const isMove = from !== undefined && from !== to && this.#hosts.has(to);
    if (!isMove) return this.#count({ result: 'skipped', acts: [] });
    const { fabric } = this.#host(from);
    const act: Act = {
      host: from,
      touches: [vmLine(vm)],
      run: async () => {
        const { id } = await fabric.migrations.start({ vm, destination: { host: to } });
        return fabric.migrations.done(id);
      },
      missing: (after) =>
        after.get(vmLine(vm))?.startsWith(`{"host":"${to}"`) ? undefined : `${vm} is not on ${to}`,
    };
    const run = act.run(fabric) as Promise<{ readonly state: string }>;
    // A host that died tells nobody how its migration ended.
    const ended = Promise.race([run, this.#death([from, to])]);
    const outcome = await this.#settle(ended);
    let result = this.#resultOf(outcome, [from, to]);
    if (outcome !== undefined && 'value' in outcome && result === 'done') {
      if (outcome.value.state !== 'succeeded') result = 'refused';
    }
    if (outcome === undefined) result = 'unknown';
    return this.#count({ result, acts: [act] });
  }

  /** Ends when one of the hosts has died. */
  async #death(names: readonly string[]): Promise<{ readonly state: string }> {
    return new Promise((resolve) => {
      this.#mourners.push(() => {
        if (!names.some((name) => this.#around.isDead(name))) return false;
        resolve({ state: 'died' });
        return true;
      });
    });
  }
  #mourners: (() => boolean)[] = [];

  #resultOf(outcome: Outcome<unknown> | undefined, hosts: readonly string[]): Result {
    if (outcome === undefined) return 'unknown';
    if (this.hosts.some(({ store }) => store.isDead)) return 'unknown';
    if (!('error' in outcome)) return 'done';
    const { error } = outcome;
    if (error === onPurpose) return 'refused';
    const isOurs = isExtSwitchError(error) && error.code !== 'INTERNAL';
    if (!isOurs) this.#bad('errors', `${hosts.join()}: ${String(error)}`);
    this.#note(`refused ${String(error)}`);
    return 'refused';
  }

  #count(verdict: Verdict): Verdict {
    this.changes[verdict.result] += 1;
    this.#note(verdict.result);
    return verdict;
  }

  // --- hosts ---------------------------------------------------------------------------------------------------------

  #host(name: string): SimulatedHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no host is called ${name}`);
    return host;
  }

  async #openHost(name: string, store: SimulatedStore): Promise<SimulatedHost> {
    const host = new SimulatedHost(name, store, this.#around);
    this.#hosts.set(name, host);
    await this.#must(`opening ${name}`, host.open());
    if (this.breach !== undefined) return host;
    const types = host.fabric.extensions.list().map(({ id, type }) => [id, type] as const);
    this.#traces.set(name, new HostTrace(new Map(types)));
    return host;
  }

  async #restart(name: string, isCrash: boolean): Promise<void> {
    const host = this.#hosts.get(name);
    if (host === undefined) return;
    this.#gather();
    if (isCrash) host.store.kill();
    else this.#traces.get(name)?.check((invariant, message) => this.#bad(invariant, message));
    await this.#settle(host.fabric.close());
    if (this.breach !== undefined) return;
    await this.#openHost(name, host.store.again());
    this.#lossy.delete(name);
    this.#doubted.delete(name);
    if (this.breach === undefined) await this.#settle(Promise.resolve());
  }

  async #reopenDead(): Promise<void> {
    for (const { name, store } of this.hosts) {
      if (store.isDead && this.breach === undefined) await this.#restart(name, true);
    }
  }

  #places(): Places {
    return {
      world: (host) => this.#hosts.get(host)?.fabric,
      hostOf: (vm) => this.hosts.find(({ fabric }) => hasVm(fabric, vm))?.name,
    };
  }

  // --- what must hold ------------------------------------------------------------------------------------------------

  #look(): StateLines {
    const lines: StateLines = new Map();
    for (const { name, fabric } of this.hosts) addStateLines(lines, name, fabric);
    return lines;
  }

  /** Nothing acknowledged is lost, nothing refused is kept, and nothing else has changed. */
  #compare({ result, acts }: Verdict): void {
    const before = this.#lines;
    const after = this.#look();
    this.#lines = after;
    // What an undo has lost is back after a restart.
    const isLossy = this.#wasLossy || this.#lossy.size > 0;
    if (result === 'done' && !isLossy) {
      for (const act of acts) {
        const missing = act.missing(after);
        if (missing !== undefined) this.#bad('acknowledged', missing);
      }
    }
    const touches = acts.flatMap((act) => act.touches);
    const shakesVms = acts.some((act) => act.shakesVms);
    for (const [key, was, is] of differences(before, after)) {
      const isVm = key.startsWith('vm/');
      const isThere = is !== 'nothing' && was !== 'nothing';
      if (isLossy && isThere) continue;
      const isTouched = touches.some(
        (touched) =>
          key === touched ||
          key.startsWith(`${touched}/`) ||
          (touched.endsWith('/') && key.startsWith(touched)),
      );
      if (result !== 'refused' && (isTouched || (shakesVms && isVm && isThere))) continue;
      const what = `${key}\n  was ${was}\n  is  ${is}`;
      if (result !== 'refused') this.#bad(isThere ? 'untouched' : 'acknowledged', what);
      else this.#bad('refused', what);
    }
  }

  #check(): void {
    const owners = new Map<string, string>();
    for (const { name, fabric, wellBehaved } of this.hosts) {
      const pending = fabric.pending();
      if (pending.length > 0) this.#bad('quiet', `${name} has pending ${JSON.stringify(pending)}`);
      if (fabric.counters()['oids_in_flight'] !== 0) this.#bad('quiet', `${name} is not quiet`);
      for (const { id, name: vm } of fabric.vms.list()) {
        const other = owners.get(id);
        if (other !== undefined) this.#bad('owner', `${vm} is on ${other} and on ${name}`);
        owners.set(id, name);
      }
      if (this.#doubted.has(name)) continue;
      for (const { id } of fabric.switches.list()) {
        const sw = fabric.switches.get(id);
        checkView(
          name,
          sw,
          (each) => wellBehaved.witness(each),
          (invariant, message) => this.#bad(invariant, message),
        );
      }
    }
  }

  /** What a second process finds on each disk is what the first one shows. */
  async #checkDisks(): Promise<void> {
    for (const host of this.hosts) {
      if (this.breach !== undefined || this.#lossy.has(host.name)) continue;
      const other = await this.#settle(host.beside());
      if (other === undefined || 'error' in other) {
        this.#bad('durable', `${host.name}: its disk does not open: ${String(other?.error)}`);
        return;
      }
      const here: StateLines = new Map();
      const there: StateLines = new Map();
      addStateLines(here, host.name, host.fabric);
      addStateLines(there, host.name, other.value);
      for (const [key, shown, kept] of differences(here, there)) {
        this.#bad('durable', `${host.name}: ${key}\n  shown ${shown}\n  kept  ${kept}`);
      }
      await this.#settle(other.value.close());
    }
  }

  /** Everything away; nothing may be left. */
  async #empty(): Promise<void> {
    for (const { name, fabric, store } of this.hosts) {
      for (const info of [...fabric.vms.list()]) {
        const vm = fabric.vms.get(info.id);
        if (vm.info.state !== 'off') await this.#must(`stopping ${info.name}`, vm.stop());
        await this.#must(`deleting ${info.name}`, vm.delete());
      }
      for (const { id } of [...fabric.switches.list()]) {
        await this.#must('deleting a switch', fabric.switches.get(id).delete());
      }
      const left = Array.from(store.range(''), ([key]) => key).filter(
        (key) => !/^(feature|extension|meta|format|migration)/.test(key),
      );
      if (left.length > 0) this.#bad('empty', `${name}: the disk has left ${left.join()}`);
    }
  }

  // --- the run itself ------------------------------------------------------------------------------------------------

  /** Takes trace and findings of all hosts. */
  #gather(): void {
    for (const host of this.hosts) {
      const entries = host.newEntries();
      this.requests += entries.length;
      for (const entry of entries) this.visits += entry.route.length;
      const events = host.newEvents();
      const activated = events.flatMap(({ switch: sw, data }) =>
        sw !== undefined && data['event'] === 'switchActivated' ? [sw] : [],
      );
      this.#traces
        .get(host.name)
        ?.add(entries, activated, (what, message) => this.#bad(what, message));
      for (const entry of entries) {
        const { seq, request, time, switch: sw, oid, status, route } = entry;
        if (isSwallowed(entry)) this.#doubted.add(host.name);
        const way = route.map(({ module, verdict }) => `${module} ${verdict}`).join(', ');
        const bytes = Buffer.from(entry.input).toString('base64');
        this.#note(
          `${host.name} ${seq} ${request} ${time} ${sw} ${oid} ${status} [${way}] ${bytes}`,
        );
      }
      for (const { type, data } of events) {
        if (type !== 'finding') continue;
        const message = String(data['message']);
        if (TAKEN_BACK.test(message)) this.#doubted.add(host.name);
        if (LOSS.test(message)) this.#lossy.add(host.name);
        if (LEAK.test(message)) this.#bad('references', `${host.name}: ${message}`);
      }
    }
  }

  #note(line: string): void {
    this.#hash.update(line);
    this.#options.onTrace?.(line);
  }

  #bad(invariant: string, message: string): void {
    this.breach ??= { invariant, message, step: this.#step };
  }

  async #must(what: string, act: Promise<unknown>): Promise<void> {
    const outcome = await this.#settle(act);
    if (outcome !== undefined && 'error' in outcome) {
      this.#bad('opens', `${what}: ${String(outcome.error)}`);
    }
  }

  /** Lets time pass until it has ended and nothing is under way any more. */
  async #settle<T>(promise: Promise<T>): Promise<Outcome<T> | undefined> {
    const outcome = await settle(this.#clock, promise, () => this.#isQuiet());
    if (outcome === undefined) {
      const pending = this.hosts.map(({ fabric }) => fabric.pending());
      this.#bad('quiet', `it hangs: ${JSON.stringify(pending).slice(0, 500)}`);
    }
    return outcome;
  }

  #isQuiet(): boolean {
    this.#mourners = this.#mourners.filter((mourn) => !mourn());
    if (this.#mischief.held > 0) return false;
    return this.hosts.every(({ name, isOpen, fabric, store }) => {
      if (!isOpen || store.isDead || this.#around.isDead(name)) return true;
      if (fabric.pending().length > 0) return false;
      // A migration whose other end is dead waits for it to come back.
      if (this.hosts.some((each) => each.store.isDead)) return true;
      return [...fabric.migrations.list()].every(({ state }) => state !== 'running');
    });
  }
}

interface Verdict {
  readonly result: Result;
  readonly acts: readonly Act[];
}

/** Rule E28 broken: who completes a policy with success keeps it from those below, who are not marked for it (OP-28). */
function isSwallowed({ oid, status, route }: TraceEntry): boolean {
  if (status !== 'NDIS_STATUS_SUCCESS' || !/PROPERTY_(ADD|UPDATE|DELETE)$/.test(oid)) return false;
  return route.at(-1)?.module !== 'miniportEdge';
}

/** What is refused at once is refused like everything else. */
async function asked(act: Act, world: FabricInterface): Promise<unknown> {
  return act.run(world);
}

function hasVm(world: FabricInterface, vm: string): boolean {
  for (const { name } of world.vms.keys()) if (name === vm) return true;
  return false;
}
