import { connect, type Item, pathOf } from '../client.ts';
import { ColumnPrinter, printFields } from '../columns.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { readInput } from '../input.ts';
import { printItems, printJson } from '../print-items.ts';
import { ServerError } from '../server-error.ts';
import { targetPath } from '../target.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { TARGET_FLAGS } from '../verbs/common-flags.ts';

/** `feature list` */
export const list: CommandHandler = async (call, terminal) => {
  if (TARGET_FLAGS.some(({ name }) => call.has(name))) return listInUse(call, terminal);
  const pages = connect(call, terminal).pages('/features', call.integer('limit'));
  const columns = [
    { title: 'name', value: (item: Item) => item['name'] },
    { title: 'scope', value: (item: Item) => item['scope'] },
    { title: 'kind', value: (item: Item) => item['kind'] },
    { title: 'version', value: (item: Item) => versionText(item['version']) },
    { title: 'size', value: (item: Item) => item['size'], align: 'right' as const },
    { title: 'id', value: (item: Item) => item['id'] },
  ];
  await printItems(call, terminal, pages, columns, 'no features are registered');
  return 0;
};

/** `feature list` of one object: the classes of its properties, and which they are (Get-VMSwitchExtensionPortFeature). */
async function listInUse(call: Invocation, terminal: Terminal): Promise<number> {
  const plane = connect(call, terminal);
  const used = new Map<string, { readonly class: Item; readonly properties: unknown[] }>();
  for await (const items of plane.pages(`${await targetPath(call, plane)}/properties`)) {
    for (const { id, featureId, feature, version } of items) {
      const key = String(featureId);
      const known = used.get(key) ?? {
        class: { id: featureId, name: feature, version },
        properties: [],
      };
      used.set(key, known);
      known.properties.push(id);
    }
  }
  const rows = [...used.values()].map((each) => ({ ...each.class, properties: each.properties }));
  const columns = [
    { title: 'name', value: (item: Item) => item['name'] },
    { title: 'version', value: (item: Item) => versionText(item['version']) },
    {
      title: 'properties',
      value: (item: Item) => (item['properties'] as readonly unknown[]).length,
      align: 'right' as const,
    },
    { title: 'id', value: (item: Item) => item['id'] },
  ];
  const shown = rows.slice(0, call.integer('limit') ?? rows.length);
  await printItems(call, terminal, [shown], columns, 'there are no properties');
  return 0;
}

/** `feature show` */
export const show: CommandHandler = async (call, terminal) => {
  const feature = await connect(call, terminal).get(`/features${pathOf(...call.arguments)}`);
  if (call.has('json')) await printJson(terminal, feature);
  else await printFeature(terminal, feature);
  return 0;
};

/** `feature register`: one request a file, so that one wrong file leaves the others registered and is named. */
export const register: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  const features: Item[] = [];
  const warnings: Item[] = [];
  for (const path of call.arguments) {
    const source = path === '-' ? 'standard input' : path;
    const mof = decodeMof(await readInput(terminal, path));
    const body = {
      mof,
      source,
      ...(call.has('uint16') ? { uint16: call.text('uint16') } : {}),
    };
    try {
      const result = (await plane.request('POST', '/features', { body })).body as Item;
      features.push(...(result['features'] as Item[]));
      warnings.push(...(result['warnings'] as Item[]).map((each) => ({ ...each, file: source })));
    } catch (error) {
      if (error instanceof ServerError) error.sources = new Map([[source, mof]]);
      throw error;
    }
  }
  if (call.has('json')) {
    await printJson(terminal, { features, warnings });
    return 0;
  }
  for (const each of warnings) {
    const place = `${each['file']}:${each['line']}:${each['column']}`;
    const mark = terminal.errorStyle.warning('warning');
    terminal.note(`${harmless(place)}: ${mark}: ${harmless(String(each['message']))}`);
  }
  for (const each of features) {
    const { name, id, size } = each;
    await terminal.line(`registered ${harmless(String(name))} (${id}, ${size} bytes)`);
  }
  return 0;
};

/** `feature delete` */
export const remove: CommandHandler = async (call, terminal) => {
  await connect(call, terminal).request('DELETE', `/features${pathOf(...call.arguments)}`);
  if (!call.has('json')) await terminal.line(`deleted ${harmless(call.arguments.join(' '))}`);
  return 0;
};

async function printFeature(terminal: Terminal, feature: Item): Promise<void> {
  await printFields(terminal, [
    ['name', feature['name']],
    ['display name', feature['displayName']],
    ['id', feature['id']],
    ['extension', feature['extensionId']],
    ['scope', feature['scope']],
    ['kind', feature['kind']],
    ['version', versionText(feature['version'])],
    ['size', `${feature['size']} bytes`],
    ['defaults', feature['defaults']],
  ]);
  await terminal.line();
  const columns = [
    { title: 'offset', value: (item: Item) => item['offset'], align: 'right' as const },
    { title: 'size', value: (item: Item) => item['size'], align: 'right' as const },
    { title: 'type', value: (item: Item) => item['ctype'] },
    { title: 'member', value: (item: Item) => item['name'] },
    { title: 'WmiDataId', value: (item: Item) => item['wmiDataId'], align: 'right' as const },
  ];
  await new ColumnPrinter(terminal, columns).print(feature['members'] as Item[]);
}

/** 256 is 1.0. */
function versionText(version: unknown): string {
  const number = Number(version);
  return `${number >> 8}.${number & 0xff}`;
}

/** The body is JSON, so the text is decoded here: UTF-16 by its BOM, else UTF-8 (management.md 1.1). */
function decodeMof(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder().decode(bytes);
}
