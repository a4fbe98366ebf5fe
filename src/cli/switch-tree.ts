import type { Item } from './client.ts';
import type { Style } from './style.ts';
import type { Cell, TreeNode } from './tree.ts';

/** Everything of one switch, as the server shows it. */
export interface SwitchPicture {
  readonly sw: Item;
  readonly extensions: readonly Item[];
  readonly ports: readonly Item[];
  readonly uplink: Item | undefined;
}

/** A switch as a tree: its stack from top to bottom, then its ports with their NICs. `verbose`: with every name. */
export function switchTree(picture: SwitchPicture, style: Style, verbose: boolean): TreeNode {
  const { sw, extensions, ports, uplink } = picture;
  const state: Cell =
    sw['isActive'] === true
      ? { text: 'active', paint: style.good }
      : { text: 'not active', paint: style.warning };
  return {
    kind: 'switch',
    cells: [
      { text: String(sw['name']), paint: style.bold },
      String(sw['type']),
      state,
      { text: String(sw['id']), paint: style.dim },
    ],
    children: [
      {
        kind: 'group',
        cells: [extensions.length === 0 ? 'no extensions' : 'extensions, top to bottom'],
        children: extensions.map((each) => extensionNode(each, style)),
      },
      {
        kind: 'group',
        cells: [ports.length === 0 ? 'no ports' : 'ports'],
        children: ports.map((each) => portNode(each, uplink, style, verbose)),
      },
    ],
  };
}

function extensionNode(extension: Item, style: Style): TreeNode {
  const { problem } = extension;
  const flags = [
    ...(extension['required'] === true ? ['required'] : []),
    ...(extension['desynchronized'] === true ? ['desynchronized'] : []),
  ];
  return {
    kind: 'extension',
    cells: [
      String(extension['type']),
      { text: String(extension['name']), paint: style.bold },
      runState(extension, style),
      flags.join(', '),
      { text: String(extension['id']), paint: style.dim },
    ],
    children:
      typeof problem === 'string'
        ? [{ kind: 'note', cells: [{ text: problem, paint: style.warning }] }]
        : [],
  };
}

function runState(extension: Item, style: Style): Cell {
  if (extension['enabled'] !== true) return { text: 'disabled', paint: style.dim };
  return extension['running'] === true
    ? { text: 'enabled, running', paint: style.good }
    : { text: 'enabled, not running', paint: style.warning };
}

function portNode(port: Item, uplink: Item | undefined, style: Style, verbose: boolean): TreeNode {
  const names = (port['names'] ?? {}) as Item;
  const isUplink = uplink !== undefined && (uplink['port'] as Item)['id'] === port['id'];
  const adapters = isUplink ? (uplink['adapters'] as readonly Item[]) : [];
  return {
    kind: 'port',
    cells: [
      `port ${port['portId']}`,
      { text: String(port['name']), paint: style.bold },
      String(port['type']),
      stateCell(port['state'], 'created', style),
      ownerOf(port, names, isUplink ? uplink : undefined),
      { text: String(names['portName'] ?? port['id']), paint: style.dim },
    ],
    children: [
      ...(port['problem'] === undefined
        ? []
        : [{ kind: 'note', cells: [{ text: String(port['problem']), paint: style.warning }] }]),
      ...(verbose ? nameNodes(names, style, IN_ROWS) : []),
      ...(port['nics'] as readonly Item[]).map((nic) =>
        nicNode(
          nic,
          adapters.find(({ index }) => index === nic['index']),
          style,
          verbose,
        ),
      ),
    ],
  };
}

/** Who is at the other end of a port. */
function ownerOf(port: Item, names: Item, uplink: Item | undefined): string {
  if (uplink !== undefined) {
    const team = uplink['team'] === 'none' ? '' : `, ${uplink['team']} team`;
    return `uplink${team}${uplink['operational'] === false ? ', not operational' : ''}`;
  }
  const validation = port['isValidationPort'] === true ? ' (validation)' : '';
  if (names['vmName'] !== undefined) return `VM ${names['vmName']}${validation}`;
  return port['type'] === 'internal' ? 'management OS' : validation.trim();
}

function nicNode(nic: Item, adapter: Item | undefined, style: Style, verbose: boolean): TreeNode {
  const { mac, currentMac } = nic;
  const guest = currentMac === undefined || currentMac === mac ? '' : `uses ${currentMac}`;
  return {
    kind: 'nic',
    cells: [
      `NIC ${nic['index']}`,
      { text: String(nic['friendlyName']), paint: style.bold },
      stateCell(nic['state'], 'connected', style),
      String(mac),
      guest,
      nic['vfAssigned'] === true ? 'VF' : '',
      ...(adapter === undefined ? [] : linkCells(adapter, style)),
    ],
    children: verbose
      ? [
          {
            kind: 'name',
            cells: ['NIC name', { text: String(nic['name']), paint: style.dim }],
          },
        ]
      : [],
  };
}

function linkCells(adapter: Item, style: Style): readonly (Cell | string)[] {
  const used = (what: string, total: unknown, taken: unknown): string =>
    Number(total) > 0 ? `${taken} of ${total} ${what}` : '';
  return [
    adapter['linkUp'] === true
      ? { text: 'link up', paint: style.good }
      : { text: 'link down', paint: style.error },
    used('VFs', adapter['virtualFunctions'], adapter['virtualFunctionsUsed']),
    used('queues', adapter['queues'], adapter['queuesUsed']),
  ];
}

function stateCell(state: unknown, good: string, style: Style): Cell {
  return { text: String(state), paint: state === good ? style.good : style.warning };
}

const NAME_TITLES: readonly (readonly [member: string, title: string])[] = [
  ['vmId', 'VM id'],
  ['adapterId', 'adapter id'],
  ['nicName', 'NIC name'],
  ['portName', 'port name'],
  ['instanceId', 'InstanceID'],
];

/** Names that stand in the rows of port and NIC already. */
const IN_ROWS: readonly string[] = ['portName', 'nicName'];

/** The names that are for machines, a row each, but those in `without`. */
export function nameNodes(
  names: Item,
  style: Style,
  without: readonly string[],
): readonly TreeNode[] {
  return NAME_TITLES.filter(
    ([member]) => names[member] !== undefined && !without.includes(member),
  ).map(([member, title]) => ({
    kind: 'name',
    cells: [title, { text: String(names[member]), paint: style.dim }],
  }));
}
