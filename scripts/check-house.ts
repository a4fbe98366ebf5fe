import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

/*
 * What `npm run check` asks of the tree beside format, lint and types: who imports whom, files nobody imports, exports
 * nobody uses, file sizes. Prints every finding; exit code 1 when there is one.
 */

const ROOT = resolve(import.meta.dirname, '..');
const SOURCE_FOLDERS = ['src', 'switch', 'extensions', 'bench', 'scripts', 'test'];
const MAX_LINES = 600;
const MAX_TEST_LINES = 800;

/** Which areas an area may import (docs/architecture.md). `http` and the fabric reach the CLI only by dynamic import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  rules: ['core'],
  abi: ['core'],
  mof: ['abi', 'core'],
  sdk: ['abi', 'core'],
  store: ['core'],
  cluster: ['store', 'core'],
  switch: ['sdk', 'abi', 'core'],
  isolation: ['sdk', 'core'],
  policy: ['switch', 'isolation', 'sdk', 'mof', 'store', 'abi', 'rules', 'core'],
  http: ['policy', 'mof', 'abi', 'core'],
  cli: ['mof', 'abi', 'core', 'policy-types'],
  verifier: ['policy', 'switch', 'sdk', 'abi', 'rules', 'core'],
  scenario: ['policy', 'store', 'sdk', 'mof', 'abi', 'core'],
  testing: [
    'scenario',
    'verifier',
    'rules',
    'policy',
    'store',
    'switch',
    'sdk',
    'mof',
    'abi',
    'core',
  ],
  extensions: ['sdk'],
};
/** Only these areas may name the package. */
const PACKAGE_OWNERS: Readonly<Record<string, readonly string[]>> = {
  lmdb: ['store'],
  '@nats-io/transport-node': ['cluster'],
  '@nats-io/jetstream': ['cluster'],
  '@nats-io/kv': ['cluster'],
  '@nats-io/obj': ['cluster'],
  fastify: ['http'],
  msgpackr: ['http', 'store'],
  tsx: ['sdk'],
};
/** Entry points: nothing in the tree needs to import them. */
const ENTRIES = new Set([
  'src/cli.ts',
  'src/index.ts',
  'src/abi/index.ts',
  'src/mof/index.ts',
  'src/sdk/index.ts',
  'src/testing/index.ts',
  'bench/run.ts',
  'scripts/check-house.ts',
  'scripts/check-coverage.ts',
  'scripts/crash-store.ts',
  'scripts/rule-ledger.ts',
]);

const problems: string[] = [];

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(path);
    return path.endsWith('.ts') && !path.endsWith('.d.ts') ? [path] : [];
  });
}

const files = SOURCE_FOLDERS.filter((folder) => statSync(join(ROOT, folder)).isDirectory()).flatMap(
  filesBelow,
);
const text = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));

function areaOf(file: string): string {
  const [top, second] = file.split('/');
  if (top !== 'src') return top ?? '';
  return second?.endsWith('.ts') ? 'entry' : (second ?? '');
}

interface Import {
  readonly specifier: string;
  readonly isType: boolean;
  readonly isDynamic: boolean;
}

function importsOf(source: string): Import[] {
  const found: Import[] = [];
  const statics = /^\s*(?:import|export)\s+(type\s)?[^'"();]*?from\s+['"]([^'"]+)['"]/gm;
  for (const match of source.matchAll(statics)) {
    found.push({ specifier: match[2] ?? '', isType: match[1] !== undefined, isDynamic: false });
  }
  for (const match of source.matchAll(/^\s*import\s+['"]([^'"]+)['"]/gm)) {
    found.push({ specifier: match[1] ?? '', isType: false, isDynamic: false });
  }
  for (const match of source.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) {
    found.push({ specifier: match[1] ?? '', isType: false, isDynamic: true });
  }
  return found;
}

const imported = new Set<string>();
for (const [file, source] of text) {
  const area = areaOf(file);
  for (const { specifier, isType, isDynamic } of importsOf(source)) {
    if (!specifier.startsWith('.')) {
      const name = specifier.startsWith('@') ? specifier : specifier.split('/')[0];
      const owners = PACKAGE_OWNERS[name ?? ''];
      const isOwner = owners === undefined || owners.includes(area) || !(area in MAY_IMPORT);
      if (!isOwner) problems.push(`${file}: ${name} may be named only in ${owners?.join(', ')}`);
      continue;
    }
    const target = relative(ROOT, resolve(ROOT, dirname(file), specifier))
      .split(sep)
      .join('/');
    imported.add(target);
    if (!text.has(target)) {
      // A program that a test writes out imports from the project's folder.
      if (text.has(specifier.replace(/^\.\//, ''))) continue;
      if (/\.ts$/.test(target) && !target.endsWith('.d.ts'))
        problems.push(`${file}: imports ${target}, which is not there`);
      continue;
    }
    const allowed = MAY_IMPORT[area];
    const targetArea = areaOf(target);
    if (allowed === undefined || targetArea === area || allowed.includes(targetArea)) continue;
    // The CLI loads the server lazily, and may name the types of the library's surface.
    if (area === 'cli' && isDynamic) continue;
    if (area === 'cli' && isType && target === 'src/policy/api.ts') continue;
    // A cluster is loaded only for a store that is one; it names the types of migrations.
    const mayLoadIt = area === 'policy' || area === 'scenario';
    if (mayLoadIt && targetArea === 'cluster' && (isDynamic || isType)) continue;
    if (area === 'cluster' && isType && /^src\/policy\/(api|migration-api)\.ts$/.test(target))
      continue;
    if (area === 'http' && isType && target === 'src/cluster/api.ts') continue;
    if (area === 'cli' && /^src\/cli\/(serve|life-cycles|scenarios|verify|sweep)\//.test(file))
      continue;
    problems.push(`${file}: ${area} may not import ${targetArea} (${target})`);
  }
}

// --- dead files and exports -------------------------------------------------------------------------------------------

for (const file of files) {
  if (ENTRIES.has(file) || imported.has(file)) continue;
  if (/^test\/.*\.test\.ts$/.test(file) || /^bench\/[^/]+\.ts$/.test(file)) continue;
  if (/^test\/fixtures\//.test(file) || /^test\/.*fixture/.test(file)) continue;
  const name = file.slice(file.lastIndexOf('/') + 1);
  // Processes that tests and the CLI start by name.
  if (
    [...text].some(
      ([other, source]) => other !== file && source.includes(name.replace(/\.ts$/, '')),
    )
  )
    continue;
  problems.push(`${file}: nobody imports it`);
}

const EXPORT =
  /^export\s+(?:async\s+)?(?:abstract\s+)?(const|function\*?|class|interface|type)\s+(\w+)/gm;
const words = new Map<string, Set<string>>();
for (const [file, source] of text) {
  for (const word of new Set(source.match(/\b[A-Za-z_]\w*\b/g) ?? [])) {
    const users = words.get(word);
    if (users === undefined) words.set(word, new Set([file]));
    else users.add(file);
  }
}
for (const [file, source] of text) {
  if (!/^(src|switch|extensions)\//.test(file) || ENTRIES.has(file)) continue;
  for (const match of source.matchAll(EXPORT)) {
    const name = match[2] ?? '';
    const users = words.get(name);
    if (users !== undefined && users.size > 1) continue;
    const uses = source.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0;
    // A type that an exported signature names is exported with it.
    if (uses > 1 && (match[1] === 'interface' || match[1] === 'type')) continue;
    problems.push(
      `${file}: export ${name} is used ${uses > 1 ? 'only in its own file: drop the export' : 'nowhere'}`,
    );
  }
}

// --- code from text -------------------------------------------------------------------------------------------------

for (const [file, source] of text) {
  // The ABI's own tables become view classes; nothing a client sends becomes code.
  if (file === 'src/abi/view.ts' || !/^(src|switch|extensions)\//.test(file)) continue;
  if (/\bnew Function\b|\beval\(/.test(source)) problems.push(`${file}: makes code of text`);
}

// --- sizes ------------------------------------------------------------------------------------------------------------

for (const [file, source] of text) {
  const lines = source.split('\n').length;
  const limit = file.startsWith('test/') ? MAX_TEST_LINES : MAX_LINES;
  if (lines > limit && !/\/tables\//.test(file)) {
    problems.push(`${file}: ${lines} lines, at most ${limit}`);
  }
}

for (const problem of problems) console.error(problem);
console.log(`house: ${files.length} files checked, ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;
