import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';

const ROOT = process.cwd();
const STRICT: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules', '@types')],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
};

/** A project that has the package in node_modules as npm would put it there: package.json and declarations. */
export function consumerProject(folder: string): void {
  const installed = join(folder, 'node_modules', 'extswitch');
  mkdirSync(installed, { recursive: true });
  const declarations = ts.createProgram([join(ROOT, 'src', 'sdk', 'index.ts')], {
    ...STRICT,
    rootDir: ROOT,
    outDir: join(installed, 'dist'),
    declaration: true,
    emitDeclarationOnly: true,
    rewriteRelativeImportExtensions: true,
    noCheck: true,
    skipLibCheck: true,
  });
  if (declarations.emit().emitSkipped) throw new Error('no declarations were written');
  cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
}

/** Type errors of the project, as `file:line: message`. */
export function typeErrors(folder: string, sources: Readonly<Record<string, string>>): string[] {
  const files = Object.entries(sources).map(([name, text]) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  });
  const program = ts.createProgram(files, { ...STRICT, noEmit: true });
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
    const name = basename(file?.fileName ?? '');
    return `${name}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}
