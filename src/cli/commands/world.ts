import { connect, type Item, pathOf } from '../client.ts';
import type { CommandHandler } from '../command.ts';
import { parseOptionList } from '../option-list.ts';
import { printItems, printJson } from '../print-items.ts';
import { harmless } from '../terminal.ts';

/** `world list` */
export const list: CommandHandler = async (call, terminal) => {
  const pages = connect(call, terminal, 'default').pages('/worlds');
  const columns = [
    { title: 'world', value: (item: Item) => item['name'] },
    { title: 'profile', value: (item: Item) => item['profile'] },
    { title: 'verifier', value: (item: Item) => item['verifier'] },
    { title: 'isolated', value: isolatedText },
    { title: 'store', value: (item: Item) => item['store'] },
    { title: 'seed', value: (item: Item) => item['seed'] },
  ];
  await printItems(call, terminal, pages, columns, 'there are no worlds');
  return 0;
};

/** `all, 1000 ms, 128 MiB, restart`: whom, what a handler and its heap may take, what follows a crash. */
function isolatedText({ isolate }: Item): string {
  if (isolate === undefined) return '-';
  const { extensions, watchdogMs, memoryMb, onCrash } = isolate as Item;
  const whom = Array.isArray(extensions) ? extensions.join(' ') : extensions;
  return `${whom}, ${watchdogMs} ms, ${memoryMb} MiB, ${onCrash}`;
}

/** Options of interfaces.md 3; the server says what each may be. */
const BEHAVIOUR = {
  validationPorts: 'text',
  activation: 'text',
  transientRetries: 'integer',
  saveOnStop: 'boolean',
  completeFailedRestore: 'boolean',
  internalNics: 'integer',
  suspendOids: 'boolean',
} as const;

/** Limits are the server's defaults. */
const isolateOf = (names: readonly string[]): object => ({
  extensions: names.includes('all') ? 'all' : names,
});

/** `world create` */
export const create: CommandHandler = async (call, terminal) => {
  const [name] = call.arguments;
  const body = {
    ...(name === undefined ? {} : { name }),
    ...(call.has('seed') ? { seed: call.text('seed') } : {}),
    ...(call.has('profile') ? { profile: call.text('profile') } : {}),
    ...(call.has('verifier') ? { verifier: call.text('verifier') } : {}),
    ...(call.has('isolate') ? { isolate: isolateOf(call.list('isolate')) } : {}),
    ...(call.has('scheduling') ? { scheduling: call.text('scheduling') } : {}),
    ...(call.has('behaviour')
      ? { behaviour: parseOptionList('behaviour', call.text('behaviour') ?? '', BEHAVIOUR) }
      : {}),
  };
  const plane = connect(call, terminal, 'default');
  const { body: made } = await plane.request('POST', '/worlds', { body });
  if (call.has('json')) await printJson(terminal, made);
  else await terminal.line(`created world ${harmless(String((made as Item)['name']))}`);
  return 0;
};

/** `world reset` */
export const reset: CommandHandler = async (call, terminal) => {
  await connect(call, terminal, call.arguments[0]).request('POST', '/sim/reset');
  const name = call.arguments[0] ?? call.text('world') ?? 'default';
  if (!call.has('json')) await terminal.line(`reset world ${harmless(name)}`);
  return 0;
};

/** `world delete` */
export const remove: CommandHandler = async (call, terminal) => {
  const path = `/worlds${pathOf(...call.arguments)}`;
  await connect(call, terminal, 'default').request('DELETE', path);
  if (!call.has('json')) await terminal.line(`deleted world ${harmless(call.arguments.join(' '))}`);
  return 0;
};
