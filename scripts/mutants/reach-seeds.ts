import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { findSourceMap } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AREAS } from './all-mutants.ts';
import type { Mutant } from './mutant.ts';

/*
 * Plays seeds on the sound tree and counts how often the place of each break runs: `reach-seeds.ts FIRST COUNT STEPS`. Prints one
 * line of JSON, by id of the break. What is never reached no law could notice.
 */

/** A place in a source: line and column from 0. */
type Place = readonly [line: number, column: number];

const END: Place = [Number.MAX_SAFE_INTEGER, 0];

interface Block {
  readonly from: Place;
  readonly to: Place;
  readonly count: number;
}

const isBefore = (one: Place, other: Place): boolean =>
  one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);

function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const line = before.split('\n').length - 1;
  return [line, offset - (before.lastIndexOf('\n') + 1)];
}

/** Where a break begins to be another text: white space is nobody's code. */
function placeOf({ file, from, to }: Mutant): Place {
  const source = readFileSync(file, 'utf8');
  let same = 0;
  while (same < to.length && from[same] === to[same]) same += 1;
  if (same === from.length) same -= 1;
  while (same < from.length - 1 && /\s/.test(from[same] ?? '')) same += 1;
  return placeAt(source, source.indexOf(from) + same);
}

/** The count of the innermost block that has the place; 0 when nothing of the file has run. */
function countAt(blocks: readonly Block[], place: Place): number {
  let found: Block | undefined;
  for (const block of blocks) {
    if (isBefore(place, block.from) || !isBefore(place, block.to)) continue;
    // Of nested ones the inner begins later, or ends earlier; a function comes before its blocks.
    if (
      found === undefined ||
      (!isBefore(block.from, found.from) && !isBefore(found.to, block.to))
    ) {
      found = block;
    }
  }
  return found?.count ?? 0;
}

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

const [first = 1, count = 0, steps = 40] = process.argv.slice(2).map(Number);
const { playSeed } = await import('../../src/testing/simulation/play.ts');
for (let i = 0; i < count; i += 1) await playSeed(String(first + i), steps);

const { result } = await session.post('Profiler.takePreciseCoverage');
await session.post('Debugger.enable');

/** The blocks of one file, in places of its source. */
async function blocksOf(file: string): Promise<Block[]> {
  const url = pathToFileURL(resolve(file)).href;
  const blocks: Block[] = [];
  for (const { scriptId, url: found, functions } of result) {
    if (found.split('?')[0] !== url) continue;
    const { scriptSource } = await session.post('Debugger.getScriptSource', { scriptId });
    const map = findSourceMap(found) ?? findSourceMap(url);
    if (map === undefined) throw new Error(`${file} has no source map`);
    const original = (offset: number): Place => {
      const entry = map.findEntry(...placeAt(scriptSource, offset));
      return 'originalLine' in entry ? [entry.originalLine, entry.originalColumn] : [0, 0];
    };
    /** Of the first token at it or behind it: an end often is none's. */
    const behind = (offset: number): Place => {
      const before = original(offset - 1);
      for (let at = offset; at < scriptSource.length; at += 1) {
        const place = original(at);
        if (isBefore(before, place)) return place;
      }
      return END;
    };
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count: runs } of ranges) {
        blocks.push({ from: original(startOffset), to: behind(endOffset), count: runs });
      }
    }
  }
  return blocks;
}

const reached: Record<string, number> = {};
const known = new Map<string, Block[]>();
for (const mutant of AREAS.flatMap((area) => (area.isSimulated ? area.mutants : []))) {
  const blocks = known.get(mutant.file) ?? (await blocksOf(mutant.file));
  known.set(mutant.file, blocks);
  reached[mutant.id] = countAt(blocks, placeOf(mutant));
}
process.stdout.write(`${JSON.stringify(reached)}\n`);
