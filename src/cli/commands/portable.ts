import { ExtSwitchError } from '../../core/errors.ts';
import { type ControlPlane, connect, type Item, pathOf } from '../client.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { parseJson, readInput, writeNamed, writeOutput } from '../input.ts';
import { messagePackMap } from '../msgpack-map.ts';
import { printJson } from '../print-items.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const MESSAGE_PACK = 'application/msgpack';

/** `vm export` */
export const exportVm: CommandHandler = (call, terminal) => exportTo(call, terminal, 'vms', {});

/** `switch export` */
export const exportSwitch: CommandHandler = (call, terminal) =>
  exportTo(call, terminal, 'switches', call.has('vms') ? { body: { vms: true } } : {});

/** JSON that a person can read, or MessagePack when the file or `--format` says so. */
async function exportTo(
  call: Invocation,
  terminal: Terminal,
  kind: 'vms' | 'switches',
  options: { readonly body?: unknown },
): Promise<number> {
  const file = call.text('output');
  const plane = connect(call, terminal);
  const path = `/${kind}${pathOf(...call.arguments)}/export`;
  if ((call.text('format') ?? formatOf(file)) === 'msgpack') {
    if (file === undefined || file === '-') {
      throw new UsageError('--format msgpack writes bytes: name a file with -o');
    }
    const headers = { accept: MESSAGE_PACK };
    await writeNamed(terminal, file, await plane.bytes('POST', path, { ...options, headers }));
  } else {
    const { body } = await plane.request('POST', path, options);
    await writeOutput(terminal, file, `${JSON.stringify(body, null, 2)}\n`);
  }
  if (file !== undefined && file !== '-') terminal.note(`wrote ${harmless(file)}`);
  return 0;
}

function formatOf(file: string | undefined): 'json' | 'msgpack' {
  return file !== undefined && /\.(msgpack|mpk)$/i.test(file) ? 'msgpack' : 'json';
}

/** `vm import` */
export const importVm: CommandHandler = (call, terminal) => importFrom(call, terminal, 'vms');

/** `switch import` */
export const importSwitch: CommandHandler = (call, terminal) =>
  importFrom(call, terminal, 'switches');

async function importFrom(
  call: Invocation,
  terminal: Terminal,
  kind: 'vms' | 'switches',
): Promise<number> {
  const [file = '-'] = call.arguments;
  const options = importOptions(call);
  const bytes = await readInput(terminal, file);
  const report = await sendDocument(connect(call, terminal), kind, bytes, file, options);
  if (call.has('json')) {
    await printJson(terminal, report);
    return 0;
  }
  for (const one of report['switches'] as readonly Item[]) {
    await terminal.line(`imported switch ${harmless(String(one['name']))} (${one['id']})`);
  }
  for (const one of report['vms'] as readonly Item[]) {
    await terminal.line(
      `imported VM ${harmless(String(one['name']))} (${one['id']}), ${one['state']}`,
    );
  }
  for (const note of report['notes'] as readonly string[]) {
    terminal.note(`${terminal.errorStyle.warning('note:')} ${harmless(note)}`);
  }
  return 0;
}

interface Options {
  readonly [name: string]: string | Readonly<Record<string, string>>;
}

async function sendDocument(
  plane: ControlPlane,
  kind: string,
  bytes: Uint8Array,
  file: string,
  options: Options,
): Promise<Item> {
  const path = `/${kind}/import`;
  const what = file === '-' ? 'standard input' : file;
  const encoding = textEncoding(bytes);
  if (encoding === undefined) {
    if (!isMap(bytes)) throw noDocument(what, file);
    const body = messagePackMap({ document: bytes, ...options });
    const headers = { 'content-type': MESSAGE_PACK };
    return (await plane.request('POST', path, { body, headers })).body as Item;
  }
  const text = new TextDecoder(encoding).decode(bytes);
  const body = { document: parseJson(text, what), ...options };
  return (await plane.request('POST', path, { body })).body as Item;
}

/**
 * JSON text begins with `{`, white space or a byte order mark, that of UTF-16 when an editor of Windows saved it; a MessagePack
 * map with none of these.
 */
function textEncoding(bytes: Uint8Array): string | undefined {
  const first = bytes[0] ?? 0x7b;
  if (first === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return first === 0x7b || first <= 0x20 || first === 0xef ? 'utf-8' : undefined;
}

/** fixmap, map 16, map 32 (msgpack.org specification). */
function isMap([first = 0]: Uint8Array): boolean {
  return (first >= 0x80 && first <= 0x8f) || first === 0xde || first === 0xdf;
}

function noDocument(what: string, file: string): ExtSwitchError {
  return new ExtSwitchError(
    'MALFORMED',
    `${what} is neither JSON nor a MessagePack map: expected what vm export, switch export or Export-ExtSwitchDocument.ps1 wrote`,
    { file },
  );
}

function importOptions(call: Invocation): Options {
  const switches: [string, string][] = call.list('switch').map((text) => {
    const equals = text.indexOf('=');
    if (equals > 0 && equals < text.length - 1)
      return [text.slice(0, equals), text.slice(equals + 1)];
    throw new UsageError(
      `--switch is the name in the document, =, and the switch here, found ${JSON.stringify(text)}`,
    );
  });
  const ids = call.text('ids');
  const name = call.text('name');
  return {
    ...(switches.length === 0 ? {} : { switches: Object.fromEntries(switches) }),
    ...(ids === undefined ? {} : { ids }),
    ...(name === undefined ? {} : { name }),
  };
}
