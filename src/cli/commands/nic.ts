import { connect, type Item, pathOf } from '../client.ts';
import { type Column, ColumnPrinter } from '../columns.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { nicChange } from '../nic-change.ts';
import { printItems, printJson } from '../print-items.ts';
import { harmless } from '../terminal.ts';

export const NIC_COLUMNS: readonly Column<Item>[] = [
  { title: 'index', value: (item) => item['index'], align: 'right' },
  { title: 'name', value: (item) => item['friendlyName'] },
  { title: 'type', value: (item) => item['type'] },
  { title: 'state', value: (item) => item['state'] },
  { title: 'mac', value: (item) => item['mac'] },
  { title: 'mtu', value: (item) => item['mtu'], align: 'right' },
  { title: 'id', value: (item) => item['name'] },
];

/** `nic list`: the NICs are part of the port. */
export const list: CommandHandler = async (call, terminal) => {
  const port = await connect(call, terminal).get(portPath(call));
  await printItems(call, terminal, [port['nics'] as Item[]], NIC_COLUMNS, 'the port has no NICs');
  return 0;
};

/** `nic connect` */
export const connectNic: CommandHandler = async (call, terminal) => {
  const [name] = call.arguments;
  const body = {
    ...(name === undefined ? {} : { name }),
    ...(call.has('mac') ? { mac: call.text('mac') } : {}),
    ...(call.has('mtu') ? { mtu: call.integer('mtu') } : {}),
    ...(call.has('index') ? { index: call.integer('index') } : {}),
  };
  const plane = connect(call, terminal);
  const { body: made } = await plane.request('POST', `${portPath(call)}/nics`, { body });
  if (call.has('json')) await printJson(terminal, made);
  else {
    const { index, friendlyName: given, mac } = made as Item;
    await terminal.line(`connected NIC ${index} ${harmless(String(given))} (${mac})`);
  }
  return 0;
};

/** `nic set` */
export const set: CommandHandler = async (call, terminal) => {
  const body = nicChange(call);
  const path = `${portPath(call)}/nics${pathOf(...call.arguments)}`;
  const { body: changed } = await connect(call, terminal).request('PATCH', path, { body });
  if (call.has('json')) await printJson(terminal, changed);
  else await new ColumnPrinter(terminal, NIC_COLUMNS).print([changed as Item]);
  return 0;
};

/** `nic disconnect` */
export const disconnect: CommandHandler = async (call, terminal) => {
  const path = `${portPath(call)}/nics${pathOf(...call.arguments)}`;
  await connect(call, terminal).request('DELETE', path);
  if (!call.has('json')) await terminal.line(`disconnected NIC ${call.arguments[0]}`);
  return 0;
};

function portPath(call: Invocation): string {
  return `/switches${pathOf(call.text('switch') ?? '')}/ports${pathOf(call.text('port') ?? '')}`;
}
