import type { FeatureClass } from '../../mof/feature-class.ts';
import type { Draw, Sights } from './draw-step.ts';
import { numbersOf } from './policy-id.ts';
import type { Change } from './step.ts';
import { drawSettings } from './user-classes.ts';
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

/** A policy of this class on something there is, added with `fresh` as its number, changed or removed. */
export function drawClassChange(
  draw: Draw,
  { hosts }: Sights,
  feature: FeatureClass,
  fresh: number,
): Change | undefined {
  const { name: host, fabric } = draw.pick(hosts);
  const value = { feature: feature.name, ...drawSettings(draw, feature) };
  if (feature.scope === 'switch') {
    const sw = draw.anyOf([...fabric.switches.list()]);
    if (sw === undefined) return undefined;
    const place = { host, switch: sw.name };
    const known = numbersOf(fabric.switches.get(sw.id).properties.list(), feature.name);
    const policy = draw.anyOf(known);
    if (policy === undefined)
      return { do: 'addSwitchClassPolicy', ...place, policy: fresh, ...value };
    if (draw.chance(0.3)) return { do: 'removeSwitchPolicy', ...place, policy };
    return { do: 'updateSwitchClassPolicy', ...place, policy, ...value };
  }
  const vm = draw.anyOf([...fabric.vms.list()]);
  const adapter = draw.anyOf(vm?.adapters ?? []);
  if (vm === undefined || adapter === undefined) return undefined;
  const place = { vm: vm.name, adapter: adapter.name };
  const { properties } = fabric.vms.get(vm.id).adapter(adapter.name);
  const policy = draw.anyOf(numbersOf(properties.list(), feature.name));
  if (policy === undefined || draw.chance(0.2)) {
    return { do: 'addClassPolicy', ...place, policy: fresh, ...value };
  }
  if (draw.chance(0.3)) return { do: 'removePolicy', ...place, policy };
  return { do: 'updateClassPolicy', ...place, policy, ...value };
}
