import type { Item } from './client.ts';
import type { Style } from './style.ts';
import { nameNodes } from './switch-tree.ts';
import type { TreeNode } from './tree.ts';

/** A VM as a tree: its adapters, each with every name its connection has. */
export function vmTree(vm: Item, style: Style): TreeNode {
  const { state } = vm;
  const saved = Number(vm['savedRecords']);
  return {
    kind: 'vm',
    cells: [
      { text: String(vm['name']), paint: style.bold },
      { text: String(state), paint: state === 'running' ? style.good : style.warning },
      vm['host'] === undefined ? '' : `on ${vm['host']}`,
      saved === 0 ? '' : `${saved} saved record${saved === 1 ? '' : 's'}`,
      { text: String(vm['id']), paint: style.dim },
    ],
    children: (vm['adapters'] as readonly Item[]).map((each) => adapterNode(each, style)),
  };
}

/** One adapter: where it is connected, or what it is configured for. */
export function adapterNode(adapter: Item, style: Style): TreeNode {
  const names = adapter['names'] as Item;
  const target = adapter['switch'] as Item | undefined;
  const isConnected = adapter['connected'] === true;
  const where =
    target === undefined
      ? 'no switch'
      : `${target['name']}${names['portId'] === undefined ? '' : `, port ${names['portId']}`}`;
  return {
    kind: 'adapter',
    cells: [
      { text: String(adapter['name']), paint: style.bold },
      String(adapter['type']),
      isConnected
        ? { text: 'connected', paint: style.good }
        : { text: 'not connected', paint: style.dim },
      where,
      `${adapter['mac']} (${adapter['macType']})`,
      `MTU ${adapter['mtu']}`,
      adapter['vfAssigned'] === true ? 'VF' : '',
    ],
    children: [...requiredNodes(adapter, style), ...nameNodes(names, style, ['vmId'])],
  };
}

/** What the switch has to offer, or the adapter does not connect. */
function requiredNodes(adapter: Item, style: Style): readonly TreeNode[] {
  const required = (adapter['requiredFeatures'] ?? []) as readonly Item[];
  return required.map(({ name, id }) => ({
    kind: 'requires',
    cells: ['requires', String(name), { text: String(id), paint: style.dim }],
    children: [],
  }));
}
