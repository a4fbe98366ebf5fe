import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { openLmdbStore } from '../../src/store/lmdb-store.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { runStoreContract } from '../support/store-contract.ts';

const base = mkdtempSync(join(tmpdir(), 'extswitch-contract-'));
t.teardown(() => rmSync(base, { recursive: true, force: true }));

runStoreContract(t, { name: 'memory', create: async () => new MemoryStore(), modelRuns: 300 });

let folders = 0;
runStoreContract(t, {
  name: 'lmdb',
  create: () => openLmdbStore(join(base, String(folders++))),
  reopen: (closed) => openLmdbStore(closed.description.slice('lmdb '.length)),
  modelRuns: 100,
});

type Step =
  | { readonly at: number; readonly key: string; readonly value: number | null }
  | { readonly at: number; readonly fork: true };

const key = fc.tuple(fc.constantFrom('a', 'b/c', 'b/d/e'), fc.nat(4)).map((path) => path.join('/'));
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ at: fc.nat(3), key, value: fc.option(fc.nat(99)) }) },
    { weight: 1, arbitrary: fc.record({ at: fc.nat(3), fork: fc.constant(true as const) }) },
  ),
  { maxLength: 120 },
);

/** A store beside a plain Map that was told the same. */
class Twin {
  readonly #store: MemoryStore;
  readonly #model: Map<string, number>;

  constructor(store = new MemoryStore(), model = new Map<string, number>()) {
    this.#store = store;
    this.#model = model;
  }

  fork(): Twin {
    return new Twin(this.#store.fork(), new Map(this.#model));
  }

  write(name: string, value: number | null): void {
    if (value === null) {
      this.#store.write([{ op: 'delete', key: name }]);
      this.#model.delete(name);
    } else {
      this.#store.write([{ op: 'put', key: name, value }]);
      this.#model.set(name, value);
    }
  }

  agree(name: string): boolean {
    const wanted = [...this.#model].sort(([a], [b]) => (a < b ? -1 : 1));
    const below = wanted.filter(([one]) => one.startsWith('b/')).length;
    return (
      this.#store.get(name) === this.#model.get(name) &&
      this.#store.count('') === wanted.length &&
      this.#store.count('b/') === below &&
      JSON.stringify([...this.#store.range('')]) === JSON.stringify(wanted)
    );
  }
}

t.test(
  'memory: forks, and forks of forks, go their own ways from the moment of the fork',
  async (t) => {
    const law = fc.property(steps, (all) => {
      const twins = [new Twin()];
      return all.every((step) => {
        const chosen = twins[step.at % twins.length] as Twin;
        if ('fork' in step) twins.push(chosen.fork());
        else chosen.write(step.key, step.value);
        return twins.every((twin) => twin.agree('fork' in step ? 'a/0' : step.key));
      });
    });
    fc.assert(law, { seed: 5, numRuns: 200 });
    t.pass('each is what it was told');
  },
);
