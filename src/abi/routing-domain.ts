import type { Guid } from '../core/guid.ts';
import { abiInvalid } from './abi-error.ts';
import { align8 } from './piece.ts';
import { type AnyStructure, structure } from './structure.ts';

/*
 * Routing domains: the port property (one domain) and NDIS_ISOLATION_PARAMETERS (many, OID_GEN_ISOLATION_PARAMETERS).
 * Entries advance by their own Header.Size; each offset is measured from the structure that contains it
 * (ndis-switch-abi.md 3, quirks 5 and 6).
 */

const PROPERTY = structure('NDIS_SWITCH_PORT_PROPERTY_ROUTING_DOMAIN');
const ISOLATION_ENTRY = structure('NDIS_ROUTING_DOMAIN_ISOLATION_ENTRY');
const DOMAIN_ENTRY = structure('NDIS_ROUTING_DOMAIN_ENTRY');
const PARAMETERS = structure('NDIS_ISOLATION_PARAMETERS');

/** Position of NumIsolationEntries in a domain entry. */
const COUNT_OFFSET =
  DOMAIN_ENTRY.row.fields.find(({ name }) => name === 'NumIsolationEntries')?.offset ?? 0;

/** One isolation id of a routing domain. */
export interface IsolationEntry {
  /** At most 127 UTF-16 units. */
  readonly IsolationIdName: string;
  /** The whole 32-bit word; a virtual subnet id uses its low 24 bits, a VLAN id its low 12. */
  readonly IsolationId: number;
}

/** A routing domain with its isolation ids. */
export interface RoutingDomain {
  readonly RoutingDomainId: Guid;
  /** At most 127 UTF-16 units. */
  readonly RoutingDomainName: string;
  readonly IsolationEntries: readonly IsolationEntry[];
}

/** NDIS_ISOLATION_PARAMETERS with everything behind it. */
export interface IsolationParameters {
  /** NDIS_ISOLATION_MODE. */
  readonly IsolationMode: number;
  readonly AllowUntaggedTraffic: boolean;
  readonly RoutingDomains: readonly RoutingDomain[];
}

/** Members that say where a structure's entries are: first offset and count. */
export interface EntryMembers {
  readonly offsetMember: string;
  readonly countMember: string;
}

/** Of the routing domain property and of a routing domain entry. */
export const ISOLATION_ENTRIES: EntryMembers = {
  offsetMember: 'FirstIsolationEntryOffset',
  countMember: 'NumIsolationEntries',
};
/** Of the isolation parameters. */
const ROUTING_DOMAIN_ENTRIES: EntryMembers = {
  offsetMember: 'FirstRoutingDomainEntryOffset',
  countMember: 'NumRoutingDomainEntries',
};

/**
 * Walks the entries that the structure at `base` points to: `count` of them from `first` on (from the start of that
 * structure), each Header.Size bytes long, all before `end`. Checks each before it gives out its absolute offset.
 * With a count of 0 `first` says nothing. Throws `ABI_INVALID`.
 */
export function* walkEntries(
  owner: AnyStructure,
  members: EntryMembers,
  entry: AnyStructure,
  bytes: Uint8Array,
  base: number,
  end: number,
  first: number,
  count: number,
): Generator<number, void, void> {
  if (count === 0) return;
  const memberAt = (name: string) =>
    base + (owner.row.fields.find((field) => field.name === name)?.offset ?? 0);
  const room = end - base;
  if (first < owner.minimumSize || first > room) {
    const { offsetMember } = members;
    const expected = `${owner.minimumSize} to ${room}`;
    throw abiInvalid(owner.name, offsetMember, memberAt(offsetMember), expected, String(first));
  }
  let at = base + first;
  for (let i = 0; i < count; i += 1) {
    if (end - at < entry.minimumSize) {
      const { countMember } = members;
      const expected = `at most ${i}, the entries there is room for`;
      throw abiInvalid(owner.name, countMember, memberAt(countMember), expected, String(count));
    }
    entry.check(bytes, at, end - at);
    yield at;
    at += (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
  }
}

/** Bytes of a routing domain property with `entries` isolation entries: 296 + 272 each, or 292 without any. */
export function routingDomainSize(entries: number): number {
  const { size } = PROPERTY.row;
  return entries === 0 ? size : align8(size) + entries * ISOLATION_ENTRY.row.size;
}

function writeIsolationEntries(
  bytes: Uint8Array,
  offset: number,
  entries: readonly IsolationEntry[],
): number {
  let at = offset;
  for (const entry of entries) {
    const size = ISOLATION_ENTRY.initialize(bytes, at);
    const view = ISOLATION_ENTRY.view(bytes, at);
    view.IsolationIdName = entry.IsolationIdName;
    view.IsolationId = entry.IsolationId;
    at += size;
  }
  return at;
}

/** Writes a routing domain property, its entries from 296 on; returns the size. `ABI_INVALID` when there is no room. */
export function writeRoutingDomain(
  bytes: Uint8Array,
  offset: number,
  value: RoutingDomain,
): number {
  const count = value.IsolationEntries.length;
  const size = PROPERTY.initialize(bytes, offset);
  const view = PROPERTY.view(bytes, offset);
  view.RoutingDomainId = value.RoutingDomainId;
  view.RoutingDomainName = value.RoutingDomainName;
  view.NumIsolationEntries = count;
  if (count === 0) return size;
  const first = align8(size);
  view.FirstIsolationEntryOffset = first;
  bytes.fill(0, offset + size, Math.min(offset + first, bytes.length));
  return writeIsolationEntries(bytes, offset + first, value.IsolationEntries) - offset;
}

function readIsolationEntries(
  owner: AnyStructure,
  bytes: Uint8Array,
  base: number,
  end: number,
  first: number,
  count: number,
): IsolationEntry[] {
  const entries: IsolationEntry[] = [];
  const members = ISOLATION_ENTRIES;
  for (const at of walkEntries(owner, members, ISOLATION_ENTRY, bytes, base, end, first, count)) {
    const { IsolationIdName, IsolationId } = ISOLATION_ENTRY.view(bytes, at);
    entries.push({ IsolationIdName, IsolationId });
  }
  return entries;
}

/** Reads a routing domain property with its entries; throws `ABI_INVALID`. */
export function readRoutingDomain(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): RoutingDomain {
  PROPERTY.check(bytes, offset, length);
  const view = PROPERTY.view(bytes, offset, length);
  return {
    RoutingDomainId: view.RoutingDomainId,
    RoutingDomainName: view.RoutingDomainName,
    IsolationEntries: readIsolationEntries(
      PROPERTY,
      bytes,
      offset,
      offset + length,
      view.FirstIsolationEntryOffset,
      view.NumIsolationEntries,
    ),
  };
}

/** Where the isolation entries start when we write: behind all domain entries, which follow each other by Header.Size. */
function isolationStart(domains: number): number {
  return align8(PARAMETERS.row.size + domains * DOMAIN_ENTRY.row.size);
}

/** Bytes of isolation parameters with these domains. */
export function isolationParametersSize(domains: readonly RoutingDomain[]): number {
  const entries = domains.reduce((sum, domain) => sum + domain.IsolationEntries.length, 0);
  return isolationStart(domains.length) + entries * ISOLATION_ENTRY.row.size;
}

/** Writes isolation parameters: domain entries from 24 on, then their isolation entries; returns the size. */
export function writeIsolationParameters(
  bytes: Uint8Array,
  offset: number,
  value: IsolationParameters,
): number {
  const domains = value.RoutingDomains;
  const total = isolationParametersSize(domains);
  if (offset + total > bytes.length) {
    const found = `${bytes.length - offset} bytes`;
    throw abiInvalid(PARAMETERS.name, '', offset, `${total} bytes`, found);
  }
  const size = PARAMETERS.initialize(bytes, offset);
  const view = PARAMETERS.view(bytes, offset);
  view.IsolationMode = value.IsolationMode;
  view.AllowUntaggedTraffic = value.AllowUntaggedTraffic;
  view.NumRoutingDomainEntries = domains.length;
  view.FirstRoutingDomainEntryOffset = domains.length === 0 ? 0 : size;
  let domainAt = offset + size;
  let entryAt = offset + isolationStart(domains.length);
  bytes.fill(0, domainAt, entryAt);
  for (const domain of domains) {
    const domainSize = DOMAIN_ENTRY.initialize(bytes, domainAt);
    const entry = DOMAIN_ENTRY.view(bytes, domainAt);
    entry.RoutingDomainId = domain.RoutingDomainId;
    entry.RoutingDomainName = domain.RoutingDomainName;
    entry.NumIsolationEntries = domain.IsolationEntries.length;
    entry.FirstIsolationEntryOffset = domain.IsolationEntries.length === 0 ? 0 : entryAt - domainAt;
    entryAt = writeIsolationEntries(bytes, entryAt, domain.IsolationEntries);
    domainAt += domainSize;
  }
  return total;
}

/**
 * Walks the domain entries of checked isolation parameters; gives out absolute offsets. The isolation entries of all
 * domains together may not be more than the bytes hold: domains that share theirs would multiply a small buffer into
 * a huge result.
 */
export function* walkDomains(
  bytes: Uint8Array,
  offset: number,
  length: number,
): Generator<number, void, void> {
  const view = PARAMETERS.view(bytes, offset, length);
  let budget = Math.floor(length / ISOLATION_ENTRY.minimumSize);
  for (const at of walkEntries(
    PARAMETERS,
    ROUTING_DOMAIN_ENTRIES,
    DOMAIN_ENTRY,
    bytes,
    offset,
    offset + length,
    view.FirstRoutingDomainEntryOffset,
    view.NumRoutingDomainEntries,
  )) {
    const { NumIsolationEntries: count } = DOMAIN_ENTRY.view(bytes, at);
    if (count > budget) {
      const member = ISOLATION_ENTRIES.countMember;
      const expected = `at most ${budget}, what is left of the room`;
      throw abiInvalid(DOMAIN_ENTRY.name, member, at + COUNT_OFFSET, expected, String(count));
    }
    budget -= count;
    yield at;
  }
}

/** Reads isolation parameters with all domains and entries; throws `ABI_INVALID`. */
export function readIsolationParameters(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): IsolationParameters {
  PARAMETERS.check(bytes, offset, length);
  const view = PARAMETERS.view(bytes, offset, length);
  const end = offset + length;
  const domains: RoutingDomain[] = [];
  for (const at of walkDomains(bytes, offset, length)) {
    const domain = DOMAIN_ENTRY.view(bytes, at);
    domains.push({
      RoutingDomainId: domain.RoutingDomainId,
      RoutingDomainName: domain.RoutingDomainName,
      IsolationEntries: readIsolationEntries(
        DOMAIN_ENTRY,
        bytes,
        at,
        end,
        domain.FirstIsolationEntryOffset,
        domain.NumIsolationEntries,
      ),
    });
  }
  return {
    IsolationMode: view.IsolationMode,
    AllowUntaggedTraffic: view.AllowUntaggedTraffic,
    RoutingDomains: domains,
  };
}
