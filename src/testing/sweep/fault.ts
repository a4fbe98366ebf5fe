import type { Guid } from '../../core/guid.ts';
import type { FaultSite } from '../../policy/faults-api.ts';
import type { SweepEffect } from './effects.ts';

/** A place that a run passed: on which host, in which life of it (a host that starts again counts from 1 again). */
export interface PassedSite {
  readonly host: string;
  /** From 1. */
  readonly life: number;
  readonly site: FaultSite;
  /** GUID of the class that an OID is about: two classes are two places. */
  readonly classId?: Guid | undefined;
  /** Writes of this life of the host so far, with this one. */
  readonly write: number;
  /** The how many-th change of the run was under way, from 1. */
  readonly change: number;
  /** What the switch, or the store, had passed before: tells a place in a roll-back from the same one in a plain course. */
  readonly after: string;
}

/** Something that is made to happen at a place. */
export interface PlacedFault {
  readonly effect: Exclude<SweepEffect, 'reorder'>;
  readonly at: PassedSite;
}

/** One thing that is made to happen. */
export type SweepFault = PlacedFault | { readonly effect: 'reorder'; readonly seed: string };

/** What takes something away that a scenario may be about, and what no extension may do: nothing can be said of its aim then. */
const LOOSENING: ReadonlySet<SweepEffect> = new Set([
  'disableExtension',
  'deleteSwitch',
  'teardownPort',
  'throw',
  'hang',
  'twice',
]);
type Called = (id: string) => string;

export const isLoosening = ({ effect }: SweepFault): boolean => LOOSENING.has(effect);

/** The process of the host ends there. */
export const isCrash = ({ effect }: SweepFault): boolean =>
  effect === 'crash' || effect === 'crashAnswered';

/**
 * Name of a place for people and for `--only`, e.g. `OID_SWITCH_PORT_CREATE/set@Port-ACL@TestSwitch@port2#1`; with the class of a
 * policy, `OID_SWITCH_PORT_PROPERTY_ADD/set@Port-ACL@TestSwitch@port2@vlan#1`. `called`: an extension, or a class, by id.
 */
function siteName({ host, life, site, classId }: PassedSite, called: Called): string {
  const { at, extension, oid, requestType, call, message, to, portId, nth } = site;
  const what =
    at === 'oid'
      ? `${oid ?? 'OID'}/${requestType ?? 'set'}`
      : at === 'call'
        ? `${call ?? 'call'}(${oid ?? ''})`
        : at === 'message'
          ? `${message ?? 'message'}>${to ?? ''}`
          : 'store';
  const where = [
    ...(extension === undefined ? [] : [called(extension)]),
    ...(site.switch === undefined ? [] : [site.switch]),
    ...(portId === undefined ? [] : [`port${portId}`]),
    ...(classId === undefined ? [] : [called(classId)]),
    ...(host === '' ? [] : [host]),
    ...(life === 1 ? [] : [`life${life}`]),
  ];
  const words = [what, ...where].map((word) => word.replace(/[^\w.()>/-]+/g, '-'));
  return `${words.join('@')}#${nth}`;
}

/** Name of a fault, e.g. `veto:OID_SWITCH_PORT_CREATE/set@Port-ACL@TestSwitch#1`. */
export function faultName(fault: SweepFault, called: Called): string {
  if (fault.effect === 'reorder') return `reorder:${fault.seed}`;
  return `${fault.effect}:${siteName(fault.at, called)}`;
}

/** Several in one run, the first one first. */
export function chainName(chain: readonly SweepFault[], called: Called): string {
  return chain.map((fault) => faultName(fault, called)).join('+');
}

/**
 * What kind of place it is: the same one met again by the same extension for the same request, of the same class, after the same
 * thing is of the same kind, whatever its number, its port and its time.
 */
export function siteKind({ host, site, classId, after }: PassedSite): string {
  const { at, extension, oid, requestType, call, message, to } = site;
  return [
    host,
    at,
    extension,
    site.switch,
    oid,
    requestType,
    classId,
    call,
    message,
    to,
    after,
  ].join('|');
}
