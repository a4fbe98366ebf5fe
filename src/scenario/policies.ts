import type { FabricInterface, PropertyInfo } from '../policy/api.ts';
import { canonical } from './canonical.ts';
import { hasMembers, pairUp } from './expectation.ts';

/** One policy: what it is, not which instance of it. */
export interface Policy {
  readonly feature: string;
  /** Members with their canonical text: 64-bit values as decimal text. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Policies of a moment: owner (a VM's adapter, a switch, a port) → property id → policy. */
export type PolicySet = Map<string, Map<string, Policy>>;

export const adapterOwner = (vm: string, adapter: string): string => `VM ${vm}, ${adapter}`;
export const switchOwner = (host: string, name: string): string => `switch ${name} on ${host}`;
export const portOwner = (host: string, name: string, port: string): string =>
  `port ${port} of switch ${name} on ${host}`;

/** What a property is of and its settings: of a world, or of a portable document. */
export type PropertyLike = Pick<PropertyInfo, 'id' | 'feature'> & {
  readonly settings: Readonly<Record<string, unknown>>;
};

function policyOf({ feature, settings }: PropertyLike): Policy {
  const members = Object.entries(settings).map(([name, value]) => [name, canonical(value)]);
  return { feature, settings: Object.fromEntries(members) };
}

function ownedBy(policies: PolicySet, owner: string): Map<string, Policy> {
  const known = policies.get(owner);
  if (known !== undefined) return known;
  const mine = new Map<string, Policy>();
  policies.set(owner, mine);
  return mine;
}

/** Whatever may have policies on a host, with those it has. */
function* ownersOf(
  host: string,
  fabric: FabricInterface,
): Generator<readonly [owner: string, properties: Iterable<PropertyInfo>]> {
  for (const { id, name } of fabric.vms.list()) {
    for (const { info, properties } of fabric.vms.get(id).adapters) {
      yield [adapterOwner(name, info.name), properties.list()];
    }
  }
  for (const { id, name } of fabric.switches.list()) {
    const sw = fabric.switches.get(id);
    yield [switchOwner(host, name), sw.properties.list()];
    for (const port of sw.ports.list()) {
      if (port.names.vmId !== undefined) continue;
      yield [portOwner(host, name, port.name), sw.ports.get(port.id).properties.list()];
    }
  }
}

/** Every policy of these hosts. A VM is the same wherever it is; if two hosts have it, its policies count twice. */
export function policiesOf(hosts: ReadonlyMap<string, FabricInterface>): PolicySet {
  const all: PolicySet = new Map();
  for (const [host, fabric] of hosts) {
    for (const [owner, properties] of ownersOf(host, fabric)) {
      for (const property of properties) {
        const mine = ownedBy(all, owner);
        const id = mine.has(property.id) ? `${property.id} on ${host}` : property.id;
        mine.set(id, policyOf(property));
      }
    }
  }
  return all;
}

/** What is wanted of everything that is on this host, also of what has no policy. */
export function wantedOn(
  { wanted }: PolicyLedger,
  host: string,
  fabric: FabricInterface,
): PolicySet {
  const here: PolicySet = new Map();
  for (const [owner] of ownersOf(host, fabric)) here.set(owner, new Map(wanted.get(owner)));
  return here;
}

/** What steps do to policies on purpose: added and removed ones. What they do beside is found out by comparing. */
export interface PolicyLedger {
  /** What there should be now. */
  readonly wanted: PolicySet;
  /** Sets one policy of an owner. */
  put(owner: string, property: PropertyLike): void;
  remove(owner: string, id: string): void;
  /** Forgets every policy of these owners: a VM, a switch that was deleted. */
  forget(isGone: (owner: string) => boolean): void;
  /** The owner is called differently now. */
  rename(from: string, to: string): void;
  /** Of these owners it becomes what it was. */
  goBack(was: PolicySet): void;
}

export class Ledger implements PolicyLedger {
  readonly wanted: PolicySet;

  constructor(before: PolicySet) {
    this.wanted = before;
  }

  put(owner: string, property: PropertyLike): void {
    ownedBy(this.wanted, owner).set(property.id, policyOf(property));
  }

  remove(owner: string, id: string): void {
    this.wanted.get(owner)?.delete(id);
  }

  forget(isGone: (owner: string) => boolean): void {
    for (const owner of [...this.wanted.keys()]) if (isGone(owner)) this.wanted.delete(owner);
  }

  rename(from: string, to: string): void {
    const mine = this.wanted.get(from);
    if (mine === undefined) return;
    this.wanted.delete(from);
    this.wanted.set(to, mine);
  }

  goBack(was: PolicySet): void {
    for (const [owner, mine] of was) this.wanted.set(owner, new Map(mine));
  }
}

/** A tool's view: what it removes it has to put back, so nothing it does is wanted. */
export function withoutIntent({ wanted }: PolicyLedger): PolicyLedger {
  const ignore = (): void => {};
  return { wanted, put: ignore, remove: ignore, forget: ignore, rename: ignore, goBack: ignore };
}

/** One line of the difference between what should be there and what is. */
export interface PolicyChange {
  readonly owner: string;
  readonly change: 'lost' | 'unexpected';
  readonly feature: string;
  readonly settings: string;
}

/**
 * What is missing and what is too much, by owner, feature and settings; which instance it is does not count. Members that a newer
 * class version added are no difference.
 */
export function policyDiff(wanted: PolicySet, found: PolicySet): PolicyChange[] {
  const changes: PolicyChange[] = [];
  for (const owner of new Set([...wanted.keys(), ...found.keys()])) {
    const exact = pairUp(valuesOf(wanted, owner), valuesOf(found, owner), isSame);
    const { missing, extra } = pairUp(exact.missing, exact.extra, isUpgraded);
    const line = (change: PolicyChange['change']) => (policy: Policy) => ({
      owner,
      change,
      feature: policy.feature,
      settings: canonical(policy.settings),
    });
    changes.push(...missing.map(line('lost')), ...extra.map(line('unexpected')));
  }
  return changes;
}

const valuesOf = (policies: PolicySet, owner: string): readonly Policy[] => [
  ...(policies.get(owner)?.values() ?? []),
];
const isSame = (one: Policy, other: Policy): boolean =>
  one.feature === other.feature && canonical(one.settings) === canonical(other.settings);
const isUpgraded = (one: Policy, other: Policy): boolean =>
  one.feature === other.feature && hasMembers(other.settings, one.settings);

export function copyOf(policies: PolicySet): PolicySet {
  return new Map([...policies].map(([owner, mine]) => [owner, new Map(mine)]));
}

/** `- lost` and `+ unexpected`, as people read a diff. */
export function diffText(changes: readonly PolicyChange[]): string {
  const lines: string[] = [];
  let owner = '';
  for (const each of changes) {
    if (each.owner !== owner) lines.push(each.owner);
    owner = each.owner;
    lines.push(`  ${each.change === 'lost' ? '-' : '+'} ${each.feature} ${each.settings}`);
  }
  return lines.join('\n');
}
