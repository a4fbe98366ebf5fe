import { nearestName } from '../mof/nearest-name.ts';
import { type Field, field, filled, text } from './field.ts';
import type { Names } from './names.ts';
import type { Reader } from './reader.ts';
import { plainValue, type SourceNode, shown } from './source-node.ts';

/** A name that must be known: of a host, a VM, … */
function known(
  type: string,
  help: string,
  among: (names: Names) => Iterable<string>,
): Field<string, false> {
  const plain = text(help, type);
  return field(type, help, { type: ['string', 'number'] }, (node, reader, what) => {
    const name = plain.read(node, reader, what);
    if (name === undefined) return undefined;
    const candidates = [...among(reader.names)];
    if (candidates.includes(name)) return name;
    const list = candidates.length === 0 ? 'there is none' : `known: ${few(candidates)}`;
    const message = `${what}: no ${type.replace(/^name of an? /, '')} is called ${JSON.stringify(name)} (${list})`;
    reader.problems.add(node.place, message, nearestName(name, candidates));
    return undefined;
  });
}

function few(names: readonly string[]): string {
  return names.length <= 8 ? names.join(', ') : `${names.slice(0, 8).join(', ')}, …`;
}

export const hostName = (help = 'the host'): Field<string, false> =>
  known('name of a host', help, ({ hosts }) => hosts);
export const switchName = (help = 'the switch'): Field<string, false> =>
  known('name of a switch', help, ({ switches }) => switches);
export const vmName = (help = 'the VM'): Field<string, false> =>
  known('name of a VM', help, ({ vms }) => vms.keys());
export const extensionAlias = (help = 'the extension, by its alias'): Field<string, false> =>
  known('name of an extension', help, ({ extensions }) => extensions);
export const propertyAlias = (help = 'the property, by the name it was given with `as`') =>
  known('name of a property', help, ({ properties }) => properties);
export const documentAlias = (help = 'the document, by the name it was given with `as`') =>
  known('name of a document', help, ({ documents }) => documents);

export const snapshotAlias = (help = 'the snapshot, by the name it was given with `as`') =>
  known('name of a snapshot', help, ({ snapshots }) => snapshots);
export const backupAlias = (help = 'the backup, by the name it was given with `as`') =>
  known('name of a backup', help, ({ backups }) => backups);

/** Class name or id of a registered feature. */
export function featureName(help = 'class name or id of the feature'): Field<string, false> {
  const plain = text(help, 'name of a feature');
  return field('name of a feature', help, { type: 'string' }, (node, reader, what) => {
    const name = plain.read(node, reader, what);
    if (name === undefined) return undefined;
    const { features } = reader.names;
    if (features.has(name.toLowerCase().replace(/^\{|\}$/g, ''))) return name;
    const names = [...new Set([...features.values()].flat().map((each) => each.name))];
    const message = `${what}: no feature is called ${JSON.stringify(name)}`;
    reader.problems.add(node.place, message, nearestName(name, names));
    return undefined;
  });
}

/** Members of a feature class by name. Names are checked by {@link checkSettings} when the class is known. */
export function settings(
  help = 'members of the class by name',
): Field<Readonly<Record<string, unknown>>, false> {
  return field('map of members', help, { type: 'object' }, (given, reader, what) => {
    const node = filled(given, reader);
    if (node.kind !== 'map') return reader.wrong(node, what, 'a map of members');
    return plainValue(node) as Readonly<Record<string, unknown>>;
  });
}

/** Members that the class of no host has are problems, at their own place. */
export function checkSettings(node: SourceNode | undefined, feature: string, reader: Reader): void {
  if (node === undefined || node.kind !== 'map' || reader.expectsRefusal) return;
  const classes = reader.names.features.get(feature.toLowerCase().replace(/^\{|\}$/g, '')) ?? [];
  const members = new Set(classes.flatMap((each) => each.members.map(({ name }) => name)));
  if (members.size === 0) return;
  for (const [name, { key }] of node.entries) {
    if (members.has(name)) continue;
    const near = nearestName(name, [...members]);
    reader.problems.add(key, `${feature} has no member ${JSON.stringify(name)}`, near);
  }
}

/** An adapter of a VM: its name, or its place from 0. Left out: the first. */
export function adapterName(help = 'name of the adapter, or its place from 0; default the first') {
  return field<string | number>(
    'name or place of an adapter',
    help,
    { type: ['string', 'integer'] },
    (given, reader, what) => {
      const node = reader.resolve(given);
      const value = node.kind === 'scalar' ? node.value : undefined;
      if (typeof value === 'string' && value !== '') return value;
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
      reader.problems.add(
        node.place,
        `${what}: expected name or place of an adapter, found ${shown(node)}`,
      );
      return undefined;
    },
  );
}
