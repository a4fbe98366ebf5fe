import { connect, type Item, pathOf } from '../client.ts';
import { ColumnPrinter, printFields } from '../columns.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { parseOptionList } from '../option-list.ts';
import { printJson } from '../print-items.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const ADAPTER_OPTIONS = {
  name: 'text',
  mac: 'text',
  virtualFunctions: 'integer',
  queues: 'integer',
} as const;

/** The uplink that `--adapter` (or `--uplink`) and `--team` describe; several adapters are a team. */
export function uplinkOf(call: Invocation, flag: string): Item {
  const adapters = call.list(flag).map((text) => parseOptionList(flag, text, ADAPTER_OPTIONS));
  return { adapters, ...(call.has('team') ? { team: call.text('team') } : {}) };
}

/** `switch uplink show` */
export const show: CommandHandler = async (call, terminal) => {
  await printUplink(call, terminal, await connect(call, terminal).get(uplinkPath(call)));
  return 0;
};

/** `switch uplink connect` */
export const connectUplink: CommandHandler = async (call, terminal) => {
  const body = uplinkOf(call, 'adapter');
  const plane = connect(call, terminal);
  const { body: made } = await plane.request('PUT', uplinkPath(call), { body });
  await printUplink(call, terminal, made as Item);
  return 0;
};

/** `switch uplink disconnect` */
export const disconnect: CommandHandler = async (call, terminal) => {
  await connect(call, terminal).request('DELETE', uplinkPath(call));
  const name = harmless(call.arguments[0] ?? '');
  if (!call.has('json')) await terminal.line(`disconnected the uplink of ${name}`);
  return 0;
};

/** `switch uplink link` */
export const link: CommandHandler = async (call, terminal) => {
  const [, index = '', state] = call.arguments;
  if (state !== 'up' && state !== 'down') {
    throw new UsageError(
      `<state> must be up or down, found ${JSON.stringify(state)}`,
      'switch uplink link',
    );
  }
  const path = `${uplinkPath(call)}/adapters${pathOf(index)}`;
  const body = { linkUp: state === 'up' };
  const { body: changed } = await connect(call, terminal).request('PATCH', path, { body });
  if (call.has('json')) await printJson(terminal, changed);
  else await printAdapters(terminal, [changed as Item]);
  return 0;
};

/** `switch internal add` */
export const addInternal: CommandHandler = async (call, terminal) => {
  const [sw = '', name] = call.arguments;
  const body = {
    ...(name === undefined ? {} : { name }),
    ...(call.has('mac') ? { mac: call.text('mac') } : {}),
  };
  const path = `/switches${pathOf(sw)}/host/internal`;
  const { body: made } = await connect(call, terminal).request('POST', path, { body });
  if (call.has('json')) await printJson(terminal, made);
  else {
    const { portId, name: given } = made as Item;
    await terminal.line(`management OS is on port ${portId} ${harmless(String(given))}`);
  }
  return 0;
};

function uplinkPath(call: Invocation): string {
  return `/switches${pathOf(call.arguments[0] ?? '')}/host/uplink`;
}

async function printUplink(call: Invocation, terminal: Terminal, uplink: Item): Promise<void> {
  if (call.has('json')) return printJson(terminal, uplink);
  const port = uplink['port'] as Item;
  await printFields(terminal, [
    ['team', uplink['team']],
    ['operational', uplink['operational']],
    ['port', port['portId']],
    ['name', port['name']],
    ['id', port['id']],
  ]);
  await terminal.line();
  await printAdapters(terminal, uplink['adapters'] as readonly Item[]);
}

function printAdapters(terminal: Terminal, adapters: readonly Item[]): Promise<void> {
  const used = (total: string, taken: string) => (item: Item) => `${item[taken]} of ${item[total]}`;
  return new ColumnPrinter<Item>(terminal, [
    { title: 'index', value: (item) => item['index'], align: 'right' },
    { title: 'name', value: (item) => item['name'] },
    { title: 'mac', value: (item) => item['mac'] },
    { title: 'link', value: (item) => (item['linkUp'] === true ? 'up' : 'down') },
    { title: 'VFs', value: used('virtualFunctions', 'virtualFunctionsUsed') },
    { title: 'queues', value: used('queues', 'queuesUsed') },
  ]).print(adapters);
}
