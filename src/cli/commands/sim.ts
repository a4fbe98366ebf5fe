import { connect, type Item, pathOf } from '../client.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { printItems, printJson } from '../print-items.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** `sim time` */
export const time: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  const body = timeBody(call);
  const shown =
    body === undefined
      ? await plane.get('/sim/time')
      : ((await plane.request('POST', '/sim/time', { body })).body as Item);
  if (call.has('json')) {
    await printJson(terminal, shown);
    return 0;
  }
  const next = shown['nextTimerMs'];
  const wait =
    typeof next === 'number' ? `, next timer in ${next - Number(shown['nowMs'])} ms` : '';
  const date = new Date(Number(shown['nowMs'])).toISOString();
  await terminal.line(harmless(`${shown['mode']}  ${date}  (${shown['nowMs']} ms)${wait}`));
  return 0;
};

function timeBody(call: Invocation): object | undefined {
  const [verb] = call.arguments;
  const by = call.integer('by');
  if (by !== undefined && verb !== 'warp') throw new UsageError('--by belongs to warp', 'sim time');
  switch (verb) {
    case undefined:
      return undefined;
    case 'stop':
    case 'resume':
      return { [verb]: true };
    case 'warp':
      if (by === undefined) throw new UsageError('say how far with --by MS', 'sim time');
      return { warpMs: by };
    default:
      throw new UsageError(`${JSON.stringify(verb)} is not stop, warp or resume`, 'sim time');
  }
}

/** `sim snapshot create` */
export const create: CommandHandler = async (call, terminal) => {
  const [name] = call.arguments;
  const body = name === undefined ? {} : { name };
  const { body: made } = await connect(call, terminal).request('POST', '/sim/snapshots', { body });
  await tell(call, terminal, made as Item, `snapshot ${(made as Item)['name']}`);
  return 0;
};

/** `sim snapshot list` */
export const list: CommandHandler = async (call, terminal) => {
  const columns = ['name', 'time', 'switches', 'ports', 'properties', 'vms'].map((title) => ({
    title,
    value: (item: Item) => item[title],
  }));
  const pages = connect(call, terminal).pages('/sim/snapshots');
  await printItems(call, terminal, pages, columns, 'there are no snapshots');
  return 0;
};

/** `sim snapshot restore` */
export const restore: CommandHandler = async (call, terminal) => {
  const path = `/sim/snapshots${pathOf(...call.arguments)}/restore`;
  const { body } = await connect(call, terminal).request('POST', path);
  await tell(call, terminal, body as Item, `restored snapshot ${call.arguments[0]}`);
  return 0;
};

/** `sim snapshot fork` */
export const fork: CommandHandler = async (call, terminal) => {
  const [snapshot = '', name] = call.arguments;
  const { body } = await connect(call, terminal).request(
    'POST',
    `/sim/snapshots${pathOf(snapshot)}/fork`,
    { body: name === undefined ? {} : { name } },
  );
  await tell(call, terminal, body as Item, `created world ${(body as Item)['name']}`);
  return 0;
};

/** `sim snapshot delete` */
export const remove: CommandHandler = async (call, terminal) => {
  const path = `/sim/snapshots${pathOf(...call.arguments)}`;
  await connect(call, terminal).request('DELETE', path);
  if (!call.has('json')) {
    await terminal.line(`deleted snapshot ${harmless(call.arguments.join(' '))}`);
  }
  return 0;
};

async function tell(call: Invocation, terminal: Terminal, item: Item, text: string): Promise<void> {
  if (call.has('json')) await printJson(terminal, item);
  else await terminal.line(harmless(text));
}
