import { connect, type Item, pathOf } from '../client.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { HOST_COLUMN, peekHosts } from '../host-column.ts';
import { parseOptionList } from '../option-list.ts';
import { printItems, printJson } from '../print-items.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { printTree } from '../tree.ts';
import { vmTree } from '../vm-tree.ts';

/** `vm list` */
export const list: CommandHandler = async (call, terminal) => {
  const all = connect(call, terminal).pages('/vms', call.integer('limit'));
  const { pages, isCluster } = await peekHosts(all);
  const adaptersOf = (item: Item): readonly Item[] => item['adapters'] as readonly Item[];
  const columns = [
    { title: 'name', value: (item: Item) => item['name'] },
    ...(isCluster ? [HOST_COLUMN] : []),
    { title: 'state', value: (item: Item) => item['state'] },
    {
      title: 'switches',
      value: (item: Item) =>
        adaptersOf(item).map((each) => (each['switch'] as Item | undefined)?.['name']),
    },
    { title: 'macs', value: (item: Item) => adaptersOf(item).map((each) => each['mac']) },
    { title: 'id', value: (item: Item) => item['id'] },
  ];
  await printItems(call, terminal, pages, columns, 'there are no VMs');
  return 0;
};

/** `vm show` */
export const show: CommandHandler = async (call, terminal) => {
  const found = await connect(call, terminal).get(vmPath(call));
  if (call.has('json')) await printJson(terminal, found);
  else await printTree(terminal, vmTree(found, terminal.style), call.has('ascii'));
  return 0;
};

const ADAPTER_OPTIONS = {
  name: 'text',
  switch: 'text',
  mac: 'text',
  type: 'text',
  mtu: 'integer',
  requires: 'texts',
} as const;

/** `vm create` */
export const create: CommandHandler = async (call, terminal) => {
  const adapters = [
    ...call.list('switch').map((name) => ({ switch: name })),
    ...call.list('adapter').map((text) => {
      const { requires, ...rest } = parseOptionList('adapter', text, ADAPTER_OPTIONS);
      return requires === undefined ? rest : { ...rest, requiredFeatures: requires };
    }),
  ];
  const body = { name: call.arguments[0], ...(adapters.length === 0 ? {} : { adapters }) };
  const { body: made } = await connect(call, terminal).request('POST', '/vms', { body });
  if (call.has('json')) await printJson(terminal, made);
  else {
    const { name, id } = made as Item;
    await terminal.line(`created VM ${harmless(String(name))} (${id})`);
  }
  return 0;
};

/** `vm start`, `stop`, `pause`, `resume`, `save`: one after the other, in the order given. */
const act =
  (verb: string): CommandHandler =>
  async (call, terminal) => {
    const plane = connect(call, terminal);
    for (const name of call.arguments) {
      const { body } = await plane.request('POST', `/vms${pathOf(name)}/${verb}`);
      if (call.has('json')) await terminal.line(JSON.stringify(body));
      else await printState(terminal, body as Item);
    }
    return 0;
  };
export const start = act('start');
export const stop = act('stop');
export const pause = act('pause');
export const resume = act('resume');
export const save = act('save');

/** `vm restore`: exit code 0 also when records had no owner, as they are kept; they are named. */
export const restore: CommandHandler = async (call, terminal) => {
  const { body } = await connect(call, terminal).request('POST', `${vmPath(call)}/restore`);
  if (call.has('json')) {
    await printJson(terminal, body);
    return 0;
  }
  await printState(terminal, body as Item);
  const { restored, unowned } = (body as Item)['restore'] as Item;
  await terminal.line(`${restored} record${restored === 1 ? '' : 's'} restored`);
  for (const record of unowned as readonly Item[]) {
    const of = `${record['extensionFriendlyName']} (${record['extensionId']})`;
    terminal.note(
      `${terminal.errorStyle.warning('no owner:')} ${record['bytes']} bytes of ${harmless(of)}, kept with the VM`,
    );
  }
  return 0;
};

/** `vm delete` */
export const remove: CommandHandler = async (call, terminal) => {
  await connect(call, terminal).request('DELETE', vmPath(call));
  if (!call.has('json')) await terminal.line(`deleted ${harmless(call.arguments.join(' '))}`);
  return 0;
};

function vmPath(call: Invocation): string {
  return `/vms${pathOf(...call.arguments)}`;
}

async function printState(terminal: Terminal, vm: Item): Promise<void> {
  await terminal.line(`${harmless(String(vm['name']))} is ${vm['state']}`);
}
