import type { FabricInterface, PhysicalAdapterOptions, SwitchHandle } from '../../policy/api.ts';
import type { Act, Places } from './change.ts';
import { portLine, type StateLines, switchLine, switchPolicyLine, vmLine } from './state-lines.ts';
import type { Change } from './step.ts';

/** Changes of what a host connects to a switch itself, and of a switch as a whole. */
export type HostChange = Extract<
  Change,
  { do: 'connectUplink' | 'disconnectUplink' | 'setLink' | 'addInternalNic' | 'copySwitch' }
>;

/** The line of the uplink of a switch. */
const uplinkShown = (after: StateLines, line: string): string => {
  const shown: unknown = JSON.parse(after.get(line) ?? '{}').uplink;
  return JSON.stringify(shown ?? null);
};

/** What stands below an uplink of so many adapters. */
export const belowUplink = (adapters: number): readonly PhysicalAdapterOptions[] =>
  Array.from({ length: adapters }, (_, i) => ({ name: `e${i}`, virtualFunctions: 2 }));

export function ofHost(
  change: HostChange,
  world: FabricInterface,
  places: Places,
): Act | undefined {
  const { host, switch: name } = change;
  const line = switchLine(host, name);
  const touches = [line, `port/${host}/${name}/`];
  const on = (fabric: FabricInterface): SwitchHandle => fabric.switches.get(name);
  const { uplink } = on(world).host;
  switch (change.do) {
    case 'connectUplink': {
      if (uplink !== undefined) return undefined;
      const { team, adapters } = change;
      const below = belowUplink(adapters);
      const run = (fabric: FabricInterface) =>
        on(fabric).host.connectUplink({ team, adapters: below });
      const missing = (after: StateLines) =>
        uplinkShown(after, line).includes(`"team":"${team}"`) ? undefined : `${line} has no uplink`;
      return { host, touches, shakesVms: true, run, missing };
    }
    case 'disconnectUplink': {
      if (uplink === undefined) return undefined;
      const run = (fabric: FabricInterface) => on(fabric).host.disconnectUplink();
      const missing = (after: StateLines) =>
        uplinkShown(after, line) === 'null' ? undefined : `${line} still has an uplink`;
      return { host, touches, shakesVms: true, run, missing };
    }
    case 'setLink': {
      const { index, up } = change;
      if (!uplink?.adapters.some((each) => each.index === index)) return undefined;
      const run = (fabric: FabricInterface) => on(fabric).host.setLink(index, up);
      const missing = (after: StateLines) =>
        uplinkShown(after, line).includes(`"index":${index},"linkUp":${up}`)
          ? undefined
          : `${line}: adapter ${index} is not ${up ? 'up' : 'down'}`;
      return { host, touches, shakesVms: true, run, missing };
    }
    case 'addInternalNic': {
      const key = portLine(host, name, change.port);
      const run = (fabric: FabricInterface) =>
        on(fabric).host.addInternalNic({ name: change.port });
      const missing = (after: StateLines) => (after.has(key) ? undefined : `${key} is not there`);
      return { host, touches: [key], run, missing };
    }
    default:
      return ofCopiedSwitch(change, world, places);
  }
}

/** Exported from one host and imported on another, or the same, under a name of its own. */
function ofCopiedSwitch(
  change: Extract<HostChange, { do: 'copySwitch' }>,
  source: FabricInterface,
  places: Places,
): Act | undefined {
  const { switch: name, to, copy, keepsIds } = change;
  const target = places.world(to);
  if (target === undefined || [...target.switches.list()].some((each) => each.name === copy)) {
    return undefined;
  }
  const policies = [...source.switches.get(name).properties.list()].length;
  const line = switchLine(to, copy);
  return {
    host: to,
    touches: [line, `port/${to}/${copy}/`, `switchPolicy/${to}/${copy}/`],
    run: async (fabric) => {
      const document = await source.switches.get(name).export();
      const ids = keepsIds ? ({ ids: 'keep' } as const) : {};
      return fabric.switches.import(document, { name: copy, ...ids });
    },
    missing: (after) => {
      if (!after.has(line)) return `${line} is not there`;
      const found = countUnder(after, switchPolicyLine(to, copy, ''));
      return found === policies ? undefined : `${line} has ${found} of ${policies} policies`;
    },
  };
}

/** A VM exported, and imported under another name with other ids. */
export function ofCopiedVm(
  change: Extract<Change, { do: 'copyVm' }>,
  source: FabricInterface,
  places: Places,
): Act | undefined {
  const { vm, to, copy } = change;
  if (places.world(to) === undefined || places.hostOf(copy) !== undefined) return undefined;
  const { adapters } = source.vms.get(vm);
  const policies = adapters.reduce((sum, each) => sum + [...each.properties.list()].length, 0);
  const line = vmLine(copy);
  return {
    host: to,
    touches: [line, `policy/${copy}/`],
    run: async (fabric) => {
      const document = await source.vms.get(vm).export();
      return fabric.vms.import(document, { name: copy });
    },
    missing: (after) => {
      const shown = after.get(line);
      if (shown === undefined) return `${line} is not there`;
      const found = countUnder(after, `policy/${copy}/`);
      const kept: unknown = JSON.parse(shown).adapters.length;
      if (kept !== adapters.length) return `${line} has ${kept} of ${adapters.length} adapters`;
      return found === policies ? undefined : `${line} has ${found} of ${policies} policies`;
    },
  };
}

function countUnder(lines: StateLines, prefix: string): number {
  let count = 0;
  for (const key of lines.keys()) if (key.startsWith(prefix)) count += 1;
  return count;
}
