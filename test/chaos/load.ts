import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosHost } from './chaos-host.ts';
import { ask, type Method, type Outcome } from './client.ts';
import { type Counts, emptyCounts, type Slot, type VmLedger, type VmState } from './ledger.ts';
import type { Random } from './random.ts';

const SETTING = 'Chaos_PortSettingData';
const MOST_SLOTS = 12;
/** Milliseconds a client looks after a migration; what comes of it later is seen when all is settled. */
const FOLLOW_MS = 4_000;

/** A migration that has just been asked for. */
export interface Departure {
  readonly vm: VmLedger;
  readonly from: string;
  readonly to: string;
}

export interface LoadOptions {
  readonly hosts: readonly ChaosHost[];
  readonly vms: readonly VmLedger[];
  readonly random: Random;
  /** A change that the store did not take in time is not there: no process is killed in this round. */
  readonly isStoreCertain: boolean;
  nextValue(): number;
}

/**
 * Clients at work: two for each VM, one changes its policies, the other its state and place. Each asks any host, writes down what it was
 * told, and leaves alone, until all is settled, what it has no answer about.
 */
export class Load {
  readonly counts: Counts = emptyCounts();
  readonly #options: LoadOptions;
  readonly #departures = new EventEmitter<{ departure: [Departure] }>();
  #isStopping = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  start(): void {
    const clients = this.#options.vms.flatMap((vm) => [
      this.#repeat(() => this.#changePolicies(vm)),
      this.#repeat(() => this.#changeState(vm)),
    ]);
    this.#running = Promise.all(clients);
  }

  /** The next migration that is asked for; undefined where none is within the time. */
  async nextDeparture(timeoutMs: number): Promise<Departure | undefined> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const [departure] = await once(this.#departures, 'departure', { signal });
      return departure as Departure;
    } catch {
      return undefined;
    }
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #repeat(step: () => Promise<void>): Promise<void> {
    while (!this.#isStopping) {
      await step();
      await sleep(this.#options.random.below(30));
    }
  }

  async #ask(vm: VmLedger, method: Method, path: string, body?: object): Promise<Outcome> {
    const { hosts, random, isStoreCertain } = this.#options;
    const host = random.of(hosts);
    const outcome = await ask(host?.url ?? '', method, path, body, isStoreCertain);
    if (method === 'GET') return outcome;
    const answer = outcome.kind === 'done' ? String(outcome.body['id']) : outcome.code;
    const asked = `${host?.name}: ${method} ${path} ${JSON.stringify(body ?? {})}`;
    vm.note(`${asked} => ${outcome.kind} ${outcome.status} ${answer}`);
    if (outcome.kind === 'done') this.counts.acknowledged += 1;
    else if (outcome.kind === 'refused') this.counts.refused += 1;
    else this.counts.unanswered += 1;
    if (outcome.kind === 'done') return outcome;
    const { codes } = this.counts;
    // Of a request that hangs it matters which.
    const code = outcome.code === 'TimeoutError' ? `${asked} timed out` : outcome.code;
    codes.set(code, (codes.get(code) ?? 0) + 1);
    // A host that is not there now will not be in a moment either.
    if (outcome.status === 0 || outcome.status >= 500) await sleep(100);
    return outcome;
  }

  // --- policies -----------------------------------------------------------------------------------------------------------

  async #changePolicies(vm: VmLedger): Promise<void> {
    const { random } = this.#options;
    const path = `/v1/vms/${vm.id}/adapters/nic/properties`;
    const slot = random.of(vm.clear);
    if (slot === undefined || (vm.slots.length < MOST_SLOTS && random.below(3) === 0)) {
      await this.#add(vm, path);
    } else if (random.below(5) === 0) {
      await this.#change(vm, slot, undefined, 'DELETE', `${path}/${slot.id}`);
    } else {
      await this.#change(vm, slot, this.#options.nextValue(), 'PUT', `${path}/${slot.id}`);
    }
  }

  async #add(vm: VmLedger, path: string): Promise<void> {
    const value = this.#options.nextValue();
    const settings = { Value: value };
    const outcome = await this.#ask(vm, 'POST', path, { feature: SETTING, settings });
    if (outcome.kind === 'done') {
      vm.slots.push({ id: String(outcome.body['id']), possible: new Set([value]) });
    } else if (outcome.kind === 'unknown') {
      vm.slots.push({ id: undefined, possible: new Set([value, undefined]) });
    }
  }

  async #change(
    vm: VmLedger,
    slot: Slot,
    value: number | undefined,
    method: Method,
    path: string,
  ): Promise<void> {
    const body = value === undefined ? undefined : { settings: { Value: value } };
    const outcome = await this.#ask(vm, method, path, body);
    if (outcome.kind === 'unknown') slot.possible.add(value);
    if (outcome.kind !== 'done') return;
    if (value === undefined) vm.slots = vm.slots.filter((each) => each !== slot);
    else slot.possible = new Set([value]);
  }

  // --- states and places --------------------------------------------------------------------------------------------------

  async #changeState(vm: VmLedger): Promise<void> {
    const { random } = this.#options;
    const { state } = vm;
    const choice = random.below(10);
    if (state === undefined) await sleep(50);
    else if (choice < 5) await this.#migrate(vm);
    else if (state === 'off') await this.#become(vm, 'start', 'running');
    else if (state === 'saved') await this.#restore(vm);
    else if (choice < 9) await this.#save(vm);
    else await this.#become(vm, 'stop', 'off');
  }

  async #become(vm: VmLedger, verb: string, state: VmState): Promise<Outcome> {
    const outcome = await this.#ask(vm, 'POST', `/v1/vms/${vm.id}/${verb}`);
    if (outcome.kind !== 'refused') {
      // Blobs are for the next restore: told apart by what stands with a VM that is saved.
      vm.forgetToken();
      vm.blob = undefined;
    }
    if (outcome.kind === 'done') vm.states = new Set([state]);
    if (outcome.kind === 'unknown') vm.states.add(state);
    return outcome;
  }

  async #save(vm: VmLedger): Promise<void> {
    const { kind } = await this.#become(vm, 'save', 'saved');
    if (kind !== 'done') return;
    this.counts.saves += 1;
    const exported = await this.#ask(vm, 'POST', `/v1/vms/${vm.id}/export`);
    if (exported.kind === 'done') vm.blob = blobOf(exported.body);
  }

  async #restore(vm: VmLedger): Promise<void> {
    const { blob } = vm;
    const { kind } = await this.#become(vm, 'restore', 'running');
    if (kind !== 'done' || blob === undefined) return;
    vm.token = tokenIn(blob);
    vm.tokenStarts = startsOf(this.#options.hosts);
  }

  async #migrate(vm: VmLedger): Promise<void> {
    const { hosts, random } = this.#options;
    const seen = await this.#ask(vm, 'GET', `/v1/vms/${vm.id}`);
    if (seen.kind !== 'done') return;
    const from = String(seen.body['host']);
    const to = random.of(hosts.filter(({ name }) => name !== from));
    if (to === undefined) return;
    const isTokenKnown = vm.token !== undefined && vm.tokenStarts === startsOf(hosts);
    const body = { vm: vm.id, destination: { host: to.name } };
    const startsOfDestination = to.starts;
    this.#departures.emit('departure', { vm, from, to: to.name });
    const asked = await this.#ask(vm, 'POST', '/v1/migrations', body);
    if (asked.kind !== 'done') {
      if (asked.kind === 'unknown') vm.migration = undefined;
      return;
    }
    this.counts.migrations += 1;
    const id = String(asked.body['id']);
    const token = isTokenKnown ? vm.token : undefined;
    vm.migration = { id, from, to: to.name, startsOfDestination, token };
    await this.#follow(vm, id);
  }

  async #follow(vm: VmLedger, id: string): Promise<void> {
    for (const end = Date.now() + FOLLOW_MS; Date.now() < end && !this.#isStopping; ) {
      await sleep(20);
      const { kind, body } = { body: {}, ...(await this.#ask(vm, 'GET', `/v1/migrations/${id}`)) };
      if (kind === 'done' && 'state' in body && body['state'] !== 'running') return;
    }
  }
}

/** The records kept with the one VM of a document. */
export function blobOf(document: Record<string, unknown>): string {
  const [vm] = document['vms'] as { adapters: { saved: { data: unknown }[] }[] }[];
  return JSON.stringify(vm?.adapters.flatMap(({ saved }) => saved.map(({ data }) => data)));
}

/** The token in what {@link blobOf} gives: the first record. */
export function tokenIn(blob: string): string {
  const [first = ''] = JSON.parse(blob) as string[];
  return Buffer.from(first, 'base64').toString('utf8');
}

/** Says whether any process was started in between. */
export function startsOf(hosts: readonly ChaosHost[]): string {
  return hosts.map(({ starts }) => starts).join();
}
