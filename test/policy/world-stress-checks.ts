import type { FabricInterface, SwitchHandle } from '../../src/policy/api.ts';
import type { Store } from '../../src/store/store.ts';
import type { Observer } from '../sequences/observer.ts';
import { snapshot } from '../sequences/snapshot.ts';

interface Named {
  readonly id: string;
}
interface ShownPort {
  readonly port: Record<string, unknown> & Named & { names: Record<string, unknown> };
  readonly properties: Named[];
}
interface Shown {
  readonly switches: {
    readonly info: Named;
    readonly properties: Named[];
    readonly ports: ShownPort[];
    readonly stack: { desynchronized?: boolean; problem?: string }[];
  }[];
  readonly vms: { readonly info: Named; readonly properties: Named[][] }[];
}

const byId = (list: Named[]): Named[] => list.sort((a, b) => (a.id < b.id ? -1 : 1));

/**
 * What management shows, in an order of its own: what was made again is the newest of its kind. `acrossRestart`: without what a
 * restart does not keep, the ids of validation ports (OP-19).
 */
export function comparable(fabric: FabricInterface, store: Store, acrossRestart: boolean): string {
  const shown = JSON.parse(snapshot(fabric, store, []).world) as Shown;
  for (const { properties, ports, stack } of shown.switches) {
    byId(properties);
    ports.sort((a, b) => (a.port.id < b.port.id ? -1 : 1));
    for (const { port, properties: own } of ports) {
      byId(own);
      if (!acrossRestart || port['isValidationPort'] !== true) continue;
      delete port['portId'];
      delete port.names['portId'];
    }
    // What a module has missed, or why it does not run, comes and goes with the stack.
    for (const module of stack) {
      delete module.desynchronized;
      delete module.problem;
    }
  }
  for (const { properties } of shown.vms) for (const own of properties) byId(own);
  shown.switches.sort((a, b) => (a.info.id < b.info.id ? -1 : 1));
  shown.vms.sort((a, b) => (a.info.id < b.info.id ? -1 : 1));
  return JSON.stringify(shown, null, 1);
}

/** The lines around the first one that differs. */
export function firstDifference(before: string, after: string): string {
  const was = before.split('\n');
  const is = after.split('\n');
  const at = was.findIndex((line, i) => line !== is[i]);
  const from = Math.max(0, (at < 0 ? was.length : at) - 6);
  const part = (lines: readonly string[]): string =>
    lines
      .slice(from, from + 10)
      .map((line) => line.trim())
      .join(' ');
  return `\n  before: ${part(was)}\n  after:  ${part(is)}`;
}

/** Where the extensions of a switch believe something else than management shows. */
export function viewProblems(sw: SwitchHandle, observers: readonly Observer[]): string[] {
  const { must, may } = expected(sw);
  const problems: string[] = [];
  let first: string | undefined;
  for (const { id, name, running, problem, desynchronized } of sw.extensions.list()) {
    const view = observers
      .find(({ definition }) => definition.id.toLowerCase() === id)
      ?.views.get(sw.info.name);
    const where = `the view of ${name} on ${sw.info.name}`;
    if (!running || desynchronized || view === undefined) {
      if (!running && view !== undefined && problem === undefined)
        problems.push(`${where} is there`);
      if (running && view === undefined) problems.push(`${where} is missing`);
      continue;
    }
    const lines = new Set([...view].map(([key, value]) => lineOf(key, value)));
    for (const line of must) if (!lines.has(line)) problems.push(`${where} lacks ${line}`);
    for (const line of lines) {
      if (!must.has(line) && !may.has(line)) problems.push(`${where} has ${line}`);
    }
    const text = JSON.stringify([...view].sort());
    if (first !== undefined && first !== text) problems.push(`${where} is not that of the others`);
    first ??= text;
  }
  return problems;
}

/** Values of properties are compared among the extensions. */
const lineOf = (key: string, value: string): string =>
  key.includes('property') ? key : `${key}: ${value}`;

/** Lines that a view must have, and those it may: properties that were refused when they were told again. */
function expected(sw: SwitchHandle): { must: Set<string>; may: Set<string> } {
  const must = new Set<string>();
  const may = new Set<string>();
  for (const { id } of sw.properties.list()) may.add(`switch property ${id}`);
  for (const { id, portId, names, problem, isValidationPort, nics } of sw.ports.list()) {
    if (problem !== undefined) continue;
    const validation = isValidationPort ? ' (validation)' : '';
    must.add(`port ${portId}: ${names.portFriendlyName}${validation}`);
    for (const { index, friendlyName, state, mtu, vfAssigned } of nics) {
      const vf = vfAssigned ? ' VF' : '';
      must.add(`port ${portId} NIC ${index}: ${friendlyName} ${state} ${mtu}${vf}`);
    }
    for (const property of sw.ports.get(id).properties.list()) {
      (property.delivered ? must : may).add(`port ${portId} property ${property.id}`);
    }
  }
  return { must, may };
}
