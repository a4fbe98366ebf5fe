import { connect, type Item, pathOf } from '../client.ts';
import { printFields } from '../columns.ts';
import type { CommandHandler } from '../command.ts';
import { printItems, printJson } from '../print-items.ts';
import { harmless } from '../terminal.ts';

/** `switch list` */
export const list: CommandHandler = async (call, terminal) => {
  const pages = connect(call, terminal).pages('/switches', call.integer('limit'));
  const columns = [
    { title: 'name', value: (item: Item) => item['name'] },
    { title: 'type', value: (item: Item) => item['type'] },
    { title: 'active', value: (item: Item) => item['isActive'] },
    { title: 'ports', value: (item: Item) => item['portCount'], align: 'right' as const },
    { title: 'id', value: (item: Item) => item['id'] },
  ];
  await printItems(call, terminal, pages, columns, 'there are no switches');
  return 0;
};

/** `switch show` */
export const show: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  const path = `/switches${pathOf(...call.arguments)}`;
  const found = await plane.get(path);
  if (call.has('json')) {
    await printJson(terminal, found);
    return 0;
  }
  await printFields(terminal, [
    ['name', found['name']],
    ['id', found['id']],
    ['type', found['type']],
    ['active', found['isActive']],
    ['ports', found['portCount']],
  ]);
  await terminal.line();
  await printStack(call, terminal, plane.pages(`${path}/extensions`));
  return 0;
};

/** `switch create` */
export const create: CommandHandler = async (call, terminal) => {
  const body = {
    name: call.arguments[0],
    ...(call.has('type') ? { type: call.text('type') } : {}),
  };
  const { body: made } = await connect(call, terminal).request('POST', '/switches', { body });
  if (call.has('json')) await printJson(terminal, made);
  else {
    const { name, id, type } = made as Item;
    await terminal.line(`created switch ${harmless(String(name))} (${type}, ${id})`);
  }
  return 0;
};

/** `switch delete` */
export const remove: CommandHandler = async (call, terminal) => {
  await connect(call, terminal).request('DELETE', `/switches${pathOf(...call.arguments)}`);
  if (!call.has('json')) await terminal.line(`deleted ${harmless(call.arguments.join(' '))}`);
  return 0;
};

/** The extension stack of a switch, top to bottom. */
export function printStack(
  call: Parameters<CommandHandler>[0],
  terminal: Parameters<CommandHandler>[1],
  pages: AsyncIterable<readonly Item[]>,
): Promise<void> {
  const columns = [
    { title: 'extension', value: (item: Item) => item['name'] },
    { title: 'type', value: (item: Item) => item['type'] },
    { title: 'order', value: (item: Item) => item['order'], align: 'right' as const },
    { title: 'enabled', value: (item: Item) => item['enabled'] },
    { title: 'running', value: (item: Item) => item['running'] },
    { title: 'id', value: (item: Item) => item['id'] },
    { title: 'problem', value: (item: Item) => item['problem'] },
  ];
  return printItems(call, terminal, pages, columns, 'no extensions are installed');
}
