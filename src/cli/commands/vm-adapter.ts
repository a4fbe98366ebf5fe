import { connect, type Item, pathOf } from '../client.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { adapterChange } from '../nic-change.ts';
import { printItems, printJson } from '../print-items.ts';
import { adapterPath } from '../target.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { printTree } from '../tree.ts';
import { adapterNode } from '../vm-tree.ts';

/** `vm adapter list` */
export const list: CommandHandler = async (call, terminal) => {
  const pages = connect(call, terminal).pages(`${vmPath(call)}/adapters`);
  const columns = [
    { title: 'name', value: (item: Item) => item['name'] },
    { title: 'type', value: (item: Item) => item['type'] },
    { title: 'switch', value: (item: Item) => (item['switch'] as Item | undefined)?.['name'] },
    {
      title: 'port',
      value: (item: Item) => (item['names'] as Item)['portId'],
      align: 'right' as const,
    },
    { title: 'connected', value: (item: Item) => item['connected'] },
    { title: 'mac', value: (item: Item) => item['mac'] },
    { title: 'mtu', value: (item: Item) => item['mtu'], align: 'right' as const },
    { title: 'id', value: (item: Item) => item['id'] },
  ];
  await printItems(call, terminal, pages, columns, 'the VM has no network adapters');
  return 0;
};

/** `vm adapter show` */
export const show: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  await printAdapter(call, terminal, await plane.get(await adapterPath(call, plane)));
  return 0;
};

/** `vm adapter add` */
export const add: CommandHandler = async (call, terminal) => {
  const [name] = call.arguments;
  const body = {
    ...(name === undefined ? {} : { name }),
    ...(call.has('switch') ? { switch: call.text('switch') } : {}),
    ...(call.has('mac') ? { mac: call.text('mac') } : {}),
    ...(call.has('type') ? { type: call.text('type') } : {}),
    ...(call.has('mtu') ? { mtu: call.integer('mtu') } : {}),
    ...(call.has('require') ? { requiredFeatures: call.list('require') } : {}),
  };
  const plane = connect(call, terminal);
  const { body: made } = await plane.request('POST', `${vmPath(call)}/adapters`, { body });
  await printAdapter(call, terminal, made as Item);
  return 0;
};

/** `vm adapter set` */
export const set: CommandHandler = (call, terminal) => patch(call, terminal, adapterChange(call));

/** `vm adapter connect` */
export const connectAdapter: CommandHandler = (call, terminal) =>
  patch(call, terminal, { switch: call.text('switch') });

/** `vm adapter disconnect` */
export const disconnect: CommandHandler = (call, terminal) =>
  patch(call, terminal, { switch: null });

/** `vm adapter assign-vf` */
export const assignVf: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  const { body } = await plane.request('POST', `${await adapterPath(call, plane)}/vf`);
  await printAdapter(call, terminal, body as Item);
  return 0;
};

/** `vm adapter remove-vf` */
export const removeVf: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  await plane.request('DELETE', `${await adapterPath(call, plane)}/vf`);
  if (!call.has('json')) await terminal.line('removed the virtual function');
  return 0;
};

/** `vm adapter remove` */
export const remove: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  await plane.request('DELETE', await adapterPath(call, plane));
  const what = call.text('adapter') ?? `the adapter of ${call.text('vm')}`;
  if (!call.has('json')) await terminal.line(`removed ${harmless(what)}`);
  return 0;
};

async function patch(call: Invocation, terminal: Terminal, body: Item): Promise<number> {
  const plane = connect(call, terminal);
  const path = await adapterPath(call, plane);
  const { body: changed } = await plane.request('PATCH', path, { body });
  await printAdapter(call, terminal, changed as Item);
  return 0;
}

function vmPath(call: Invocation): string {
  return `/vms${pathOf(call.text('vm') ?? '')}`;
}

async function printAdapter(call: Invocation, terminal: Terminal, adapter: Item): Promise<void> {
  if (call.has('json')) return printJson(terminal, adapter);
  await printTree(terminal, adapterNode(adapter, terminal.style), false);
}
