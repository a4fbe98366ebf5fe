import fc from 'fast-check';
import t from 'tap';
import { Fabric } from '../../src/policy/fabric.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { FABRIKAM_MOF } from '../support/fabrikam.ts';
import { isRefused, policy } from './crash-policy.ts';
import { PORT_SETTING } from './open-world.ts';

/** A memory store that outlives the fabric that closes it. */
class KeptStore extends MemoryStore {
  override async close(): Promise<void> {
    return undefined;
  }
}

interface ModelProperty {
  value: number;
  revision: number;
}
/** Port name → property id → what it must be. */
type Model = Map<string, Map<string, ModelProperty>>;

interface Real {
  store: KeptStore;
  fabric: Fabric;
  /** What the extension was told and accepted: `portId/instance` → value. */
  view: Map<string, number>;
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

/** `done`, or the code of the error. */
async function outcome(change: () => Promise<unknown>): Promise<unknown> {
  return change().then(() => 'done', codeOf);
}

function guid(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

async function openReal(store: KeptStore): Promise<Real> {
  const { view, extension } = policy();
  const fabric = await Fabric.open({
    store,
    clock: 'manual',
    seed: 'model',
    extensions: [extension],
  });
  if ([...fabric.switches.list()].length === 0) {
    await fabric.features.register(FABRIKAM_MOF);
    await fabric.switches.create({ name: 'S', extensions: [extension] });
  }
  return { store, fabric, view };
}

/** Library, extension and model hold the same. */
function compare(model: Model, real: Real): void {
  const sw = real.fabric.switches.get('S');
  const library: Record<string, Record<string, ModelProperty>> = {};
  const told: string[] = [];
  for (const { name, portId } of sw.ports.list()) {
    const properties: Record<string, ModelProperty> = {};
    for (const { id, settings, revision } of sw.ports.get(name).properties.list()) {
      properties[id] = { value: Number(settings['SettingIntA']), revision };
      told.push(`${portId}/${id} ${settings['SettingIntA']}`);
    }
    library[name] = properties;
  }
  const wanted = Object.fromEntries(
    [...model].map(([name, properties]) => [name, Object.fromEntries(properties)]),
  );
  const sorted = (value: object): string =>
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'object' && inner !== null
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    );
  if (sorted(library) !== sorted(wanted)) {
    throw new Error(`library ${sorted(library)}\n  model ${sorted(wanted)}`);
  }
  const view = [...real.view].map(([key, value]) => `${key} ${value}`);
  if (view.sort().join() !== told.sort().join()) {
    throw new Error(`extension ${view.join()}\n  store ${told.join()}`);
  }
}

interface Step {
  readonly port: string;
  readonly id: number;
  readonly value: number;
  readonly ifRevision?: number | undefined;
}
type Kind = 'createPort' | 'deletePort' | 'add' | 'update' | 'delete';

/** What the call must answer, and what it does to the model when that is `done`. */
function predict(model: Model, kind: Kind, step: Step): { answer: string; apply: () => void } {
  const properties = model.get(step.port);
  const property = properties?.get(guid(step.id));
  const nothing = (answer: string) => ({ answer, apply: () => undefined });
  if (kind === 'createPort') {
    if (properties !== undefined) return nothing('ALREADY_EXISTS');
    return { answer: 'done', apply: () => model.set(step.port, new Map()) };
  }
  if (properties === undefined) return nothing('NOT_FOUND');
  if (kind === 'deletePort') return { answer: 'done', apply: () => model.delete(step.port) };
  if (kind === 'add') {
    if (step.value >= 2 ** 32) return nothing('SETTINGS_INVALID');
    if (property !== undefined) return nothing('ALREADY_EXISTS');
    if (isRefused(step.value)) return nothing('VETOED');
    const fresh = { value: step.value, revision: 1 };
    return { answer: 'done', apply: () => properties.set(guid(step.id), fresh) };
  }
  if (property === undefined) return nothing('NOT_FOUND');
  if (kind === 'update' && step.value >= 2 ** 32) return nothing('SETTINGS_INVALID');
  if (step.ifRevision !== undefined && step.ifRevision !== property.revision) {
    return nothing('STALE_REVISION');
  }
  if (kind === 'delete') return { answer: 'done', apply: () => properties.delete(guid(step.id)) };
  if (isRefused(step.value)) return nothing('VETOED');
  const next = { value: step.value, revision: property.revision + 1 };
  return { answer: 'done', apply: () => properties.set(guid(step.id), next) };
}

async function call(world: Pick<Fabric, 'switches'>, kind: Kind, step: Step): Promise<unknown> {
  const sw = world.switches.get('S');
  const options = step.ifRevision === undefined ? {} : { ifRevision: step.ifRevision };
  const settings = { SettingIntA: step.value };
  return outcome(async () => {
    if (kind === 'createPort') return sw.ports.create({ name: step.port });
    const port = sw.ports.get(step.port);
    if (kind === 'deletePort') return port.delete();
    if (kind === 'add') return port.properties.add(PORT_SETTING, settings, { id: guid(step.id) });
    if (kind === 'update') return port.properties.update(guid(step.id), settings, options);
    return port.properties.delete(guid(step.id), options);
  });
}

class Change implements fc.AsyncCommand<Model, Real> {
  readonly #kind: Kind;
  readonly #step: Step;
  constructor(kind: Kind, step: Step) {
    this.#kind = kind;
    this.#step = step;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const { answer, apply } = predict(model, this.#kind, this.#step);
    const found = await call(real.fabric, this.#kind, this.#step);
    if (found !== answer) throw new Error(`${this}: ${found}, the model says ${answer}`);
    if (answer === 'done') apply();
    compare(model, real);
  }
  toString(): string {
    return `${this.#kind} ${JSON.stringify(this.#step)}`;
  }
}

/** Several changes as one; all of them, or none when one is refused. */
class Atomic implements fc.AsyncCommand<Model, Real> {
  readonly #steps: readonly (readonly [Kind, Step])[];
  constructor(steps: readonly (readonly [Kind, Step])[]) {
    this.#steps = steps;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const copy: Model = structuredClone(model);
    let refusal: string | undefined;
    for (const [kind, step] of this.#steps) {
      const { answer, apply } = predict(copy, kind, step);
      apply();
      if (answer === 'done') continue;
      refusal = answer;
      break;
    }
    const found = await outcome(() =>
      real.fabric.atomic(async (world) => {
        for (const [kind, step] of this.#steps) {
          const answer = await call(world as Fabric, kind, step);
          if (answer !== 'done') throw Object.assign(new Error(), { code: answer });
        }
      }),
    );
    if (found !== (refusal ?? 'done'))
      throw new Error(`${this}: ${found}, the model says ${refusal}`);
    if (refusal === undefined) {
      model.clear();
      for (const [name, properties] of copy) model.set(name, properties);
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
    Object.assign(real, await openReal(real.store));
    compare(model, real);
  }
  toString(): string {
    return 'reopen';
  }
}

const step = fc.record({
  port: fc.constantFrom('A', 'B', 'C'),
  id: fc.nat(4),
  value: fc.oneof(fc.nat(50), fc.constant(2 ** 32 - 1), fc.constant(2 ** 32)),
  ifRevision: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
});
const kind = fc.constantFrom<Kind>(
  'createPort',
  'deletePort',
  'add',
  'add',
  'update',
  'update',
  'delete',
);

t.test(
  'any calls: library, extension and model agree, across reopening (design 5)',
  { timeout: 120_000 },
  async (t) => {
    const commands = fc.commands(
      [
        fc.tuple(kind, step).map(([k, s]) => new Change(k, s)),
        fc.tuple(kind, step).map(([k, s]) => new Change(k, s)),
        fc.tuple(kind, step).map(([k, s]) => new Change(k, s)),
        fc
          .array(fc.tuple(kind, step), { minLength: 1, maxLength: 6 })
          .map((steps) => new Atomic(steps)),
        fc.constant(new Reopen()),
      ],
      { maxCommands: 60, size: 'max' },
    );
    let changes = 0;
    await fc.assert(
      fc.asyncProperty(commands, async (given) => {
        const real = await openReal(new KeptStore());
        const model: Model = new Map();
        for (const name of ['A', 'B']) {
          await real.fabric.switches.get('S').ports.create({ name });
          model.set(name, new Map());
        }
        await fc.asyncModelRun(() => ({ model, real }), given);
        changes += real.fabric.events.lastSeq;
        await real.fabric.close();
      }),
      { numRuns: Number(process.env['EXTSWITCH_MODEL_RUNS'] ?? 150) },
    );
    t.ok(changes > 300, `${changes} OIDs and events in the last sessions`);
  },
);
