/*
 * After tsc: copies what is no TypeScript into dist, so that dist runs by itself, and makes the command executable.
 * Also takes away what tsc left from sources that are gone, or a deleted test would still be run from dist.
 */
import { chmod, cp, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
/** Folders whose other files the compiled code reads. */
const ASSET_FOLDERS = ['extensions', 'policies'];
const COMPILED_FOLDERS = ['src', 'switch', 'extensions', 'test', 'bench', 'scripts'];

/** Paths of all files below a folder; none when it is missing. */
async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

const exists = (path) =>
  stat(path).then(
    () => true,
    () => false,
  );

for (const folder of ASSET_FOLDERS) {
  for (const file of await filesBelow(join(root, folder))) {
    if (/\.tsx?$/.test(file)) continue;
    const target = join(dist, relative(root, file));
    await mkdir(dirname(target), { recursive: true });
    await cp(file, target);
  }
}

for (const folder of COMPILED_FOLDERS) {
  for (const file of await filesBelow(join(dist, folder))) {
    const source = join(root, relative(dist, file)).replace(/(?:\.js|\.d\.ts)(?:\.map)?$/, '.ts');
    const original = source.endsWith('.ts') ? source : join(root, relative(dist, file));
    if (!(await exists(original))) await rm(file);
  }
}

await chmod(join(dist, 'src', 'cli.js'), 0o755);
