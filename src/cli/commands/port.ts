import { connect, type Item, pathOf } from '../client.ts';
import { printFields } from '../columns.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { printItems, printJson } from '../print-items.ts';
import { harmless } from '../terminal.ts';
import { NIC_COLUMNS } from './nic.ts';

/** `port list` */
export const list: CommandHandler = async (call, terminal) => {
  const pages = connect(call, terminal).pages(portsPath(call), call.integer('limit'));
  const columns = [
    { title: 'port', value: (item: Item) => item['portId'], align: 'right' as const },
    { title: 'name', value: (item: Item) => item['name'] },
    { title: 'type', value: (item: Item) => item['type'] },
    { title: 'state', value: (item: Item) => item['state'] },
    { title: 'VM', value: (item: Item) => (item['names'] as Item | undefined)?.['vmName'] },
    { title: 'NICs', value: (item: Item) => (item['nics'] as Item[]).map((nic) => nic['mac']) },
    { title: 'id', value: (item: Item) => item['id'] },
  ];
  await printItems(call, terminal, pages, columns, 'the switch has no ports');
  return 0;
};

/** `port show` */
export const show: CommandHandler = async (call, terminal) => {
  const port = await connect(call, terminal).get(`${portsPath(call)}${pathOf(...call.arguments)}`);
  if (call.has('json')) {
    await printJson(terminal, port);
    return 0;
  }
  const names = port['names'] as Item;
  await printFields(terminal, [
    ['name', port['name']],
    ['port', port['portId']],
    ['id', port['id']],
    ['type', port['type']],
    ['state', port['state']],
    ['validation port', port['isValidationPort']],
    ['VM', names['vmName']],
    ['VM id', names['vmId']],
    ['adapter id', names['adapterId']],
    ['NIC', names['nicFriendlyName']],
    ['NIC name', names['nicName']],
    ['instance', names['instanceId']],
  ]);
  await terminal.line();
  await printItems(call, terminal, [port['nics'] as Item[]], NIC_COLUMNS, 'the port has no NICs');
  return 0;
};

/** `port create` */
export const create: CommandHandler = async (call, terminal) => {
  const [name] = call.arguments;
  const body = {
    ...(name === undefined ? {} : { name }),
    ...(call.has('type') ? { type: call.text('type') } : {}),
  };
  const { body: made } = await connect(call, terminal).request('POST', portsPath(call), { body });
  if (call.has('json')) await printJson(terminal, made);
  else {
    const { portId, id, name: given } = made as Item;
    await terminal.line(`created port ${portId} ${harmless(String(given))} (${id})`);
  }
  return 0;
};

/** `port rename` */
export const rename: CommandHandler = async (call, terminal) => {
  const [port = '', name] = call.arguments;
  const path = `${portsPath(call)}${pathOf(port)}`;
  const { body } = await connect(call, terminal).request('PATCH', path, { body: { name } });
  if (call.has('json')) await printJson(terminal, body);
  else {
    const { portId, name: given } = body as Item;
    await terminal.line(`port ${portId} is called ${harmless(String(given))}`);
  }
  return 0;
};

/** `port delete` */
export const remove: CommandHandler = async (call, terminal) => {
  const path = `${portsPath(call)}${pathOf(...call.arguments)}`;
  await connect(call, terminal).request('DELETE', path);
  if (!call.has('json')) await terminal.line(`deleted ${harmless(call.arguments.join(' '))}`);
  return 0;
};

function portsPath(call: Invocation): string {
  return `/switches${pathOf(call.text('switch') ?? '')}/ports`;
}
