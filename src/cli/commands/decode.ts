import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AnnotatedNode } from '../../abi/annotate.ts';
import { formatDump } from '../../abi/dump.ts';
import { OID_LIST } from '../../abi/oid-codes.ts';
import { type CustomNodes, describe } from '../../abi/registry.ts';
import { STRUCTURES } from '../../abi/tables/structures.ts';
import { ExtSwitchError, isExtSwitchError } from '../../core/errors.ts';
import type { FeatureClass } from '../../mof/feature-class.ts';
import { FeatureCodec } from '../../mof/feature-codec.ts';
import type { AnnotatedField } from '../../mof/feature-dump.ts';
import { featureAtVersion } from '../../mof/feature-version.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { looksLikeHex, parseHex } from '../hex-input.ts';
import { readInput } from '../input.ts';
import { compileFiles, diagnosticText, profileOf } from '../mof-source.ts';
import { didYouMean } from '../nearest.ts';
import { printJson } from '../print-items.ts';
import { harmless, type Terminal } from '../terminal.ts';

/** `decode`: bytes as the fields of a structure, an OID's buffer, or (with --mof) a feature class. */
export const decode: CommandHandler = async (call, terminal) => {
  const [name = '', ...words] = call.arguments;
  const features = await loadFeatures(call, terminal);
  if (features === undefined) return 1;
  const bytes = await readBytes(words, terminal);
  const node = annotate(name, bytes, features, call.text('uint16'));
  if (call.has('json')) await printJson(terminal, plainNode(node));
  else await terminal.print(harmless(formatDump(node, bytes)));
  return 0;
};

/** Classes of the --mof files; `undefined` when they have errors, which are printed. */
async function loadFeatures(
  call: Invocation,
  terminal: Terminal,
): Promise<readonly FeatureClass[] | undefined> {
  const reading = { strict: false, preprocess: false, includes: [] };
  const sources = await compileFiles(terminal, call.list('mof'), reading);
  if (sources.errorCount === 0) return sources.features;
  for (const each of sources.diagnostics) terminal.note(diagnosticText(each, terminal.errorStyle));
  return undefined;
}

/** One word may be `-`, a file, or text; several are text. */
async function readBytes(words: readonly string[], terminal: Terminal): Promise<Uint8Array> {
  const [only = ''] = words;
  if (words.length > 1) return parseHex(words.join(' '), 'the bytes');
  if (only !== '-') {
    const found = await stat(resolve(terminal.cwd, only)).catch(() => undefined);
    if (found === undefined) {
      try {
        return parseHex(only, 'the bytes');
      } catch (cause) {
        const detail = isExtSwitchError(cause) ? cause.message : String(cause);
        throw new ExtSwitchError(
          'MALFORMED',
          `${JSON.stringify(only)} is neither a file nor hexadecimal text: ${detail}`,
          {},
          { cause },
        );
      }
    }
  }
  const content = await readInput(terminal, only);
  if (!looksLikeHex(content)) return content;
  return parseHex(new TextDecoder().decode(content), only === '-' ? 'standard input' : only);
}

function annotate(
  name: string,
  bytes: Uint8Array,
  features: readonly FeatureClass[],
  uint16: string | undefined,
): AnnotatedNode {
  const profile = profileOf(uint16);
  const feature = features.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (feature !== undefined) {
    const codec = new FeatureCodec(feature, profile);
    const children = codec.decodeAnnotated(bytes).map(nodeOfField);
    const { length: size } = bytes;
    return { name: feature.name, ctype: feature.name, offset: 0, size, value: undefined, children };
  }
  const custom: CustomNodes = (scope, kind, id, version, data) => {
    const known = features.find(
      (each) => each.id === id && each.scope === scope && each.kind === kind,
    );
    if (known === undefined) return undefined;
    return new FeatureCodec(featureAtVersion(known, version), profile)
      .decodeAnnotated(data)
      .map(nodeOfField);
  };
  const canonical = name.toUpperCase();
  const names = [...Object.keys(STRUCTURES), ...OID_LIST.map((oid) => oid.name)];
  if (!names.includes(canonical)) {
    const known = [...names, ...features.map((each) => each.name)];
    throw new ExtSwitchError(
      'NOT_FOUND',
      `${JSON.stringify(name)} is neither a structure nor an OID of the switch ABI${didYouMean(name, known)}`,
      { expected: 'NDIS_… or OID_…', found: name },
    );
  }
  return describe(canonical, bytes, { custom });
}

/** A field of a serialized class; arrays are shown as text, strings as strings. */
function nodeOfField(field: AnnotatedField): AnnotatedNode {
  const { name, ctype, offset, size, value } = field;
  const isArray = typeof value === 'object';
  return {
    name,
    ctype,
    offset,
    size,
    value: isArray ? undefined : value,
    ...(isArray ? { text: `[${value.map((each) => textOf(each)).join(', ')}]` } : {}),
    ...(field.children === undefined ? {} : { children: field.children.map(nodeOfField) }),
  };
}

function textOf(value: boolean | number | bigint | string): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** The tree as JSON can hold it: 64-bit values as decimal text. */
function plainNode(node: AnnotatedNode): Readonly<Record<string, unknown>> {
  const { name, ctype, offset, size, value, text, children } = node;
  return {
    name,
    ctype,
    offset,
    size,
    ...(value === undefined ? {} : { value: typeof value === 'bigint' ? value.toString() : value }),
    ...(text === undefined ? {} : { text }),
    ...(children === undefined ? {} : { children: children.map(plainNode) }),
  };
}
