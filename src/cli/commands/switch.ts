import { type ControlPlane, connect, type Item, pathOf } from '../client.ts';
import type { CommandHandler } from '../command.ts';
import { printItems, printJson } from '../print-items.ts';
import { ServerError } from '../server-error.ts';
import { switchTree } from '../switch-tree.ts';
import { harmless } from '../terminal.ts';
import { printTree } from '../tree.ts';
import { uplinkOf } from './switch-host.ts';

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
  const sw = await plane.get(path);
  const extensions = await whole(plane.pages(`${path}/extensions`));
  const ports = await whole(plane.pages(`${path}/ports`));
  const hasUplink = ports.some((port) => port['type'] === 'external');
  const uplink = hasUplink ? await uplinkOrNone(plane, path) : undefined;
  if (call.has('json')) {
    const all = { ...sw, extensions, ports, ...(uplink === undefined ? {} : { uplink }) };
    await printJson(terminal, all);
    return 0;
  }
  const picture = { sw, extensions, ports, uplink };
  const tree = switchTree(picture, terminal.style, call.has('verbose'));
  await printTree(terminal, tree, call.has('ascii'));
  return 0;
};

async function whole(pages: AsyncIterable<readonly Item[]>): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

/** A port of type external need not be an uplink: a client may have made it by itself. */
async function uplinkOrNone(plane: ControlPlane, path: string): Promise<Item | undefined> {
  try {
    return await plane.get(`${path}/host/uplink`);
  } catch (error) {
    if (error instanceof ServerError && error.status === 404) return undefined;
    throw error;
  }
}

/** `switch create` */
export const create: CommandHandler = async (call, terminal) => {
  const body = {
    name: call.arguments[0],
    ...(call.has('type') ? { type: call.text('type') } : {}),
    ...(call.has('uplink') ? { uplink: uplinkOf(call, 'uplink') } : {}),
    ...(call.has('management-os') ? { managementOs: true } : {}),
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
    { title: 'required', value: (item: Item) => item['required'] },
    { title: 'id', value: (item: Item) => item['id'] },
    { title: 'problem', value: (item: Item) => item['problem'] },
  ];
  return printItems(call, terminal, pages, columns, 'no extensions are installed');
}
