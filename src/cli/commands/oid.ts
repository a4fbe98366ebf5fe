import { connect, type Item } from '../client.ts';
import type { CommandHandler } from '../command.ts';
import { printItems } from '../print-items.ts';

/** `oid pending`: what `!ndiskd.oid` shows of a live machine. */
export const pending: CommandHandler = async (call, terminal) => {
  const pages = connect(call, terminal).pages('/sim/pending');
  const columns = [
    { title: 'request', value: (item: Item) => item['request'], align: 'right' as const },
    { title: 'switch', value: (item: Item) => item['switch'] },
    { title: 'OID', value: (item: Item) => item['oid'] },
    { title: 'held by', value: (item: Item) => item['heldBy'] },
    { title: 'for', value: (item: Item) => `${item['pendingForMs']} ms`, align: 'right' as const },
    { title: 'queued', value: (item: Item) => item['queued'], align: 'right' as const },
  ];
  await printItems(call, terminal, pages, columns, 'no OID requests are pending');
  return 0;
};
