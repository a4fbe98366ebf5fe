import type { Draw, Sights } from './draw-step.ts';
import type { Change } from './step.ts';
import { PORT_CLASS } from './well-behaved.ts';

/** Newer classes, one more extension, and questions to those that are there. */
export function drawWorldChange(draw: Draw, { hosts }: Sights): Change | undefined {
  const { name: host, fabric } = draw.pick(hosts);
  switch (draw.int(6)) {
    case 0: {
      const now = fabric.features.get(PORT_CLASS).version >> 8;
      return { do: 'registerClasses', host, version: draw.pick([1, now, now + 1, now + 1]) };
    }
    case 1:
      return { do: 'installGuest', host };
    case 2: {
      const sw = draw.anyOf([...fabric.switches.list()]);
      return sw && { do: 'askSwitchStatus', host, switch: sw.name };
    }
    default: {
      const vm = draw.anyOf([...fabric.vms.list()]);
      const adapter = draw.anyOf(vm?.adapters ?? []);
      if (vm === undefined || adapter === undefined) return undefined;
      return { do: 'askStatus', vm: vm.name, adapter: adapter.name };
    }
  }
}

/** What an operator does about VMs whose other host is away. */
export function drawRuling(draw: Draw, hosts: Sights['hosts']): Change | undefined {
  const all = hosts.flatMap(({ name: host, fabric: { migrations } }): Change[] => [
    ...[...migrations.list()].flatMap(({ vm: { name: vm }, state, kept }): Change[] => {
      if (kept === true) return [{ do: 'discardKept', host, vm }];
      if (state !== 'running') return [];
      return [
        { do: 'settleMigration', host, vm, owner: draw.pick(['source', 'destination']) },
        { do: 'settleMigration', host, vm, owner: 'source' },
        { do: 'resumeMigration', host, vm },
      ];
    }),
    ...[...migrations.arrivals()]
      .filter(({ state }) => state === 'prepared')
      .map(({ vm: { name: vm } }): Change => ({ do: 'abandonArrival', host, vm })),
  ]);
  return draw.anyOf(all);
}
