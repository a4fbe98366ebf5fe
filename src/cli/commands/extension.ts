import { connect, type Item, pathOf } from '../client.ts';
import { printFields } from '../columns.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { printItems, printJson } from '../print-items.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { printStack } from './switch.ts';

/** `extension list` */
export const list: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  const name = call.text('switch');
  if (name !== undefined) {
    await printStack(call, terminal, plane.pages(`/switches${pathOf(name)}/extensions`));
    return 0;
  }
  const columns = [
    { title: 'extension', value: (item: Item) => item['name'] },
    { title: 'type', value: (item: Item) => item['type'] },
    { title: 'version', value: (item: Item) => item['version'] },
    { title: 'vendor', value: (item: Item) => item['vendor'] },
    { title: 'id', value: (item: Item) => item['id'] },
  ];
  const nothing = 'no extensions are installed';
  await printItems(call, terminal, plane.pages('/extensions'), columns, nothing);
  return 0;
};

/** `extension show` */
export const show: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  const stack = `/switches${pathOf(call.text('switch') ?? '')}/extensions`;
  await printOne(call, terminal, await plane.get(`${stack}${pathOf(call.arguments[0] ?? '')}`));
  return 0;
};

/** `extension enable` */
export const enable: CommandHandler = (call, terminal) => change(call, terminal, { enabled: true });

/** `extension disable` */
export const disable: CommandHandler = (call, terminal) =>
  change(call, terminal, { enabled: false });

/** `extension require` */
export const require: CommandHandler = (call, terminal) =>
  change(call, terminal, { required: !call.has('off') });

/** `extension move` */
export const move: CommandHandler = (call, terminal) => {
  const order = call.arguments[1] ?? '';
  if (!/^\d{1,4}$/.test(order)) {
    throw new UsageError(
      `<order> must be a whole number, found ${JSON.stringify(order)}`,
      'extension move',
    );
  }
  return change(call, terminal, { order: Number(order) });
};

async function change(call: Invocation, terminal: Terminal, body: Item): Promise<number> {
  const path = `/switches${pathOf(call.text('switch') ?? '')}/extensions${pathOf(call.arguments[0] ?? '')}`;
  const { body: changed } = await connect(call, terminal).request('PATCH', path, { body });
  await printOne(call, terminal, changed as Item);
  return 0;
}

async function printOne(call: Invocation, terminal: Terminal, extension: Item): Promise<void> {
  if (call.has('json')) return printJson(terminal, extension);
  await printFields(terminal, [
    ['name', extension['name']],
    ['id', extension['id']],
    ['vendor', extension['vendor']],
    ['version', extension['version']],
    ['type', extension['type']],
    ['enabled', extension['enabled']],
    ['running', extension['running']],
    ['required', extension['required']],
    ['order', extension['order']],
  ]);
  const problem = extension['problem'];
  if (typeof problem === 'string') {
    terminal.note(`${terminal.errorStyle.warning('problem:')} ${harmless(problem)}`);
  }
}
