import { type ControlPlane, connect, type Item, pathOf } from '../client.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { HOST_COLUMN, peekHosts } from '../host-column.ts';
import { writeOutput } from '../input.ts';
import { printItems, printJson } from '../print-items.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** Milliseconds between two looks at a migration that runs. */
const LOOK_MS = 100;

/** `migration start` */
export const start: CommandHandler = async (call, terminal) => {
  const host = call.text('to');
  const wanted = call.text('switch');
  const isDry = call.has('dry-run');
  if (host === undefined && wanted === undefined && !isDry) {
    throw new UsageError('--to is missing: name the host the VM goes to, or --switch for one here');
  }
  const body = {
    vm: call.arguments[0],
    destination: {
      ...(host === undefined ? {} : { host }),
      ...(wanted === undefined ? {} : { switch: wanted }),
    },
    ...(isDry ? { dryRun: true } : {}),
  };
  const plane = connect(call, terminal);
  let migration = (await plane.request('POST', '/migrations', { body })).body as Item;
  if (call.has('wait')) migration = await ended(plane, migration);
  return print(call, terminal, migration, isDry);
};

async function ended(plane: ControlPlane, started: Item): Promise<Item> {
  let migration = started;
  while (migration['state'] === 'running') {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    migration = await plane.get(`/migrations${pathOf(String(started['id']))}`);
  }
  return migration;
}

/** `migration list` */
export const list: CommandHandler = async (call, terminal) => {
  const all = connect(call, terminal).pages('/migrations', call.integer('limit'));
  const { pages, isCluster } = await peekHosts(all);
  const member =
    (of: string, name: string) =>
    (item: Item): unknown =>
      (item[of] as Item)[name];
  const columns = [
    { title: 'started', value: ({ started }: Item) => timeText(started) },
    { title: 'vm', value: member('vm', 'name') },
    ...(isCluster ? [{ ...HOST_COLUMN, title: 'from' }] : []),
    { title: 'to', value: member('destination', 'host') },
    { title: 'state', value: stateText },
    {
      title: 'step',
      value: (item: Item) => (item['steps'] as readonly Item[]).at(-1)?.['name'],
    },
    { title: 'id', value: (item: Item) => item['id'] },
  ];
  await printItems(call, terminal, pages, columns, 'there are no migrations');
  return 0;
};

function timeText(started: unknown): string {
  const date = new Date(Number(started));
  return Number.isNaN(date.getTime()) ? `${started} ms` : date.toISOString();
}

/** What only was asked about has moved nothing. */
function stateText({ state, dryRun }: Item): unknown {
  if (dryRun !== true) return state;
  return state === 'failed' ? 'would fail' : 'would succeed';
}

/** `migration show` */
export const show: CommandHandler = async (call, terminal) => {
  const migration = await connect(call, terminal).get(`/migrations${pathOf(...call.arguments)}`);
  return print(call, terminal, migration, migration['dryRun'] === true);
};

/** `migration settle` */
export const settle: CommandHandler = async (call, terminal) => {
  const body = { owner: call.text('owner'), confirm: call.text('confirm') };
  const path = `/migrations${pathOf(...call.arguments)}/settle`;
  const { body: migration } = await connect(call, terminal).request('POST', path, { body });
  await print(call, terminal, migration as Item, false);
  return 0;
};

/** `migration kept` */
export const kept: CommandHandler = async (call, terminal) => {
  const file = call.text('output');
  const document = await connect(call, terminal).get(keptPath(call));
  await writeOutput(terminal, file, `${JSON.stringify(document, null, 2)}\n`);
  if (file !== undefined && file !== '-') terminal.note(`wrote ${harmless(file)}`);
  return 0;
};

/** `migration discard` */
export const discard: CommandHandler = async (call, terminal) => {
  await connect(call, terminal).request('DELETE', keptPath(call));
  return 0;
};

/** `migration abandon` */
export const abandon: CommandHandler = async (call, terminal) => {
  const path = `/arrivals${pathOf(...call.arguments)}/abandon`;
  const { body } = await connect(call, terminal).request('POST', path);
  const arrival = body as Item;
  if (call.has('json')) await printJson(terminal, arrival);
  else {
    const vm = harmless(String((arrival['vm'] as Item)['name']));
    await terminal.line(`${vm} is ${arrival['state']} here`);
  }
  return 0;
};

const keptPath = (call: Invocation): string => `/migrations${pathOf(...call.arguments)}/kept`;

async function print(
  call: Invocation,
  terminal: Terminal,
  migration: Item,
  isDry: boolean,
): Promise<number> {
  const code = migration['state'] === 'failed' ? 1 : 0;
  if (call.has('json')) {
    await printJson(terminal, migration);
    return code;
  }
  const vm = harmless(String((migration['vm'] as Item)['name']));
  const host = (migration['destination'] as Item)['host'];
  const where = host === undefined ? 'here' : `on ${harmless(String(host))}`;
  if (isDry) await terminal.line(`${vm} ${code === 0 ? 'can' : 'cannot'} run ${where}`);
  else {
    await terminal.line(`migration of ${vm} ${where}: ${migration['state']} (${migration['id']})`);
    for (const step of migration['steps'] as readonly Item[]) await printStep(terminal, step);
    await printRuling(terminal, migration);
  }
  const report = migration['report'] as Item | undefined;
  const problems = (report?.['problems'] ?? []) as readonly Item[];
  for (const problem of problems) await printProblem(terminal, problem);
  const error = migration['error'] as Item | undefined;
  if (error !== undefined && problems.length === 0) {
    await terminal.line(`${terminal.style.error('error')} ${harmless(String(error['message']))}`);
  }
  return code;
}

/** What a person has decided, and what the other host had when it was there again. */
async function printRuling(terminal: Terminal, migration: Item): Promise<void> {
  const settled = migration['settled'] as Item | undefined;
  if (settled !== undefined) {
    const found = settled['found'] as Item | undefined;
    const where = found?.['host'] === undefined ? '' : ` to ${harmless(String(found['host']))}`;
    const copy = found === undefined ? 'not heard of since' : `${found['copy']}${where}`;
    await terminal.line(`settled for the ${settled['owner']}; copy there: ${copy}`);
  }
  if (migration['kept'] === true) {
    await terminal.line(`what it was is kept here: extswitch migration kept ${migration['id']}`);
  }
}

async function printStep(terminal: Terminal, step: Item): Promise<void> {
  const facts = ['oid', 'ndisStatus', 'message'].flatMap((name) =>
    step[name] === undefined ? [] : [harmless(String(step[name]))],
  );
  const text = `  ${String(step['name']).padEnd(9)}${step['state']}`;
  await terminal.line(facts.length === 0 ? text : `${text}  ${facts.join('  ')}`);
}

async function printProblem(terminal: Terminal, problem: Item): Promise<void> {
  const { style } = terminal;
  const isError = problem['severity'] === 'error';
  const title = isError ? style.error('error') : style.warning('warning');
  const adapter = problem['adapter'];
  const of = adapter === undefined ? '' : ` ${harmless(String(adapter))}:`;
  await terminal.line(`${title} ${problem['code']}${of} ${harmless(String(problem['message']))}`);
}
