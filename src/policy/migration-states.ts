import type { StateTable } from '../../switch/states.ts';

/*
 * Both halves of a migration as tables (S11, S12; docs/decisions/0010). What is stored is the state; the events are answers of the
 * other host and writes that became durable. At every moment exactly one host owns the VM:
 *
 *   source       preparing, cancelling, failed: the source.  succeeded: the destination.
 *   source       handing: whoever the destination's state says. `taken`: the destination; all others: the source.
 *
 * A person may decide for a destination that does not come back: `reclaimed` is the source's VM, whatever the destination says one
 * day; `released` is the destination's, or nobody's, and what it was is kept here.
 */

export type DepartureState =
  | 'preparing'
  | 'handing'
  | 'cancelling'
  | 'reclaimed'
  | 'released'
  | 'failed'
  | 'succeeded';
/**
 * `saved`: the run-time data is durable, the connections may go. `refuse`: anything that fails before. `taken`, `abandoned`: what
 * the destination says. `settled`: the destination keeps nothing. `reclaim`, `release`: what a person decides.
 */
export type DepartureEvent =
  | 'saved'
  | 'refuse'
  | 'taken'
  | 'abandoned'
  | 'settled'
  | 'reclaim'
  | 'release';

export const DEPARTURE_STATES: StateTable<DepartureState, DepartureEvent> = {
  name: 'departure',
  transitions: {
    preparing: {
      saved: { to: 'handing', rule: 'G38' },
      refuse: { to: 'cancelling', rule: 'G36' },
    },
    handing: {
      taken: { to: 'succeeded', rule: 'G40' },
      abandoned: { to: 'failed', rule: 'G27' },
      reclaim: { to: 'reclaimed', rule: 'G27' },
      release: { to: 'released', rule: 'G39' },
    },
    reclaimed: { settled: { to: 'failed', rule: 'G36' } },
    released: {
      taken: { to: 'succeeded', rule: 'G40' },
      abandoned: { to: 'failed', rule: 'G38' },
      reclaim: { to: 'reclaimed', rule: 'G27' },
    },
    cancelling: { settled: { to: 'failed', rule: 'G36' } },
    failed: {},
    succeeded: {},
  },
  refusal: {
    saved: 'G38',
    refuse: 'G39',
    taken: 'G40',
    abandoned: 'G39',
    settled: 'G36',
    reclaim: 'G39',
    release: 'G39',
  },
  refusalFrom: {},
};

export type ArrivalState = 'unknown' | 'prepared' | 'taken' | 'abandoned' | 'superseded';
export type ArrivalEvent = 'prepare' | 'take' | 'abandon' | 'supersede';

/**
 * `taken` never becomes anything else by itself: what was answered once is answered always. `superseded`: a person at the source
 * has decided while this host was away that the VM is the source's.
 */
export const ARRIVAL_STATES: StateTable<ArrivalState, ArrivalEvent> = {
  name: 'arrival',
  transitions: {
    unknown: {
      prepare: { to: 'prepared', rule: 'G37' },
      abandon: { to: 'abandoned', rule: 'G36' },
      supersede: { to: 'superseded', rule: 'G36' },
    },
    prepared: {
      prepare: { to: 'prepared', rule: 'G37' },
      take: { to: 'taken', rule: 'G40' },
      abandon: { to: 'abandoned', rule: 'G36' },
      supersede: { to: 'superseded', rule: 'G36' },
    },
    taken: {
      prepare: { to: 'taken', rule: 'G40' },
      take: { to: 'taken', rule: 'G40' },
      abandon: { to: 'taken', rule: 'G40' },
      supersede: { to: 'superseded', rule: 'G39' },
    },
    abandoned: {
      abandon: { to: 'abandoned', rule: 'G36' },
      supersede: { to: 'abandoned', rule: 'G36' },
    },
    superseded: {
      abandon: { to: 'superseded', rule: 'G36' },
      supersede: { to: 'superseded', rule: 'G36' },
    },
  },
  refusal: { prepare: 'G36', take: 'G38', abandon: 'G36', supersede: 'G36' },
  refusalFrom: {},
};
