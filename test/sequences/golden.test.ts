import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { briefly, goldenText } from './golden-text.ts';
import { httpStage, libraryStage, type Stage } from './run.ts';
import { SEQUENCES, type Sequence, stackOf } from './sequences.ts';

/*
 * test/golden/sequences/NAME.txt, read against the rule book by hand before it was committed; UPDATE_GOLDEN=1 rewrites it from
 * the library's way, and the difference is to be read again. The HTTP way must give the same text.
 */
const FOLDER = new URL('../golden/sequences/', import.meta.url);

interface Shown {
  readonly text: string;
  readonly oids: readonly string[];
  readonly refusals: number;
  readonly findings: readonly unknown[];
}

async function show(
  sequence: Sequence,
  open: typeof libraryStage | typeof httpStage,
): Promise<Shown> {
  const observers = stackOf(sequence);
  const names = new Map(observers.map(({ definition }) => [definition.id, definition.name]));
  const stage: Stage = await open(
    observers.map(({ definition }) => definition),
    sequence.options,
  );
  const { fabric } = stage;
  try {
    for (const act of sequence.setup) await stage.perform(act);
    const from = fabric.events.lastSeq;
    let refusals = 0;
    for (const act of sequence.acts) if ((await stage.perform(act)) !== undefined) refusals += 1;
    return {
      text: goldenText(sequence.title, fabric, names, from),
      oids: briefly(fabric.trace.entries({ afterSeq: from })),
      refusals,
      findings: fabric.events.after(0).filter(({ type }) => type === 'finding'),
    };
  } finally {
    await stage.close();
  }
}

for (const sequence of SEQUENCES) {
  t.test(`${sequence.title} (${sequence.rules})`, async (t) => {
    const library = await show(sequence, libraryStage);
    t.same(library.oids, sequence.expected, 'the OIDs the rule book tells, in its order');
    t.equal(library.refusals, sequence.acts.filter(({ mayBeRefused }) => mayBeRefused).length);
    t.same(library.findings, [], 'nobody breaks a rule');
    const file = new URL(`${sequence.name}.txt`, FOLDER);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, library.text);
    if (!existsSync(file)) throw new Error(`${file.pathname}: run with UPDATE_GOLDEN=1`);
    t.equal(library.text, readFileSync(file, 'utf8'), 'the golden file');
    const http = await show(sequence, httpStage);
    t.equal(http.text, library.text, 'the same through HTTP');
  });
}
