/**
 * Life cycles as transition tables (rule book B.5, C.5, A.5, and S1 for the switch itself): (state, event) → next state,
 * with the rule that allows it. What is not in a table is illegal; {@link nextState} then says which rule forbids it.
 * What each state permits is another table: `permissions.ts` (rule book C.6).
 */
import { ExtSwitchError } from '../src/core/errors.ts';

export interface Transition<State extends string> {
  readonly to: State;
  /** Rule that allows the transition. */
  readonly rule: string;
}

export interface StateTable<State extends string, Event extends string> {
  readonly name: string;
  readonly transitions: Readonly<
    Record<State, Readonly<Partial<Record<Event, Transition<State>>>>>
  >;
  /** Rule to name when a pair is not in the table, by event. */
  readonly refusal: Readonly<Record<Event, string>>;
  /** Pairs that another rule forbids. */
  readonly refusalFrom: Readonly<Partial<Record<State, Readonly<Partial<Record<Event, string>>>>>>;
}

export type SwitchLifeState = 'created' | 'starting' | 'active' | 'down' | 'stopping';
/**
 * `operate`: anything that adds, changes or asks; `takeAway`: disconnecting and deleting, which a switch whose stack is
 * down still does, so that its objects do not outlive their owners.
 */
export type SwitchEvent =
  | 'start'
  | 'activate'
  | 'stackDown'
  | 'stackUp'
  | 'operate'
  | 'takeAway'
  | 'stop';

/**
 * S1: `starting` has a running stack and IsActive FALSE; OP-20 lets host ports come then. `down`: a required extension
 * does not run, so nothing does (rule A50); with the stack up again the switch activates anew.
 */
export const SWITCH_STATES: StateTable<SwitchLifeState, SwitchEvent> = {
  name: 'switch',
  transitions: {
    created: {
      start: { to: 'starting', rule: 'A47' },
      stop: { to: 'stopping', rule: 'A1' },
    },
    starting: {
      activate: { to: 'active', rule: 'A68' },
      stackDown: { to: 'down', rule: 'A50' },
      operate: { to: 'starting', rule: 'A73' },
      takeAway: { to: 'starting', rule: 'A73' },
      stop: { to: 'stopping', rule: 'A1' },
    },
    active: {
      stackDown: { to: 'down', rule: 'A50' },
      operate: { to: 'active', rule: 'A67' },
      takeAway: { to: 'active', rule: 'A67' },
      stop: { to: 'stopping', rule: 'A1' },
    },
    down: {
      stackUp: { to: 'starting', rule: 'A47' },
      takeAway: { to: 'down', rule: 'A50' },
      stop: { to: 'stopping', rule: 'A1' },
    },
    stopping: {
      operate: { to: 'stopping', rule: 'A1' },
      takeAway: { to: 'stopping', rule: 'A1' },
      stop: { to: 'stopping', rule: 'A1' },
    },
  },
  refusal: {
    start: 'A1',
    activate: 'A68',
    stackDown: 'A50',
    stackUp: 'A50',
    operate: 'A67',
    takeAway: 'A67',
    stop: 'A1',
  },
  refusalFrom: { down: { operate: 'A50', activate: 'A50' } },
};

export type PortLifeState = 'notCreated' | 'created' | 'tearingDown';
export type PortEvent = 'create' | 'update' | 'property' | 'nicCreate' | 'teardown' | 'delete';

/** Rule book B.5. */
export const PORT_STATES: StateTable<PortLifeState, PortEvent> = {
  name: 'port',
  transitions: {
    notCreated: { create: { to: 'created', rule: 'B16' } },
    created: {
      update: { to: 'created', rule: 'B19' },
      property: { to: 'created', rule: 'E20' },
      nicCreate: { to: 'created', rule: 'C22' },
      teardown: { to: 'tearingDown', rule: 'B20' },
    },
    tearingDown: { delete: { to: 'notCreated', rule: 'B21' } },
  },
  refusal: {
    create: 'B1',
    update: 'B19',
    property: 'E20',
    nicCreate: 'B13',
    teardown: 'B20',
    delete: 'B21',
  },
  // No OID names a port that is gone.
  refusalFrom: { notCreated: { update: 'B22', teardown: 'B22', delete: 'B22' } },
};

export type NicLifeState = 'notCreated' | 'created' | 'connected' | 'disconnected' | 'deleted';
export type NicEvent =
  | 'create'
  | 'connect'
  | 'update'
  | 'save'
  | 'restore'
  | 'disconnect'
  | 'delete'
  | 'portTeardown';

/** Rule book C.5. That no two saves or restores run on one NIC is `Nic.transfer` (rules G9, G28). */
export const NIC_STATES: StateTable<NicLifeState, NicEvent> = {
  name: 'NIC',
  transitions: {
    notCreated: {
      create: { to: 'created', rule: 'C22' },
      portTeardown: { to: 'notCreated', rule: 'B14' },
    },
    created: {
      connect: { to: 'connected', rule: 'C25' },
      delete: { to: 'deleted', rule: 'C34' },
    },
    connected: {
      update: { to: 'connected', rule: 'C28' },
      save: { to: 'connected', rule: 'G1' },
      restore: { to: 'connected', rule: 'G29' },
      disconnect: { to: 'disconnected', rule: 'C30' },
    },
    disconnected: { delete: { to: 'deleted', rule: 'C31' } },
    deleted: {
      create: { to: 'created', rule: 'C33' },
      portTeardown: { to: 'notCreated', rule: 'B20' },
    },
  },
  refusal: {
    create: 'C22',
    connect: 'C25',
    update: 'C28',
    save: 'G1',
    restore: 'G29',
    disconnect: 'C30',
    delete: 'C31',
    portTeardown: 'B20',
  },
  refusalFrom: {
    // A failed NIC_CREATE is followed by neither.
    notCreated: { disconnect: 'C23', delete: 'C23' },
    disconnected: { create: 'C33' },
    deleted: { connect: 'C32', update: 'C32', disconnect: 'C32', delete: 'C32' },
  },
};

export type ModuleState =
  | 'detached'
  | 'attaching'
  | 'paused'
  | 'restarting'
  | 'running'
  | 'pausing';
export type ModuleEvent =
  | 'attach'
  | 'attached'
  | 'attachFailed'
  | 'restart'
  | 'restarted'
  | 'restartFailed'
  | 'pause'
  | 'pauseComplete'
  | 'detach';

/** Rule A51: nothing new on a module that restarts or pauses; rule A62: what is finished once is not finished again. */
const BUSY = { attach: 'A51', restart: 'A51', pause: 'A51', detach: 'A51' };

/** Rule book A.5, rules A48-A52. */
export const MODULE_STATES: StateTable<ModuleState, ModuleEvent> = {
  name: 'filter module',
  transitions: {
    detached: { attach: { to: 'attaching', rule: 'A48' } },
    attaching: {
      attached: { to: 'paused', rule: 'A48' },
      attachFailed: { to: 'detached', rule: 'A49' },
    },
    paused: {
      restart: { to: 'restarting', rule: 'A48' },
      detach: { to: 'detached', rule: 'A52' },
    },
    restarting: {
      restarted: { to: 'running', rule: 'A48' },
      restartFailed: { to: 'paused', rule: 'A49' },
    },
    running: { pause: { to: 'pausing', rule: 'A48' } },
    pausing: { pauseComplete: { to: 'paused', rule: 'A48' } },
  },
  refusal: {
    attach: 'A48',
    attached: 'A48',
    attachFailed: 'A48',
    restart: 'A48',
    restarted: 'A62',
    restartFailed: 'A62',
    pause: 'A48',
    pauseComplete: 'A62',
    detach: 'A48',
  },
  refusalFrom: {
    restarting: BUSY,
    pausing: BUSY,
    running: { detach: 'A52' },
  },
};

/** The state after `event`, or `undefined` when the table does not allow it. */
export function tryNextState<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  from: State,
  event: Event,
): State | undefined {
  return table.transitions[from][event]?.to;
}

/** Rule that forbids `event` in `from`; meaningful for pairs that are not in the table. */
export function refusalRule<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  from: State,
  event: Event,
): string {
  return table.refusalFrom[from]?.[event] ?? table.refusal[event];
}

/** As {@link tryNextState}, but an illegal pair throws `ILLEGAL_TRANSITION` naming the rule. */
export function nextState<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  from: State,
  event: Event,
  what: string,
): State {
  const to = tryNextState(table, from, event);
  if (to === undefined) {
    const rule = refusalRule(table, from, event);
    throw new ExtSwitchError(
      'ILLEGAL_TRANSITION',
      `${what} is ${from}: ${event} is not allowed (rule ${rule})`,
      { rule },
    );
  }
  return to;
}
