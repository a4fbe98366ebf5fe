import type { StateTable } from '../../switch/states.ts';

/*
 * Both halves of a migration as tables (S11, S12; docs/decisions/0010). What is stored is the state; the events are answers of the
 * other host and writes that became durable. At every moment exactly one host owns the VM:
 *
 *   source       preparing, cancelling, failed: the source.  succeeded: the destination.
 *   source       handing: whoever the destination's state says. `taken`: the destination; all others: the source.
 */

export type DepartureState = 'preparing' | 'handing' | 'cancelling' | 'failed' | 'succeeded';
/**
 * `saved`: the run-time data is durable, the connections may go. `refuse`: anything that fails before. `taken`, `abandoned`: what
 * the destination says. `settled`: the destination keeps nothing.
 */
export type DepartureEvent = 'saved' | 'refuse' | 'taken' | 'abandoned' | 'settled';

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
    },
    cancelling: { settled: { to: 'failed', rule: 'G36' } },
    failed: {},
    succeeded: {},
  },
  refusal: { saved: 'G38', refuse: 'G39', taken: 'G40', abandoned: 'G39', settled: 'G36' },
  refusalFrom: {},
};

export type ArrivalState = 'unknown' | 'prepared' | 'taken' | 'abandoned';
export type ArrivalEvent = 'prepare' | 'take' | 'abandon';

/** `taken` never becomes anything else: what was answered once is answered always. */
export const ARRIVAL_STATES: StateTable<ArrivalState, ArrivalEvent> = {
  name: 'arrival',
  transitions: {
    unknown: {
      prepare: { to: 'prepared', rule: 'G37' },
      abandon: { to: 'abandoned', rule: 'G36' },
    },
    prepared: {
      prepare: { to: 'prepared', rule: 'G37' },
      take: { to: 'taken', rule: 'G40' },
      abandon: { to: 'abandoned', rule: 'G36' },
    },
    taken: {
      prepare: { to: 'taken', rule: 'G40' },
      take: { to: 'taken', rule: 'G40' },
      abandon: { to: 'taken', rule: 'G40' },
    },
    abandoned: { abandon: { to: 'abandoned', rule: 'G36' } },
  },
  refusal: { prepare: 'G36', take: 'G38', abandon: 'G36' },
  refusalFrom: {},
};
