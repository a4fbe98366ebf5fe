import t from 'tap';
import { isExtSwitchError } from '../../src/core/errors.ts';
import {
  MODULE_STATES,
  NIC_STATES,
  nextState,
  PORT_STATES,
  type StateTable,
  tryNextState,
} from '../../switch/states.ts';

/** Legal pairs as `from event to`, copied from the rule book; everything else must be refused. */
function check<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  legal: readonly string[],
  counts: { readonly states: number; readonly events: number },
): void {
  t.test(`every pair of the ${table.name} table`, (t) => {
    const states = Object.keys(table.transitions) as State[];
    const events = Object.keys(table.refusal) as Event[];
    t.equal(states.length, counts.states);
    t.equal(events.length, counts.events);
    const found: string[] = [];
    for (const from of states) {
      for (const event of events) {
        const to = tryNextState(table, from, event);
        if (to !== undefined) {
          found.push(`${from} ${event} ${to}`);
          t.equal(nextState(table, from, event, 'it'), to);
          continue;
        }
        try {
          nextState(table, from, event, 'it');
          t.fail(`${from} ${event} is illegal`);
        } catch (error) {
          t.ok(isExtSwitchError(error) && error.code === 'ILLEGAL_TRANSITION');
          t.match(error, {
            message: `it is ${from}: ${event} is not allowed (rule ${table.refusal[event]})`,
            place: { rule: table.refusal[event] },
          });
        }
      }
    }
    t.same(found.sort(), [...legal].sort());
    t.end();
  });
}

// Rule book B.5, row by row.
check(
  PORT_STATES,
  [
    'notCreated create created',
    'created update created',
    'created property created',
    'created nicCreate created',
    'created teardown tearingDown',
    'tearingDown delete notCreated',
  ],
  { states: 3, events: 6 },
);

// Rule book C.5; a port without NICs is torn down as well (B14).
check(
  NIC_STATES,
  [
    'notCreated create created',
    'created connect connected',
    'created delete deleted',
    'connected update connected',
    'connected save connected',
    'connected restore connected',
    'connected disconnect disconnected',
    'disconnected delete deleted',
    'deleted create created',
    'deleted portTeardown notCreated',
    'notCreated portTeardown notCreated',
  ],
  { states: 5, events: 8 },
);

// Rules A48, A49, A52.
check(
  MODULE_STATES,
  [
    'detached attach attaching',
    'attaching attached paused',
    'attaching attachFailed detached',
    'paused restart restarting',
    'restarting restarted running',
    'restarting restartFailed paused',
    'running pause pausing',
    'pausing pauseComplete paused',
    'paused detach detached',
  ],
  { states: 6, events: 9 },
);
