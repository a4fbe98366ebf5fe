import { OID_LIST } from '../../abi/index.ts';
import { connect } from '../client.ts';
import { printFields } from '../columns.ts';
import type { CommandHandler } from '../command.ts';
import { ModuleNames } from '../module-names.ts';
import { printItems } from '../print-items.ts';
import { harmless } from '../terminal.ts';

/** `oid pending`: what `!ndiskd.oid` shows of a live machine, a block for each request. */
export const pending: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  const pages = plane.pages('/sim/pending');
  if (call.has('json')) {
    await printItems(call, terminal, pages, [], '');
    return 0;
  }
  let count = 0;
  const names = new ModuleNames(plane);
  for await (const items of pages) {
    for (const item of items) {
      const route = item['route'] as readonly unknown[];
      const nameOf = await names.of([item['origin'], item['heldBy'], ...route]);
      const named = (module: unknown): string => {
        const name = nameOf(module);
        return name === undefined ? String(module) : `${name} {${module}}`;
      };
      const title = `${item['oid']} (${codeOf(String(item['oid']))})`;
      if (count > 0) await terminal.line();
      await terminal.line(terminal.style.bold(harmless(title)));
      await printFields(terminal, [
        ['  request', `${item['request']} on ${item['switch']}, ${item['requestType']}`],
        ['  from', named(item['origin'])],
        ['  held by', named(item['heldBy'])],
        ['  way so far', route.map(named).join(' > ')],
        ['  pending for', milliseconds(item['pendingForMs'])],
        [
          '  times out in',
          item['endsInMs'] === undefined ? 'never' : milliseconds(item['endsInMs']),
        ],
        ['  queued behind', item['queued']],
      ]);
      count += 1;
    }
  }
  if (count === 0) terminal.note('no OID requests are pending');
  return 0;
};

function codeOf(name: string): string {
  const code = OID_LIST.find((oid) => oid.name === name)?.code;
  return code === undefined ? 'code unknown' : `0x${code.toString(16).padStart(8, '0')}`;
}

function milliseconds(value: unknown): string {
  const time = Number(value);
  return time < 10_000 ? `${time} ms` : `${(time / 1_000).toFixed(3)} s`;
}
