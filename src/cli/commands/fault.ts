import { connect, type Item, pathOf } from '../client.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { printItems, printJson } from '../print-items.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const TEXTS = [
  'at',
  'effect',
  'extension',
  'oid',
  'request-type',
  'switch',
  'call',
  'message',
  'to',
  'status',
  'act',
];
const NUMBERS = ['port-id', 'delay-ms', 'nth', 'times'];
const FLAGS = [...TEXTS, ...NUMBERS, 'probability'];

/** Member of a rule that a flag gives: `delay-ms` → `delayMs`. */
const memberOf = (flag: string): string =>
  flag.replace(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase());

/** `fault add` */
export const add: CommandHandler = async (call, terminal) => {
  const id = call.text('id');
  const body = { ...(id === undefined ? {} : { id }), ...ruleOf(call) };
  const made = (await connect(call, terminal).request('POST', '/sim/faults', { body })).body;
  await tell(call, terminal, made as Item);
  return 0;
};

/** `fault list` */
export const list: CommandHandler = async (call, terminal) => {
  const columns = [
    { title: 'id', value: ({ id }: Item) => id },
    { title: 'at', value: ({ at }: Item) => at },
    { title: 'what', value: whatText },
    { title: 'effect', value: effectText },
    { title: 'when', value: whenText },
    { title: 'matched', value: ({ matched }: Item) => matched },
    { title: 'hits', value: ({ hits }: Item) => hits },
  ];
  const pages = connect(call, terminal).pages('/sim/faults');
  await printItems(call, terminal, pages, columns, 'there are no fault rules');
  return 0;
};

/** `fault update` */
export const update: CommandHandler = async (call, terminal) => {
  const gone = call.list('unset');
  for (const flag of gone) {
    if (FLAGS.includes(flag)) continue;
    throw new UsageError(`--unset ${JSON.stringify(flag)}: expected one of ${FLAGS.join(', ')}`);
  }
  const taken = Object.fromEntries(gone.map((flag) => [memberOf(flag), null]));
  const body = { ...ruleOf(call), ...taken };
  if (Object.keys(body).length === 0) throw new UsageError('say what changes');
  const path = `/sim/faults${pathOf(...call.arguments)}`;
  await tell(
    call,
    terminal,
    (await connect(call, terminal).request('PATCH', path, { body })).body as Item,
  );
  return 0;
};

/** `fault remove` */
export const remove: CommandHandler = async (call, terminal) => {
  await connect(call, terminal).request('DELETE', `/sim/faults${pathOf(...call.arguments)}`);
  if (!call.has('json')) {
    await terminal.line(`removed fault rule ${harmless(call.arguments.join(' '))}`);
  }
  return 0;
};

/** `fault clear` */
export const clear: CommandHandler = async (call, terminal) => {
  await connect(call, terminal).request('DELETE', '/sim/faults');
  if (!call.has('json')) await terminal.line('removed all fault rules');
  return 0;
};

function ruleOf(call: Invocation): Record<string, unknown> {
  const rule: Record<string, unknown> = {};
  for (const flag of TEXTS) rule[memberOf(flag)] = call.text(flag);
  for (const flag of NUMBERS) rule[memberOf(flag)] = call.integer(flag);
  const probability = call.text('probability');
  if (probability !== undefined) {
    const value = probability.trim() === '' ? Number.NaN : Number(probability);
    if (!(value >= 0 && value <= 1)) {
      const found = JSON.stringify(probability);
      throw new UsageError(`--probability ${found}: expected a number from 0 to 1`);
    }
    rule['probability'] = value;
  }
  return Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined));
}

/** What it matches beside its place, e.g. `OID_SWITCH_PORT_CREATE set, switch s`. */
function whatText(rule: Item): string {
  const { oid, requestType, extension, call, message, to, portId, switch: sw } = rule;
  const parts = [
    [oid, requestType].filter((part) => part !== undefined).join(' '),
    call,
    message,
    to === undefined ? undefined : `to ${to}`,
    extension === undefined ? undefined : `extension ${extension}`,
    sw === undefined ? undefined : `switch ${sw}`,
    portId === undefined ? undefined : `port ${portId}`,
  ];
  return parts.filter((part) => part !== undefined && part !== '').join(', ') || 'any';
}

function effectText({ effect, act, status, delayMs }: Item): string {
  if (act !== undefined) return String(act);
  if (status !== undefined) return String(status);
  return delayMs === undefined ? String(effect) : `${effect} ${delayMs} ms`;
}

/** Which matches are hit: `from 3, 1 time, probability 0.5`. */
function whenText({ nth, times, probability }: Item): string {
  const parts = [
    nth === 1 ? undefined : `from ${nth}`,
    times === undefined ? undefined : times === 1 ? 'once' : `${times} times`,
    probability === 1 ? undefined : `probability ${probability}`,
  ];
  return parts.filter((part) => part !== undefined).join(', ') || 'always';
}

async function tell(call: Invocation, terminal: Terminal, rule: Item): Promise<void> {
  if (call.has('json')) return printJson(terminal, rule);
  const what = `${effectText(rule)} at ${rule['at']} (${whatText(rule)}; ${whenText(rule)})`;
  await terminal.line(harmless(`fault rule ${rule['id']}: ${what}`));
}
