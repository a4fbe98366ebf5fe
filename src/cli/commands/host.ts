import { connect, type Item, pathOf } from '../client.ts';
import { printFields } from '../columns.ts';
import type { CommandHandler } from '../command.ts';
import { printItems, printJson } from '../print-items.ts';
import { harmless } from '../terminal.ts';

/** `host list` */
export const list: CommandHandler = async (call, terminal) => {
  const pages = connect(call, terminal, 'default').pages('/hosts');
  const columns = [
    { title: 'host', value: (item: Item) => item['host'] },
    { title: 'state', value: (item: Item) => item['state'] },
    { title: 'vms', value: (item: Item) => item['vms'], align: 'right' as const },
    { title: 'url', value: (item: Item) => item['url'] },
    { title: 'epoch', value: (item: Item) => item['epoch'], align: 'right' as const },
    { title: 'profile', value: (item: Item) => item['profile'] },
    { title: 'version', value: (item: Item) => item['version'] },
    { title: 'since', value: (item: Item) => item['since'] },
  ];
  await printItems(call, terminal, pages, columns, 'there are no hosts');
  return 0;
};

/** `host remove` */
export const remove: CommandHandler = async (call, terminal) => {
  const query = call.has('with-vms') ? '?vms=delete' : '';
  const path = `/hosts${pathOf(...call.arguments)}${query}`;
  const { body: removed } = await connect(call, terminal, 'default').request('DELETE', path);
  if (call.has('json')) {
    await printJson(terminal, removed);
    return 0;
  }
  const vms = (removed as unknown as { readonly vms: readonly { readonly name: string }[] }).vms;
  const names = vms.map(({ name }) => harmless(name)).join(', ');
  const also = vms.length === 0 ? '' : `, and with it VM ${names}`;
  await terminal.line(`removed host ${harmless(call.arguments.join(' '))}${also}`);
  return 0;
};

/** `host show` */
export const show: CommandHandler = async (call, terminal) => {
  const host = await connect(call, terminal, 'default').get(`/hosts${pathOf(...call.arguments)}`);
  if (call.has('json')) await printJson(terminal, host);
  else {
    await printFields(terminal, [
      ['host', host['host']],
      ['state', host['state']],
      ['answers here', host['isSelf']],
      ['url', host['url']],
      ['vms', host['vms']],
      ['epoch', host['epoch']],
      ['profile', host['profile']],
      ['version', host['version']],
      ['since', host['since']],
    ]);
  }
  return 0;
};
