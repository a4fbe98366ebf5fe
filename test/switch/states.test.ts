import t from 'tap';
import { isExtSwitchError } from '../../src/core/errors.ts';
import {
  MODULE_STATES,
  NIC_STATES,
  nextState,
  PORT_STATES,
  refusalRule,
  type StateTable,
  SWITCH_STATES,
  tryNextState,
} from '../../switch/states.ts';

/** `state: event>next rule …`, and `state: event rule …` for what is refused; copied from the rule book by hand. */
type Rows = Readonly<Record<string, string>>;

function check<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  legal: Rows,
  illegal: Rows,
): void {
  const states = Object.keys(table.transitions) as State[];
  const events = Object.keys(table.refusal) as Event[];

  t.test(`every legal pair of the ${table.name} table, with its rule`, (t) => {
    t.same([...states].sort(), Object.keys(legal).sort());
    for (const from of states) {
      const rows = events.flatMap((event) => {
        const transition = table.transitions[from][event];
        if (transition === undefined) return [];
        t.equal(nextState(table, from, event, 'it'), transition.to);
        t.equal(tryNextState(table, from, event), transition.to);
        return [`${event}>${transition.to} ${transition.rule}`];
      });
      t.equal(rows.sort().join(', '), legal[from]?.split(', ').sort().join(', '), from);
    }
    t.end();
  });

  t.test(`every other pair of the ${table.name} table is refused with its rule`, (t) => {
    let pairs = 0;
    for (const from of states) {
      const refused = events.filter((event) => tryNextState(table, from, event) === undefined);
      pairs += refused.length;
      const rows = refused.map((event) => {
        const rule = refusalRule(table, from, event);
        try {
          nextState(table, from, event, 'it');
          t.fail(`${from} ${event} is illegal`);
        } catch (error) {
          t.ok(isExtSwitchError(error) && error.code === 'ILLEGAL_TRANSITION');
          t.match(error, {
            message: `it is ${from}: ${event} is not allowed (rule ${rule})`,
            place: { rule },
          });
        }
        return `${event} ${rule}`;
      });
      const expected = illegal[from] ?? '';
      t.equal(rows.sort().join(', '), expected.split(', ').sort().join(', '), from);
    }
    const rows = Object.values(legal).join(', ').split(', ').length;
    t.equal(pairs + rows, states.length * events.length);
    t.end();
  });
}

// Rule book B.5, row by row; `property` is PORT_PROPERTY_ADD, UPDATE and DELETE.
check(
  PORT_STATES,
  {
    notCreated: 'create>created B16',
    created:
      'update>created B19, property>created E20, nicCreate>created C22, teardown>tearingDown B20',
    tearingDown: 'delete>notCreated B21',
  },
  {
    notCreated: 'update B22, property E20, nicCreate B13, teardown B22, delete B22',
    created: 'create B1, delete B21',
    tearingDown: 'create B1, update B19, property E20, nicCreate B13, teardown B20',
  },
);

// Rule book C.5, row by row; a port without NICs is torn down as well (B14).
check(
  NIC_STATES,
  {
    notCreated: 'create>created C22, portTeardown>notCreated B14',
    created: 'connect>connected C25, delete>deleted C34',
    connected:
      'update>connected C28, save>connected G1, restore>connected G29, disconnect>disconnected C30',
    disconnected: 'delete>deleted C31',
    deleted: 'create>created C33, portTeardown>notCreated B20',
  },
  {
    notCreated: 'connect C25, update C28, save G1, restore G29, disconnect C23, delete C23',
    created: 'create C22, update C28, save G1, restore G29, disconnect C30, portTeardown B20',
    connected: 'create C22, connect C25, delete C31, portTeardown B20',
    disconnected:
      'create C33, connect C25, update C28, save G1, restore G29, disconnect C30, portTeardown B20',
    deleted: 'connect C32, update C32, save G1, restore G29, disconnect C32, delete C32',
  },
);

// Rule book A.5.
check(
  MODULE_STATES,
  {
    detached: 'attach>attaching A48',
    attaching: 'attached>paused A48, attachFailed>detached A49',
    paused: 'restart>restarting A48, detach>detached A52',
    restarting: 'restarted>running A48, restartFailed>paused A49',
    running: 'pause>pausing A48',
    pausing: 'pauseComplete>paused A48',
  },
  {
    detached:
      'attached A48, attachFailed A48, restart A48, restarted A62, restartFailed A62, pause A48, pauseComplete A62, detach A48',
    attaching:
      'attach A48, restart A48, restarted A62, restartFailed A62, pause A48, pauseComplete A62, detach A48',
    paused:
      'attach A48, attached A48, attachFailed A48, restarted A62, restartFailed A62, pause A48, pauseComplete A62',
    restarting:
      'attach A51, attached A48, attachFailed A48, restart A51, pause A51, pauseComplete A62, detach A51',
    running:
      'attach A48, attached A48, attachFailed A48, restart A48, restarted A62, restartFailed A62, pauseComplete A62, detach A52',
    pausing:
      'attach A51, attached A48, attachFailed A48, restart A51, restarted A62, restartFailed A62, pause A51, detach A51',
  },
);

// S1 with rules A50, A67, A68, A73.
check(
  SWITCH_STATES,
  {
    created: 'start>starting A47, stop>stopping A1',
    starting:
      'activate>active A68, stackDown>down A50, operate>starting A73, takeAway>starting A73, stop>stopping A1',
    active: 'stackDown>down A50, operate>active A67, takeAway>active A67, stop>stopping A1',
    down: 'stackUp>starting A47, takeAway>down A50, stop>stopping A1',
    stopping: 'operate>stopping A1, takeAway>stopping A1, stop>stopping A1',
  },
  {
    created: 'activate A68, stackDown A50, stackUp A50, operate A67, takeAway A67',
    starting: 'start A1, stackUp A50',
    active: 'start A1, activate A68, stackUp A50',
    down: 'start A1, activate A50, stackDown A50, operate A50',
    stopping: 'start A1, activate A68, stackDown A50, stackUp A50',
  },
);
