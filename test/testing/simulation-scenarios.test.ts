import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t from 'tap';
import { ScenarioRunner } from '../../src/scenario/run-scenarios.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { StoreOp } from '../../src/store/store.ts';
import { play, playSeed } from '../../src/testing/simulation/play.ts';
import { scenarioText } from '../../src/testing/simulation/scenario-text.ts';
import { shrink } from '../../src/testing/simulation/shrink.ts';

/* A defect of the product itself: what the simulation finds and shortens, the scenario runner finds in the scenario it prints. */

t.setTimeout(300_000);

const POLICIES = resolve(import.meta.dirname, '../../policies');
const folder = mkdtempSync(join(tmpdir(), 'simulation-scenarios-'));
t.teardown(() => rmSync(folder, { recursive: true }));

/** Writes that the store acknowledges and does not make. */
const DEFECTS: Readonly<Record<string, (op: StoreOp) => boolean>> = {
  'an update of a policy is not kept': (op) => {
    if (op.op !== 'put' || !op.key.startsWith('property/')) return false;
    return Number((op.value as { readonly revision?: number }).revision) > 1;
  },
  'a policy of a VM is not kept': ({ op, key }) => op === 'put' && key.startsWith('property/vm/'),
};

async function playScenario(name: string, text: string): Promise<readonly boolean[]> {
  const file = join(folder, `${name}.yaml`);
  const placed = text
    .replaceAll('../fabrikam.mof', join(POLICIES, 'fabrikam.mof'))
    .replaceAll(': extensions/', `: ${join(POLICIES, 'scenarios/extensions')}/`);
  writeFileSync(file, placed);
  const runner = await ScenarioRunner.open([file], { cwd: folder });
  const ends: boolean[] = [];
  for await (const { ok } of runner.play()) ends.push(ok);
  return ends;
}

for (const [defect, isLost] of Object.entries(DEFECTS)) {
  t.test(
    `${defect}: the scenario of each seed that finds it fails, and passes without it`,
    async (t) => {
      const { write } = MemoryStore.prototype;
      let said = 0;
      for (let seed = 1; seed <= 5; seed += 1) {
        MemoryStore.prototype.write = function (ops) {
          return write.call(
            this,
            ops.filter((op) => !isLost(op)),
          );
        };
        try {
          const { breach, history } = await playSeed(String(seed), 20);
          if (breach === undefined) continue;
          const shrunk = await shrink(history, breach, { limit: 150 });
          const { results } = await play(shrunk.history);
          const { text, unsaid } = scenarioText(shrunk.history, shrunk.breach, { results });
          if (unsaid.length > 0) {
            t.match(text, `# Not said here, so that it may pass: ${unsaid[0]}`);
            continue;
          }
          said += 1;
          t.strictSame(await playScenario(`broken-${seed}`, text), [false], text);
          MemoryStore.prototype.write = write;
          t.strictSame(await playScenario(`sound-${seed}`, text), [true], text);
        } finally {
          MemoryStore.prototype.write = write;
        }
      }
      t.ok(said >= 1, `${said} scenarios said everything`);
    },
  );
}
