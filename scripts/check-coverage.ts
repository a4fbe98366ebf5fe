import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

/*
 * Branch coverage by folder, from the report the last `npm test` left. The bytes, the compiler and the switch must be
 * covered nearly wholly; the rest is shown.
 */

const ROOT = resolve(import.meta.dirname, '..');
const REPORT = join(ROOT, '.tap/report/lcov.info');
/** Percent of branches that must be covered, by folder. */
const AT_LEAST: Readonly<Record<string, number>> = { 'src/abi': 95, 'src/mof': 95, switch: 95 };

interface Sum {
  branches: number;
  hit: number;
}

if (!existsSync(REPORT)) {
  console.error(`${relative(ROOT, REPORT)} is missing: run npm test first`);
  process.exit(1);
}

const folders = new Map<string, Sum>();
let folder = '';
for (const line of readFileSync(REPORT, 'utf8').split('\n')) {
  const [word, value] = [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)];
  if (word === 'SF') {
    const path = relative(ROOT, resolve(ROOT, value)).replaceAll('\\', '/');
    const [top, second] = path.split('/');
    folder = top === 'src' ? `src/${second?.endsWith('.ts') ? '' : second}` : (top ?? '');
  }
  const sum = folders.get(folder) ?? { branches: 0, hit: 0 };
  if (word === 'BRF') sum.branches += Number(value);
  if (word === 'BRH') sum.hit += Number(value);
  folders.set(folder, sum);
}

let failed = false;
for (const [name, { branches, hit }] of [...folders].sort(([a], [b]) => a.localeCompare(b))) {
  if (branches === 0) continue;
  const percent = (hit * 100) / branches;
  const wanted = AT_LEAST[name];
  const short = wanted !== undefined && percent < wanted;
  failed ||= short;
  const note =
    wanted === undefined ? '' : short ? `, at least ${wanted} % wanted` : `, ${wanted} % wanted`;
  console.log(`coverage: ${name} ${percent.toFixed(1)} % of ${branches} branches${note}`);
}
for (const name of Object.keys(AT_LEAST)) {
  if (folders.has(name)) continue;
  console.error(`coverage: nothing was measured for ${name}`);
  failed = true;
}
if (failed) process.exitCode = 1;
