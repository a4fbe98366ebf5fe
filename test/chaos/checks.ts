import type { ChaosHost } from './chaos-host.ts';
import { askAgain } from './client.ts';
import type { VmLedger, VmState } from './ledger.ts';
import { blobOf, startsOf } from './load.ts';
import { listOf } from './settle.ts';
import type { ChaosWorld } from './world.ts';

const STATUS = 'Chaos_PortStatus';

/** A VM as management shows it. */
interface ShownVm {
  readonly id: string;
  readonly name: string;
  readonly state: VmState;
  readonly adapters: readonly {
    readonly connected: boolean;
    readonly port?: {
      readonly id: string;
      readonly state: string;
      readonly isValidationPort: boolean;
      readonly nics: readonly { readonly state: string }[];
    };
  }[];
}

/**
 * Compares a world that has settled with what clients were told, and returns everything that is not so. What nobody could know is known
 * then, and written into the ledgers.
 */
export async function check(world: ChaosWorld): Promise<readonly string[]> {
  const problems = world.hosts.flatMap(({ surprises }) => surprises.splice(0));
  const places = new Map<string, { readonly host: ChaosHost; readonly vm: ShownVm }[]>();
  for (const host of world.hosts) {
    const listed = (await listOf(host.url, host.name, '/v1/vms', askAgain)) as
      | readonly ShownVm[]
      | undefined;
    if (listed === undefined) return [...problems, `host ${host.name} does not list its VMs`];
    for (const vm of listed) {
      places.set(vm.id, [...(places.get(vm.id) ?? []), { host, vm }]);
    }
    problems.push(...(await portProblems(host, listed)));
  }
  for (const ledger of world.vms) {
    const found = places.get(ledger.id) ?? [];
    places.delete(ledger.id);
    const [only] = found;
    if (only === undefined || found.length > 1) {
      const where = found.map(({ host }) => host.name).join(', ') || 'no host';
      problems.push(`VM ${ledger.name} is on ${where}, not on one`);
      continue;
    }
    const about = await vmProblems(world, ledger, only.host, only.vm);
    problems.push(...about.map((text) => `VM ${ledger.name} on ${only.host.name}: ${text}`));
  }
  for (const [{ host, vm }] of places.values() as Iterable<[{ host: ChaosHost; vm: ShownVm }]>) {
    problems.push(`host ${host.name} has a VM that nobody made: ${vm.name}`);
  }
  return problems;
}

/** No skeletons, no validation ports: a port for each adapter of a VM that runs, and no other. */
async function portProblems(
  { url, name }: ChaosHost,
  vms: readonly ShownVm[],
): Promise<readonly string[]> {
  const ports = await listOf(url, name, '/v1/switches/Lan/ports', askAgain);
  if (ports === undefined) return [`host ${name} does not list its ports`];
  const owned = new Set(vms.flatMap(({ adapters }) => adapters.map(({ port }) => port?.id)));
  return ports
    .filter(({ id }) => !owned.has(String(id)))
    .map((port) => `host ${name} has a port that is no VM's: ${JSON.stringify(port)}`);
}

async function vmProblems(
  world: ChaosWorld,
  ledger: VmLedger,
  host: ChaosHost,
  vm: ShownVm,
): Promise<readonly string[]> {
  const problems: string[] = [];
  if (!ledger.states.has(vm.state)) {
    const history = ledger.historyOf('/start', '/stop', '/save', '/restore');
    problems.push(`it is ${vm.state}, expected ${[...ledger.states].join(' or ')}${history}`);
  }
  const wasKnown = ledger.state !== undefined;
  ledger.states = new Set([vm.state]);
  const { properties, problems: ofPolicies } = await policyProblems(ledger, host);
  problems.push(...ofPolicies);
  if (vm.state === 'running') {
    problems.push(...wholeProblems(vm));
    problems.push(...(await viewProblems(world, ledger, host, properties)));
  } else {
    ledger.forgetToken();
    if (vm.adapters.some(({ port }) => port !== undefined)) problems.push('it has a port');
  }
  problems.push(...(await blobProblems(ledger, host, vm.state, wasKnown)));
  return problems;
}

function wholeProblems({ adapters }: ShownVm): string[] {
  return adapters.flatMap(({ connected, port }) => {
    const isWhole =
      connected &&
      port?.state === 'created' &&
      !port.isValidationPort &&
      port.nics.length === 1 &&
      port.nics[0]?.state === 'connected';
    return isWhole ? [] : [`its adapter is not whole: ${JSON.stringify({ connected, port })}`];
  });
}

/** Every policy that was acknowledged, with its value, and no other; what went unanswered is either. */
async function policyProblems(
  ledger: VmLedger,
  host: ChaosHost,
): Promise<{ readonly properties: ReadonlyMap<string, number>; readonly problems: string[] }> {
  const path = `/v1/vms/${ledger.id}/adapters/nic/properties`;
  const listed = await listOf(host.url, host.name, path, askAgain);
  const properties = new Map<string, number>();
  if (listed === undefined) return { properties, problems: ['its policies are not listed'] };
  for (const { id, settings } of listed) {
    properties.set(String(id), Number((settings as { Value: number }).Value));
  }
  const problems: string[] = [];
  const left = new Map(properties);
  for (const slot of ledger.slots) {
    const found =
      slot.id === undefined
        ? [...left].find(([, value]) => slot.possible.has(value))
        : ([slot.id, left.get(slot.id)] as const);
    const value = found?.[1];
    if (!slot.possible.has(value)) {
      const expected = [...slot.possible].map((each) => each ?? 'none').join(' or ');
      const history = ledger.historyOf(slot.id ?? '', ...[...slot.possible].map(valueText));
      problems.push(`policy ${slot.id} is ${value ?? 'not there'}, expected ${expected}${history}`);
    }
    if (found !== undefined) left.delete(found[0]);
    slot.id = found?.[0];
    slot.possible = new Set([value]);
  }
  for (const [id, value] of left) {
    const history = ledger.historyOf(id, valueText(value));
    problems.push(`policy ${id} with value ${value} was not asked for, or refused${history}`);
  }
  ledger.slots = [...properties].map(([id, value]) => ({ id, possible: new Set([value]) }));
  return { properties, problems };
}

const valueText = (value: number | undefined): string => `"Value":${value}}`;

/** What the extension holds is what management shows, and the run-time data is what it was. */
async function viewProblems(
  world: ChaosWorld,
  ledger: VmLedger,
  host: ChaosHost,
  properties: ReadonlyMap<string, number>,
): Promise<readonly string[]> {
  const path = `/hosts/${host.name}/v1/vms/${ledger.id}/adapters/nic/status/${STATUS}`;
  const status = await askAgain(host.url, 'GET', path);
  if (status.kind !== 'done') return [`the extension does not answer: ${status.code}`];
  const { Token: token, View: view } = status.body['data'] as { Token: string; View: string };
  const problems: string[] = [];
  const expected = [...properties].map(([id, value]) => `${id}=${value}`).sort();
  if (view !== expected.join()) {
    problems.push(`the extension holds [${view}], management shows [${expected.join()}]`);
  }
  if (!/^[0-9a-f]{16}$/.test(token)) problems.push(`its run-time data is ${JSON.stringify(token)}`);
  const starts = startsOf(world.hosts);
  const must =
    (await migratedToken(ledger, host)) ??
    (starts === ledger.tokenStarts ? ledger.token : undefined);
  if (must !== undefined && must !== token) {
    problems.push(`its run-time data is ${token}, it was ${must}`);
  }
  ledger.token = token;
  ledger.tokenStarts = starts;
  ledger.migration = undefined;
  return problems;
}

/** What a VM had when a migration was asked for that has come to its end here, on a host that has run since. */
async function migratedToken(ledger: VmLedger, host: ChaosHost): Promise<string | undefined> {
  const { migration } = ledger;
  if (migration === undefined || migration.to !== host.name) return undefined;
  if (migration.startsOfDestination !== host.starts) return undefined;
  const seen = await askAgain(host.url, 'GET', `/v1/migrations/${migration.id}`);
  const isDone = seen.kind === 'done' && seen.body['state'] === 'succeeded';
  return isDone ? migration.token : undefined;
}

/** A VM that was saved has the very records it was saved with. */
async function blobProblems(
  ledger: VmLedger,
  host: ChaosHost,
  state: VmState,
  wasKnown: boolean,
): Promise<readonly string[]> {
  if (state !== 'saved') {
    ledger.blob = undefined;
    return [];
  }
  const path = `/hosts/${host.name}/v1/vms/${ledger.id}/export`;
  const exported = await askAgain(host.url, 'POST', path);
  if (exported.kind !== 'done') return [`it cannot be exported: ${exported.code}`];
  const blob = blobOf(exported.body);
  const isChanged = wasKnown && ledger.blob !== undefined && ledger.blob !== blob;
  ledger.blob = blob;
  if (isChanged) return ['its saved run-time data is not what was saved'];
  return (JSON.parse(blob) as unknown[]).length === 2 ? [] : [`it was saved with ${blob}`];
}
