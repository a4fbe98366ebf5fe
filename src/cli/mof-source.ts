import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { builtInClasses } from '../mof/builtin-classes.ts';
import { ClassTree } from '../mof/class-tree.ts';
import { compileMof, type MofResult } from '../mof/compiler.ts';
import { type Diagnostic, formatDiagnostic, isMofValid } from '../mof/diagnostic.ts';
import type { FeatureClass, SerializationProfile } from '../mof/feature-class.ts';
import { readInput } from './input.ts';
import type { Style } from './style.ts';
import { harmless, type Terminal } from './terminal.ts';

/** How MOF files are read: the flags of the `mof` verbs and of `decode --mof`. */
export interface MofReading {
  readonly strict: boolean;
  readonly preprocess: boolean;
  /** Folders for included files, after the folder of the file that includes. */
  readonly includes: readonly string[];
}

/** Files that were compiled together: later ones know the classes of earlier ones. */
export interface MofSources {
  readonly results: readonly { readonly path: string; readonly result: MofResult }[];
  readonly features: readonly FeatureClass[];
  readonly diagnostics: readonly Diagnostic[];
  readonly errorCount: number;
}

/** Reads and compiles files (`-` is standard input). Wrong MOF is in the diagnostics; a missing file throws. */
export async function compileFiles(
  terminal: Terminal,
  paths: readonly string[],
  reading: MofReading,
): Promise<MofSources> {
  const results: { path: string; result: MofResult }[] = [];
  const known = new ClassTree(builtInClasses());
  for (const path of paths) {
    const bytes = await readInput(terminal, path);
    const file = path === '-' ? 'standard input' : path;
    const result = compileMof(bytes, {
      file,
      strict: reading.strict,
      preprocess: reading.preprocess,
      include: includeReader(terminal.cwd, reading.includes),
      knownClasses: known,
    });
    if (isMofValid(result)) known.adopt(result);
    results.push({ path: file, result });
  }
  const diagnostics = results.flatMap(({ result }) => result.diagnostics);
  return {
    results,
    features: results.flatMap(({ result }) => result.features),
    diagnostics,
    errorCount: diagnostics.filter((each) => each.severity === 'error').length,
  };
}

/**
 * Finds included files beside the one that includes them, then in the folders of `-I`. The compiler names a file by its
 * path from where the first one stands, so what was written is that path seen from the including file.
 */
function includeReader(
  cwd: string,
  includes: readonly string[],
): (path: string, from: string) => Uint8Array | undefined {
  const folders = new Map<string, string>();
  return (path, from) => {
    const written = relative(dirname(from), path);
    const beside = folders.get(from) ?? dirname(resolve(cwd, from));
    for (const folder of [beside, ...includes.map((include) => resolve(cwd, include))]) {
      const full = resolve(folder, written);
      try {
        const bytes = readFileSync(full);
        folders.set(path, dirname(full));
        return bytes;
      } catch {
        // the next folder may have it; a file found nowhere is a diagnostic of the compiler
      }
    }
    return undefined;
  };
}

/** A diagnostic with its caret, coloured where the style has colours. */
export function diagnosticText(diagnostic: Diagnostic, style: Style): string {
  const paint = diagnostic.severity === 'error' ? style.error : style.warning;
  const shown = {
    ...diagnostic,
    message: harmless(diagnostic.message),
    // One for one, so that the caret stays under its text.
    lineText: diagnostic.lineText.replace(/[^\P{Cc}\t]|\p{Bidi_C}/gu, '\u00b7'),
  };
  const [head = '', ...rest] = formatDiagnostic(shown).split('\n');
  const mark = `: ${diagnostic.severity} `;
  return [head.replace(mark, () => `: ${paint(diagnostic.severity)} `), ...rest].join('\n');
}

/** The serialization profile of `--uint16`. */
export function profileOf(uint16: string | undefined): Partial<SerializationProfile> {
  return uint16 === 'doc32' || uint16 === 'native' ? { uint16 } : {};
}
