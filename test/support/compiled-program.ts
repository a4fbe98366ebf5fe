import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

/**
 * Compiles a program of the project and all it imports into `into`, and gives the path to run: a process of it starts in
 * a third of the time that one with a loader takes, which counts where hundreds are started.
 */
export function compileProgram(entry: string, into: string): string {
  const seen = new Set<string>();
  const compile = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
      fileName: file,
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    const target = join(into, relative('.', file)).replace(/\.ts$/, '.js');
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
    for (const [, specifier = ''] of outputText.matchAll(
      /(?:from|import\()\s*['"](\.[^'"]+)['"]/g,
    )) {
      compile(resolve(dirname(file), specifier).replace(/\.js$/, '.ts'));
    }
  };
  compile(resolve(entry));
  // The package finds itself by name, and its dependencies beside it.
  copyFileSync('package.json', join(into, 'package.json'));
  symlinkSync(resolve('node_modules'), join(into, 'node_modules'));
  return join(into, entry).replace(/\.ts$/, '.js');
}
