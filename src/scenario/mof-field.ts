import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { compileMof, isMofValid } from '../mof/index.ts';
import { type Field, field, text } from './field.ts';
import { addFeature, type Names } from './names.ts';
import type { Problems } from './problems.ts';
import type { MofFile } from './scenario.ts';
import type { Place } from './source-node.ts';

/** Adds the classes of a MOF file to the names; what is wrong with it is a problem at the place of its path. */
export function addClasses(file: MofFile, place: Place, names: Names, problems: Problems): boolean {
  const result = compileMof(file.bytes, { file: file.path });
  for (const feature of result.features) addFeature(names, feature);
  if (isMofValid(result)) return true;
  const first = result.diagnostics.find(({ severity }) => severity === 'error');
  const where = first === undefined ? '' : `:${first.line}:${first.column}: ${first.message}`;
  problems.add(place, `${file.path}${where}`);
  return false;
}

/** Path of a MOF file; its classes are known from here on. Each file is read once, however often a loop comes by. */
export function mofFile(help: string): Field<MofFile, false> {
  const plain = text(help, 'path');
  return field('path', help, { type: 'string' }, (node, reader, what) => {
    const path = plain.read(node, reader, what);
    if (path === undefined) return undefined;
    const { names, problems, expectsRefusal } = reader;
    const absolute = resolve(names.folder, path);
    if (names.mofFiles.has(absolute)) return names.mofFiles.get(absolute);
    const bytes = bytesOf(absolute);
    if (bytes === undefined) problems.add(node.place, `cannot read the MOF file ${path}`);
    const file = bytes && { path: relative(names.folder, absolute), bytes };
    // Inside expectRefused a file that is wrong may be what is tried.
    if (expectsRefusal) return file;
    const found = file && addClasses(file, node.place, names, problems) ? file : undefined;
    names.mofFiles.set(absolute, found);
    return found;
  });
}

function bytesOf(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
