import type { FabricInterface } from '../../src/policy/api.ts';
import type { Store } from '../../src/store/store.ts';
import type { Observer } from './observer.ts';

/** Everything that a change may change, as text that can be compared. */
export interface Snapshot {
  /** What management shows. */
  readonly world: string;
  readonly store: string;
  /** What each extension believes, by its name. */
  readonly views: Readonly<Record<string, string>>;
}

const text = (value: unknown): string =>
  JSON.stringify(
    value,
    (_key, inner: unknown) =>
      typeof inner === 'bigint'
        ? `${inner}n`
        : inner instanceof Uint8Array
          ? Buffer.from(inner).toString('hex')
          : inner,
    1,
  );

export function snapshot(
  fabric: FabricInterface,
  store: Store,
  observers: readonly Observer[],
): Snapshot {
  const switches = [...fabric.switches.list()].map((info) => {
    const sw = fabric.switches.get(info.id);
    const ports = [...sw.ports.list()]
      .map((port) => ({ port, properties: [...sw.ports.get(port.id).properties.list()] }))
      .sort((a, b) => a.port.portId - b.port.portId);
    const { uplink } = sw.host;
    return {
      info,
      ports,
      properties: [...sw.properties.list()],
      uplink,
      stack: sw.extensions.list(),
    };
  });
  const vms = [...fabric.vms.list()].map((info) => ({
    info,
    properties: fabric.vms.get(info.id).adapters.map(({ properties }) => [...properties.list()]),
  }));
  const views = Object.fromEntries(
    observers.map(({ definition, views: seen }) => [definition.name, viewText(seen)]),
  );
  return { world: text({ switches, vms }), store: text([...store.range('')]), views };
}

function viewText(views: ReadonlyMap<string, ReadonlyMap<string, string>>): string {
  const lines: string[] = [];
  for (const [name, view] of views) {
    for (const [key, value] of view) lines.push(`${name}: ${key}: ${value}`);
  }
  return lines.sort().join('\n');
}
