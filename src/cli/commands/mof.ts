import { basename } from 'node:path';
import type { FeatureClass, LayoutMember } from '../../mof/feature-class.ts';
import { cHeader } from '../../mof/header.ts';
import { layoutOf } from '../../mof/layout.ts';
import { typescriptTypes } from '../../mof/types.ts';
import { type Column, ColumnPrinter } from '../columns.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { writeOutput } from '../input.ts';
import { compileFiles, diagnosticText, type MofSources, profileOf } from '../mof-source.ts';
import { printJson } from '../print-items.ts';
import { harmless, type Terminal } from '../terminal.ts';

/** `mof check`: every finding; with --json the list of diagnostics. Exit code 1 when there are errors. */
export const check: CommandHandler = async (call, terminal) => {
  const sources = await compile(call, terminal);
  if (call.has('json')) await printJson(terminal, sources.diagnostics);
  else {
    for (const each of sources.diagnostics) {
      await terminal.line(diagnosticText(each, terminal.style));
    }
    for (const { path, result } of sources.results) {
      const errors = result.diagnostics.filter((each) => each.severity === 'error').length;
      const warnings = result.diagnostics.length - errors;
      const counts = [
        plural(result.classes.length, 'class', 'classes'),
        plural(result.features.length, 'feature', 'features'),
        plural(errors, 'error', 'errors'),
        plural(warnings, 'warning', 'warnings'),
      ];
      await terminal.line(`${harmless(path)}: ${counts.join(', ')}`);
    }
  }
  return sources.errorCount === 0 ? 0 : 1;
};

/** `mof layout`: offsets and sizes as an extension's C code sees them. */
export const layout: CommandHandler = async (call, terminal) => {
  const sources = await compile(call, terminal);
  if (await refused(sources, terminal)) return 1;
  const profile = profileOf(call.text('uint16'));
  const layouts = sources.features.map((feature) => ({
    feature,
    layout: layoutOf(feature, profile),
  }));
  if (call.has('json')) {
    const shown = layouts.map(({ feature, layout: of }) => ({
      class: feature.name,
      id: feature.id,
      extensionId: feature.extensionId,
      scope: feature.scope,
      kind: feature.kind,
      version: feature.version,
      size: of.size,
      alignment: of.alignment,
      members: of.members.map(({ name, wmiDataId, ctype, offset, size }) => ({
        name,
        wmiDataId,
        ctype,
        offset,
        size,
      })),
    }));
    await printJson(terminal, shown);
    return 0;
  }
  let first = true;
  for (const { feature, layout: of } of layouts) {
    if (!first) await terminal.line();
    first = false;
    await terminal.line(heading(feature, of.size, of.alignment, terminal));
    await new ColumnPrinter(terminal, LAYOUT_COLUMNS).print(of.members);
  }
  return 0;
};

/** `mof header`: one C header for all files. */
export const header: CommandHandler = async (call, terminal) => {
  const sources = await compile(call, terminal);
  if (await refused(sources, terminal)) return 1;
  const text = cHeader(sources.features, {
    profile: profileOf(call.text('uint16')),
    sourceName: sources.results.map(({ path }) => basename(path)).join(', '),
  });
  await writeResult(call, terminal, sources.features, text);
  return 0;
};

/** `mof types`: one file of TypeScript types for all files. */
export const types: CommandHandler = async (call, terminal) => {
  const sources = await compile(call, terminal);
  if (await refused(sources, terminal)) return 1;
  await writeResult(call, terminal, sources.features, typescriptTypes(sources.features));
  return 0;
};

/** The text as it is, or for machines with the names of its classes. */
async function writeResult(
  call: Invocation,
  terminal: Terminal,
  features: readonly FeatureClass[],
  text: string,
): Promise<void> {
  const output = call.text('output');
  const classes = features.map(({ name }) => name);
  if (!call.has('json')) await writeOutput(terminal, output, text);
  else if (output === undefined || output === '-') await printJson(terminal, { classes, text });
  else {
    await writeOutput(terminal, output, text);
    await printJson(terminal, { classes, file: output });
  }
}

const LAYOUT_COLUMNS: readonly Column<LayoutMember>[] = [
  { title: 'offset', value: (member) => member.offset, align: 'right' },
  { title: 'size', value: (member) => member.size, align: 'right' },
  { title: 'type', value: (member) => member.ctype },
  { title: 'member', value: (member) => member.name },
  { title: 'WmiDataId', value: (member) => member.wmiDataId, align: 'right' },
];

function heading(
  feature: FeatureClass,
  sizeBytes: number,
  alignment: number,
  terminal: Terminal,
): string {
  const { name, scope, kind, version, id } = feature;
  const what = `${scope} ${kind}, version ${version >> 8}.${version & 0xff}, id ${id}`;
  return `${terminal.style.bold(name)} (${what}): ${sizeBytes} bytes, alignment ${alignment}`;
}

function compile(call: Invocation, terminal: Terminal): Promise<MofSources> {
  return compileFiles(terminal, call.arguments, {
    strict: call.has('strict'),
    preprocess: call.has('preprocess'),
    includes: call.list('include'),
  });
}

/** Prints findings to standard error; true when errors forbid going on. */
async function refused(sources: MofSources, terminal: Terminal): Promise<boolean> {
  for (const each of sources.diagnostics) {
    terminal.note(diagnosticText(each, terminal.errorStyle));
  }
  if (sources.errorCount > 0) return true;
  if (sources.features.length === 0) {
    const files = sources.results.map(({ path }) => path).join(', ');
    terminal.note(`${harmless(files)}: no feature classes`);
  }
  return false;
}

function plural(count: number, one: string, many: string): string {
  return `${count === 0 ? 'no' : count} ${count === 1 ? one : many}`;
}
