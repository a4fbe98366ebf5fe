import fc from 'fast-check';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { VmState } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import { extensionWith, FABRIKAM_MOF } from '../support/fabrikam.ts';
import { PORT_SETTING } from './open-world.ts';
import { KeptStore } from './vm-world.ts';

/** What a VM is, in the simplest terms that predict every answer. */
interface ModelVm {
  state: VmState;
  /** Adapter name → its switch and its policies' values. */
  adapters: Map<string, { on: string | undefined; values: number[] }>;
}
type Model = Map<string, ModelVm>;

interface Real {
  store: KeptStore;
  fabric: Fabric;
  /** What the extension holds: `switch/portId` → instance → value, and `NIC` when there is one. */
  view: Map<string, Map<string, string>>;
  options: { readonly validationPorts: 'short' | 'standing' };
}

/** Refuses every value that is 7 at its last digit; believes what it is told. */
function policy(): Pick<Real, 'view'> & { extension: ExtensionDefinition } {
  const view: Real['view'] = new Map();
  const extension = extensionWith((sw) => {
    const validation = new Set<number>();
    const saved = new Set<number>();
    const at = (portId: number) => view.get(`${sw.name}/${portId}`);
    return {
      createPort: (port) => {
        if (port.isValidationPort) validation.add(port.portId);
        else view.set(`${sw.name}/${port.portId}`, new Map());
        return 'forward';
      },
      deletePort: (port) => {
        validation.delete(port.portId);
        view.delete(`${sw.name}/${port.portId}`);
        return 'forward';
      },
      addPortProperty: ({ portId, settings, propertyInstanceId }) => {
        const value = Number(settings?.['SettingIntA']);
        if (value % 10 === 7) return NdisStatus.DATA_NOT_ACCEPTED;
        if (!validation.has(portId)) at(portId)?.set(propertyInstanceId, String(value));
        return 'forward';
      },
      deletePortProperty: ({ portId, propertyInstanceId }) => {
        at(portId)?.delete(propertyInstanceId);
        return 'forward';
      },
      createNic: (nic) => {
        at(nic.portId)?.set('NIC', 'NIC');
        return 'forward';
      },
      deleteNic: (nic) => {
        at(nic.portId)?.delete('NIC');
        return 'forward';
      },
      saveNic: (state) => {
        if (saved.has(state.portId)) return 'forward';
        saved.add(state.portId);
        return state.save(Uint8Array.of(1));
      },
      saveNicComplete: (nic) => {
        saved.delete(nic.portId);
        return 'forward';
      },
      restoreNic: (state) => (state.isMine ? NdisStatus.SUCCESS : 'forward'),
    };
  });
  return { view, extension };
}

async function openReal(store: KeptStore, options: Real['options']): Promise<Real> {
  const { view, extension } = policy();
  const fabric = await Fabric.open({
    store,
    clock: 'manual',
    seed: 'model',
    extensions: [extension],
    behaviour: options,
  });
  if ([...fabric.switches.list()].length === 0) {
    await fabric.features.register(FABRIKAM_MOF);
    for (const name of ['S', 'T']) await fabric.switches.create({ name, extensions: [extension] });
  }
  return { store, fabric, view, options };
}

const isAlive = ({ state }: ModelVm): boolean => state === 'running' || state === 'paused';

/** Library, extension and model hold the same. */
function compare(model: Model, { fabric, view, options }: Real): void {
  const library: string[] = [];
  for (const info of fabric.vms.list()) {
    for (const one of info.adapters) {
      const { properties } = fabric.vms.get(info.id).adapter(one.id);
      const values = Array.from(properties.list(), ({ settings }) => settings['SettingIntA']);
      const where = `${one.switch?.name} ${one.connected} ${one.port !== undefined}`;
      library.push(`${info.name} ${info.state} ${one.name} ${where} ${values}`);
    }
    if (info.adapters.length === 0) library.push(`${info.name} ${info.state}`);
  }
  const wanted: string[] = [];
  const told: string[] = [];
  let standing = 0;
  for (const [name, vm] of model) {
    for (const [adapter, { on, values }] of vm.adapters) {
      const isConnected = isAlive(vm) && on !== undefined;
      if (isConnected) told.push(`${on} ${[...values, 'NIC'].sort()}`);
      if (!isAlive(vm) && on !== undefined) standing += 1;
      wanted.push(`${name} ${vm.state} ${adapter} ${on} ${isConnected} ${isConnected} ${values}`);
    }
    if (vm.adapters.size === 0) wanted.push(`${name} ${vm.state}`);
  }
  const same = (what: string, found: readonly string[], expected: readonly string[]): void => {
    const [a, b] = [[...found].sort().join('\n'), [...expected].sort().join('\n')];
    if (a !== b) throw new Error(`${what}:\n${a}\nthe model says:\n${b}`);
  };
  same('library', library, wanted);
  const seen = [...view].map(
    ([key, things]) => `${key.split('/')[0]} ${[...things.values()].sort()}`,
  );
  same('extension', seen, told);
  const ports = [...fabric.switches.list()].flatMap(({ name }) => [
    ...fabric.switches.get(name).ports.list(),
  ]);
  const stands = ports.filter(({ isValidationPort }) => isValidationPort).length;
  if (stands !== (options.validationPorts === 'standing' ? standing : 0)) {
    throw new Error(`${stands} validation ports, the model says ${standing}`);
  }
}

interface Step {
  readonly verb: string;
  readonly vm: string;
  readonly adapter: string;
  readonly on: string;
  readonly value: number;
}

/** From which states a verb is allowed, and to which it leads. */
const POWER: Readonly<Record<string, { from: readonly VmState[]; to: VmState; rule: string }>> = {
  start: { from: ['off'], to: 'running', rule: 'S2' },
  stop: { from: ['running', 'paused', 'saved'], to: 'off', rule: 'S3' },
  pause: { from: ['running'], to: 'paused', rule: 'OP-16' },
  resume: { from: ['paused'], to: 'running', rule: 'OP-16' },
  save: { from: ['running', 'paused'], to: 'saved', rule: 'S9' },
  restore: { from: ['saved'], to: 'running', rule: 'S10' },
};

/** What the call must answer; what it does to the model is done when that is `done`. */
function predict(model: Model, { verb, vm: name, adapter: at, on, value }: Step): string {
  const vm = model.get(name);
  if (verb === 'create') {
    if (vm !== undefined) return 'ALREADY_EXISTS';
    model.set(name, { state: 'off', adapters: new Map([['A', { on, values: [] }]]) });
    return 'done';
  }
  if (vm === undefined) return 'NOT_FOUND';
  const power = POWER[verb];
  if (power !== undefined) {
    if (!power.from.includes(vm.state)) return `ILLEGAL_TRANSITION ${power.rule}`;
    vm.state = power.to;
    return 'done';
  }
  if (verb === 'delete') {
    if (isAlive(vm)) return 'ILLEGAL_TRANSITION S3';
    model.delete(name);
    return 'done';
  }
  const adapter = vm.adapters.get(at);
  if (verb === 'addAdapter') {
    if (vm.state === 'paused' || vm.state === 'saved') return 'ILLEGAL_TRANSITION S4';
    if (adapter !== undefined) return 'skipped';
    vm.adapters.set(at, { on, values: [] });
    return 'done';
  }
  if (adapter === undefined) return 'NOT_FOUND';
  if (verb === 'removeAdapter') {
    if (vm.state === 'saved') return 'ILLEGAL_TRANSITION G41';
    vm.adapters.delete(at);
    return 'done';
  }
  if (verb === 'connect') {
    if (vm.state === 'paused') return 'ILLEGAL_TRANSITION C26';
    // Values that nobody was asked about, because there was no switch, are found out here.
    if (refuses(vm, adapter, on)) return 'VETOED';
    adapter.on = on;
    return 'done';
  }
  if (verb === 'disconnect') {
    if (adapter.on === undefined) return 'ILLEGAL_TRANSITION C30';
    adapter.on = undefined;
    return 'done';
  }
  if (verb === 'addProperty') {
    if (adapter.on !== undefined && value % 10 === 7) return 'VETOED';
    adapter.values.push(value);
    return 'done';
  }
  if (adapter.values.length === 0) return 'skipped';
  adapter.values.shift();
  return 'done';
}

/** A NIC anew on the same port asks about no policy (S4). */
function refuses(vm: ModelVm, adapter: { on: string | undefined; values: number[] }, on: string) {
  if (isAlive(vm) && adapter.on === on) return false;
  return adapter.values.some((value) => value % 10 === 7);
}

async function call(world: Pick<Fabric, 'vms'>, step: Step): Promise<unknown> {
  const { verb, adapter: at, on, value } = step;
  if (verb === 'create') {
    return world.vms.create({ name: step.vm, adapters: [{ name: 'A', switch: on }] });
  }
  const vm = world.vms.get(step.vm);
  if (verb in POWER || verb === 'delete') {
    return vm[verb as 'start' | 'stop' | 'pause' | 'resume' | 'save' | 'restore' | 'delete']();
  }
  if (verb === 'addAdapter') return vm.addAdapter({ name: at, switch: on });
  if (verb === 'removeAdapter') return vm.removeAdapter(at);
  const adapter = vm.adapter(at);
  if (verb === 'connect') return adapter.connect(on);
  if (verb === 'disconnect') return adapter.disconnect();
  if (verb === 'addProperty') return adapter.properties.add(PORT_SETTING, { SettingIntA: value });
  const [property] = adapter.properties.list();
  return adapter.properties.delete(property?.id ?? '');
}

async function outcome(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return 'done';
  } catch (error) {
    const { code, place } = error as { code?: string; place?: { rule?: string } };
    if (code === undefined) throw error;
    return place?.rule === undefined ? code : `${code} ${place.rule}`;
  }
}

class Change implements fc.AsyncCommand<Model, Real> {
  readonly #step: Step;
  constructor(step: Step) {
    this.#step = step;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const expected = predict(model, this.#step);
    if (expected === 'skipped') return;
    const found = await outcome(() => call(real.fabric, this.#step));
    if (found !== expected) throw new Error(`${this}: ${found}, the model says ${expected}`);
    compare(model, real);
  }
  toString(): string {
    return JSON.stringify(this.#step);
  }
}

/** Several changes as one: all, or none when one is refused. */
class Atomic implements fc.AsyncCommand<Model, Real> {
  readonly #steps: readonly Step[];
  constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const copy: Model = structuredClone(model);
    const taken: Step[] = [];
    let expected = 'done';
    for (const step of this.#steps) {
      const answer = predict(copy, step);
      if (answer === 'skipped') continue;
      taken.push(step);
      expected = answer;
      if (answer !== 'done') break;
    }
    const found = await outcome(() =>
      real.fabric.atomic(async (world) => {
        for (const step of taken) await call(world as Fabric, step);
      }),
    );
    if (found !== expected) throw new Error(`${this}: ${found}, the model says ${expected}`);
    if (expected === 'done') {
      model.clear();
      for (const [name, vm] of copy) model.set(name, vm);
    }
    compare(model, real);
  }
  toString(): string {
    return `atomic ${JSON.stringify(this.#steps)}`;
  }
}

class Reopen implements fc.AsyncCommand<Model, Real> {
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    await real.fabric.close();
    Object.assign(real, await openReal(real.store, real.options));
    compare(model, real);
  }
  toString(): string {
    return 'reopen';
  }
}

const verbs = [
  ...Object.keys(POWER),
  ...['start', 'create', 'delete', 'addAdapter', 'removeAdapter', 'connect', 'disconnect'],
  ...['addProperty', 'addProperty', 'removeProperty'],
];
const step = fc.record({
  verb: fc.constantFrom(...verbs),
  vm: fc.constantFrom('U', 'V'),
  adapter: fc.constantFrom('A', 'B'),
  on: fc.constantFrom('S', 'T'),
  value: fc.nat(9),
});

for (const validationPorts of ['short', 'standing'] as const) {
  t.test(
    `${validationPorts}: any calls: library, extension and model agree, across reopening (design 5, B44-B47)`,
    { timeout: 120_000 },
    async (t) => {
      const commands = fc.commands(
        [
          step.map((one) => new Change(one)),
          step.map((one) => new Change(one)),
          step.map((one) => new Change(one)),
          fc.array(step, { minLength: 1, maxLength: 6 }).map((steps) => new Atomic(steps)),
          fc.constant(new Reopen()),
        ],
        { maxCommands: 60, size: 'max' },
      );
      let changes = 0;
      await fc.assert(
        fc.asyncProperty(commands, async (given) => {
          const real = await openReal(new KeptStore(), { validationPorts });
          const model: Model = new Map();
          for (const name of ['U', 'V']) {
            const first = { verb: 'create', vm: name, adapter: 'A', on: 'S', value: 0 };
            predict(model, first);
            await call(real.fabric, first);
          }
          await fc.asyncModelRun(() => ({ model, real }), given);
          changes += real.fabric.events.lastSeq;
          await real.fabric.close();
        }),
        { numRuns: Number(process.env['EXTSWITCH_MODEL_RUNS'] ?? 80) },
      );
      t.ok(changes > 300, `${changes} OIDs and events in the last sessions`);
    },
  );
}
