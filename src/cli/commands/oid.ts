import { OID_LIST } from '../../abi/index.ts';
import { type ControlPlane, connect, type Item } from '../client.ts';
import { printFields } from '../columns.ts';
import type { CommandHandler } from '../command.ts';
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
  let names: ReadonlyMap<string, string> | undefined;
  for await (const items of pages) {
    if (items.length > 0) names ??= await extensionNames(plane);
    const named = (module: unknown): string => moduleName(String(module), names ?? new Map());
    for (const item of items) {
      const title = `${item['oid']} (${codeOf(String(item['oid']))})`;
      if (count > 0) await terminal.line();
      await terminal.line(terminal.style.bold(harmless(title)));
      await printFields(terminal, [
        ['  request', `${item['request']} on ${item['switch']}, ${item['requestType']}`],
        ['  from', named(item['origin'])],
        ['  held by', named(item['heldBy'])],
        ['  way so far', (item['route'] as readonly unknown[]).map(named).join(' > ')],
        ['  pending for', milliseconds(item['pendingForMs'])],
        [
          '  ended in',
          item['endsInMs'] === undefined ? 'never by the switch' : milliseconds(item['endsInMs']),
        ],
        ['  queued behind', item['queued']],
      ]);
      count += 1;
    }
  }
  if (count === 0) terminal.note('no OID requests are pending');
  return 0;
};

async function extensionNames(plane: ControlPlane): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for await (const items of plane.pages('/extensions')) {
    for (const { id, name } of items as readonly Item[]) names.set(String(id), String(name));
  }
  return names;
}

/** Modules of the stack are extensions; the edges have names of their own. */
function moduleName(module: string, names: ReadonlyMap<string, string>): string {
  const name = names.get(module);
  return name === undefined ? module : `${name} {${module}}`;
}

function codeOf(name: string): string {
  const code = OID_LIST.find((oid) => oid.name === name)?.code;
  return code === undefined ? 'code unknown' : `0x${code.toString(16).padStart(8, '0')}`;
}

function milliseconds(value: unknown): string {
  const time = Number(value);
  return time < 10_000 ? `${time} ms` : `${(time / 1_000).toFixed(3)} s`;
}
