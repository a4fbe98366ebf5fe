import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { bundledExtensions } from '../../extensions/index.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import { lifeCycles, runLifeCycle, verifyExtension } from '../../src/testing/index.ts';
import '../support/uncovered-children.ts';
import { goldenText } from '../sequences/golden-text.ts';
import { libraryStage } from '../sequences/run.ts';
import { SEQUENCES, type Sequence, stackOf } from '../sequences/sequences.ts';

/*
 * An isolated extension sees and does what it does inside: the same bytes in the same order. The limits are far: what a loaded
 * machine does to a thread is no part of this.
 */

t.setTimeout(300_000);

const LIMITS = { watchdogMs: 60_000, loadMs: 60_000 };

/** What the bundled extensions do not accept by default. */
const settings = {
  ExtSwitch_MacForwardAddressSettingData: { MacAddress: [0x00, 0x15, 0x5d, 0x00, 0x00, 0x01] },
};

/** A worker takes seconds to start from sources: each kind of call once, and every sequence where somebody asks for it. */
const IS_EVERY = process.env['EXTSWITCH_EVERY_SEQUENCE'] === '1';
const CHOSEN = /^s(02|05|07|09|14|15)-/;

/** In these all three have something to do with each other; in the others the filter alone is isolated. */
const WHOLE: ReadonlySet<string> = new Set(['s15-veto-and-rollback', 's16-teaming-provider']);

/** An extension of a sequence as a module, since an object cannot go to another thread. */
async function moduleOf(folder: string, name: string, place: number): Promise<ExtensionDefinition> {
  const from = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const file = join(folder, `${name}-${place}.mjs`);
  writeFileSync(
    file,
    `import { SEQUENCES, stackOf } from ${from('../sequences/sequences.ts')};
     import { defineExtension } from ${from('../../src/sdk/index.ts')};
     const sequence = SEQUENCES.find(({ name }) => name === ${JSON.stringify(name)});
     export default defineExtension(stackOf(sequence)[${place}].definition);`,
  );
  return ((await import(pathToFileURL(file).href)) as { default: ExtensionDefinition }).default;
}

async function play(
  sequence: Sequence,
  extensions: readonly ExtensionDefinition[],
  isolated: readonly string[],
): Promise<{ readonly text: string; readonly trace: object; readonly events: object }> {
  const stage = await libraryStage(extensions, {
    ...sequence.options,
    ...(isolated.length === 0 ? {} : { isolate: { extensions: isolated, ...LIMITS } }),
  });
  const { fabric } = stage;
  try {
    for (const act of sequence.setup) await stage.perform(act);
    const from = fabric.events.lastSeq;
    for (const act of sequence.acts) await stage.perform(act);
    const names = new Map(extensions.map(({ id, name }) => [id, name]));
    const shown = fabric.extensions.list().filter((each) => each.isolated !== undefined);
    t.equal(shown.length, isolated.length);
    return {
      text: goldenText(sequence.title, fabric, names, from),
      trace: fabric.trace.entries(),
      events: fabric.events.after(0),
    };
  } finally {
    await stage.close();
  }
}

t.test(
  'golden sequences with isolated extensions: bytes, order and events are equal',
  async (t) => {
    const folder = t.testdir();
    const played = SEQUENCES.filter(({ name }) => IS_EVERY || CHOSEN.test(name));
    t.ok(played.length >= 6);
    for (const sequence of played) {
      const stack = stackOf(sequence).map(({ definition }) => definition);
      const inside = await play(sequence, stack, []);
      const places = WHOLE.has(sequence.name) ? [0, 1, 2] : [1];
      for (const place of places) stack[place] = await moduleOf(folder, sequence.name, place);
      const ids = places.map((place) => stack[place]?.id ?? '');
      const isolated = await play(sequence, stack, ids);
      t.equal(isolated.text, inside.text, sequence.title);
      t.same(isolated.trace, inside.trace, `${sequence.name}: trace`);
      t.same(isolated.events, inside.events, `${sequence.name}: events`);
    }
  },
);

t.test(
  'life cycles with the isolated bundled extensions: traces and findings are equal',
  async (t) => {
    for (const [i, extension] of (await bundledExtensions()).entries()) {
      const wanted =
        i === 0 || IS_EVERY ? ['several-switches', 'clean-up-once'] : ['clean-up-once'];
      for (const lifeCycle of lifeCycles.filter(({ name }) => wanted.includes(name))) {
        const options = { extension, settings, seed: 'equal' };
        const inside = await runLifeCycle(lifeCycle, options);
        const isolated = await runLifeCycle(lifeCycle, { ...options, isolate: LIMITS });
        t.same(isolated, inside, `${extension.name}: ${lifeCycle.name}`);
        t.ok(inside.trace.length > 1_000, 'there is something to compare');
      }
    }
  },
);

t.test('stages of verify with the isolated bundled extensions: reports are equal', async (t) => {
  const all = ['save-restore', 'feature-status', 'held-at-detach', 'malformed-properties'];
  for (const [i, extension] of (await bundledExtensions()).entries()) {
    const stages = IS_EVERY ? all : all.filter((_, place) => place % 3 === i);
    const options = { settings, stages, seed: 'equal' };
    const inside = await verifyExtension(extension, options);
    t.same(await verifyExtension(extension, { ...options, isolate: LIMITS }), inside);
  }
});
