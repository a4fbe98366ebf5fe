import t, { type Test } from 'tap';
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

type Table<State extends string, Event extends string> = StateTable<State, Event>;

function checkLegal<State extends string, Event extends string>(
  t: Test,
  table: Table<State, Event>,
  legal: Rows,
): void {
  const states = Object.keys(table.transitions) as State[];
  const events = Object.keys(table.refusal) as Event[];
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
}

/** With `legal`, every pair is one or the other. */
function checkIllegal<State extends string, Event extends string>(
  t: Test,
  table: Table<State, Event>,
  legal: Rows,
  illegal: Rows,
): void {
  const states = Object.keys(table.transitions) as State[];
  const events = Object.keys(table.refusal) as Event[];
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
    t.equal(rows.sort().join(', '), (illegal[from] ?? '').split(', ').sort().join(', '), from);
  }
  t.equal(
    pairs + Object.values(legal).join(', ').split(', ').length,
    states.length * events.length,
  );
  t.end();
}

// Rule book B.5, row by row; `property` is PORT_PROPERTY_ADD, UPDATE and DELETE.
const PORT_LEGAL: Rows = {
  notCreated: 'create>created B16',
  created:
    'update>created B19, property>created E20, nicCreate>created C22, teardown>tearingDown B20',
  tearingDown: 'delete>notCreated B21',
};
const PORT_ILLEGAL: Rows = {
  notCreated: 'update B22, property E20, nicCreate B13, teardown B22, delete B22',
  created: 'create B1, delete B21',
  tearingDown: 'create B1, update B19, property E20, nicCreate B13, teardown B20',
};
t.test('every legal pair of rule book B.5 (B13, B14, B16, B19-B22, C22, E20)', (t) =>
  checkLegal(t, PORT_STATES, PORT_LEGAL),
);
t.test(
  'every other pair of port and trigger is refused with its rule (B1, B13, B19-B22, E20)',
  (t) => checkIllegal(t, PORT_STATES, PORT_LEGAL, PORT_ILLEGAL),
);

// Rule book C.5, row by row; a port without NICs is torn down as well (B14).
const NIC_LEGAL: Rows = {
  notCreated: 'create>created C22, portTeardown>notCreated B14',
  created: 'connect>connected C25, delete>deleted C34',
  connected:
    'update>connected C28, save>connected G1, restore>connected G29, disconnect>disconnected C30',
  disconnected: 'delete>deleted C31',
  deleted: 'create>created C33, portTeardown>notCreated B20',
};
const NIC_ILLEGAL: Rows = {
  notCreated: 'connect C25, update C28, save G1, restore G29, disconnect C23, delete C23',
  created: 'create C22, update C28, save G1, restore G29, disconnect C30, portTeardown B20',
  connected: 'create C22, connect C25, delete C31, portTeardown B20',
  disconnected:
    'create C33, connect C25, update C28, save G1, restore G29, disconnect C30, portTeardown B20',
  deleted: 'connect C32, update C32, save G1, restore G29, disconnect C32, delete C32',
};
t.test(
  'every legal pair of rule book C.5 (B14, B20, C22, C25, C28, C30, C31, C33, C34, G1, G29)',
  (t) => checkLegal(t, NIC_STATES, NIC_LEGAL),
);
t.test(
  'every other pair of NIC and trigger is refused with its rule (B20, C22, C23, C25, C28, C30-C33)',
  (t) => checkIllegal(t, NIC_STATES, NIC_LEGAL, NIC_ILLEGAL),
);

// Rule book A.5.
const MODULE_LEGAL: Rows = {
  detached: 'attach>attaching A48',
  attaching: 'attached>paused A48, attachFailed>detached A49',
  paused: 'restart>restarting A48, detach>detached A52',
  restarting: 'restarted>running A48, restartFailed>paused A49',
  running: 'pause>pausing A48',
  pausing: 'pauseComplete>paused A48',
};
const MODULE_ILLEGAL: Rows = {
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
};
t.test('every legal step of a module, rule book A.5 (A48, A49, A52)', (t) =>
  checkLegal(t, MODULE_STATES, MODULE_LEGAL),
);
t.test('every other step of a module is refused with its rule (A48, A51, A52, A62)', (t) =>
  checkIllegal(t, MODULE_STATES, MODULE_LEGAL, MODULE_ILLEGAL),
);

// S1 with rules A50, A67, A68, A73.
const SWITCH_LEGAL: Rows = {
  created: 'start>starting A47, stop>stopping A1',
  starting:
    'activate>active A68, stackDown>down A50, operate>starting A73, takeAway>starting A73, stop>stopping A1',
  active: 'stackDown>down A50, operate>active A67, takeAway>active A67, stop>stopping A1',
  down: 'stackUp>starting A47, takeAway>down A50, stop>stopping A1',
  stopping: 'operate>stopping A1, takeAway>stopping A1, stop>stopping A1',
};
const SWITCH_ILLEGAL: Rows = {
  created: 'activate A68, stackDown A50, stackUp A50, operate A67, takeAway A67',
  starting: 'start A1, stackUp A50',
  active: 'start A1, activate A68, stackUp A50',
  down: 'start A1, activate A50, stackDown A50, operate A50',
  stopping: 'start A1, activate A68, stackDown A50, stackUp A50',
};
t.test('every legal step of a switch, S1 (A1, A47, A50, A67, A68, A73)', (t) =>
  checkLegal(t, SWITCH_STATES, SWITCH_LEGAL),
);
t.test('every other step of a switch is refused with its rule (A1, A50, A67, A68)', (t) =>
  checkIllegal(t, SWITCH_STATES, SWITCH_LEGAL, SWITCH_ILLEGAL),
);
