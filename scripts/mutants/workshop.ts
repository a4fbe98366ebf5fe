import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { broken, type Mutant } from './mutant.ts';

/** What the simulation and the suites read. */
const COPIED = [
  ...['src', 'switch', 'extensions', 'policies', 'test', 'scripts', 'bench', 'docs'],
  ...[
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'README.md',
    'LICENSE',
    '.taprc',
  ],
];

/** A copy of the tree that is broken and mended again. */
export class Workshop {
  readonly folder: string;

  /** Copies the tree in `root` to `folder`, which must not be there; its packages are shared. */
  constructor(root: string, folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const name of COPIED) {
      if (existsSync(join(root, name)))
        cpSync(join(root, name), join(folder, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  }

  /** Runs `work` in the tree broken by `mutant`, and mends it whatever comes of that. */
  async broken<T>(mutant: Mutant, work: () => Promise<T>): Promise<T> {
    const path = join(this.folder, mutant.file);
    const sound = readFileSync(path, 'utf8');
    writeFileSync(path, broken(mutant, sound));
    try {
      return await work();
    } finally {
      writeFileSync(path, sound);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
