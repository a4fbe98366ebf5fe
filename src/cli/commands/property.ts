import { type ControlPlane, connect, type Item, pathOf } from '../client.ts';
import { printFields } from '../columns.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { printItems, printJson } from '../print-items.ts';
import { assignments, wholeSettings } from '../settings-input.ts';
import { targetPath } from '../target.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** `property list` */
export const list: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  const path = `${await targetPath(call, plane)}/properties`;
  const pages = plane.pages(path, call.integer('limit'));
  const columns = [
    { title: 'property', value: (item: Item) => item['id'] },
    { title: 'feature', value: (item: Item) => item['feature'] },
    { title: 'revision', value: (item: Item) => item['revision'], align: 'right' as const },
    { title: 'delivered', value: (item: Item) => item['delivered'] },
    { title: 'settings', value: (item: Item) => item['settings'] },
  ];
  await printItems(call, terminal, pages, columns, 'there are no properties');
  return 0;
};

/** `property show` */
export const show: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  await printProperty(call, terminal, await plane.get(await onePath(call, plane)));
  return 0;
};

/** `property add` */
export const add: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  const feature = call.text('feature') ?? '';
  const settings = (await givenSettings(call, terminal, plane, feature)) ?? {};
  const body = { feature, settings, ...(call.has('id') ? { id: call.text('id') } : {}) };
  const path = `${await targetPath(call, plane)}/properties`;
  const { body: made } = await plane.request('POST', path, { body });
  await printProperty(call, terminal, made as Item);
  return 0;
};

/**
 * `property update`. `--set` is read, change, write as the cmdlets do it (management.md 4), with the ETag that was read, so
 * that nobody's change in between is lost.
 */
export const update: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  const path = await onePath(call, plane);
  const given = call.integer('if-revision');
  let revision = given === undefined ? undefined : String(given);
  let settings: unknown;
  if (call.has('set')) {
    const current = await plane.request('GET', path);
    const { feature, settings: before } = current.body as Item;
    const changed = await givenSettings(call, terminal, plane, String(feature));
    settings = { ...(before as Item), ...changed };
    revision ??= current.etag;
  } else settings = await givenSettings(call, terminal, plane, '');
  if (settings === undefined) {
    throw new UsageError('property update needs --set, --settings or --file', 'property update');
  }
  const headers = revision === undefined ? {} : { 'if-match': `"${revision}"` };
  const { body: changed } = await plane.request('PUT', path, { body: { settings }, headers });
  await printProperty(call, terminal, changed as Item);
  return 0;
};

/** `property delete` */
export const remove: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  await plane.request('DELETE', await onePath(call, plane));
  if (!call.has('json')) await terminal.line(`deleted ${harmless(call.arguments.join(' '))}`);
  return 0;
};

async function onePath(call: Invocation, plane: ControlPlane): Promise<string> {
  return `${await targetPath(call, plane)}/properties${pathOf(...call.arguments)}`;
}

async function givenSettings(
  call: Invocation,
  terminal: Terminal,
  plane: ControlPlane,
  feature: string,
): Promise<Item | undefined> {
  const whole = await wholeSettings(call, terminal);
  if (whole !== undefined || !call.has('set')) return whole;
  return assignments(call.list('set'), await plane.get(`/features${pathOf(feature)}`));
}

async function printProperty(call: Invocation, terminal: Terminal, property: Item): Promise<void> {
  if (call.has('json')) return printJson(terminal, property);
  const settings = Object.entries(property['settings'] as Item);
  await printFields(terminal, [
    ['property', property['id']],
    ['feature', property['feature']],
    ['revision', property['revision']],
    [
      'delivered',
      property['opaque'] === true ? 'no: its class is not registered' : property['delivered'],
    ],
    ['instance', property['instanceId']],
    ...settings.map(([name, value]) => [`  ${harmless(name)}`, value] as const),
  ]);
}
