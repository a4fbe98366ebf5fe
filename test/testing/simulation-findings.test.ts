import t from 'tap';
import {
  type NicRequestCounters,
  nicRequestSize,
  readNicRequest,
  writeNicRequest,
  writeNicRequestCounters,
} from '../../src/abi/index.ts';
import type { TraceEntry } from '../../src/policy/api.ts';
import { byteFlaw } from '../../src/testing/simulation/byte-laws.ts';
import { drawSetting } from '../../src/testing/simulation/draw-step.ts';
import { play } from '../../src/testing/simulation/play.ts';
import {
  BEHAVIOURS,
  type History,
  type Setting,
  type Step,
} from '../../src/testing/simulation/step.ts';

/*
 * Histories that seeds have found and shrinking has shortened: of defects that are mended, and of laws that were wrong. All hold.
 */

t.setTimeout(120_000);

const setting: Setting = {
  seed: 'found',
  hosts: ['h1', 'h2'],
  profile: 'ws2022',
  scheduling: 'fifo',
  behaviour: {},
};
const createVm = { do: 'createVm', host: 'h1', vm: 'V', adapters: ['A'] } as const;
const startVm = { do: 'vm', verb: 'start', vm: 'V' } as const;
const on = { vm: 'V', adapter: 'n0' } as const;

const FOUND: Readonly<Record<string, readonly Step[]>> = {
  // A migration whose destination dies taking the VM and stays away: a person decides, and one host has it when both are there.
  'a person decides while the destination is away, which had the VM (G39)': [
    createVm,
    { do: 'addPolicy', ...on, policy: 1, value: 1 },
    startVm,
    {
      do: 'migrate',
      vm: 'V',
      to: 'h2',
      rules: [{ host: 'h2', at: 'store', effect: 'crashAnswered', nth: 2, times: 1 }],
      staysAway: true,
    },
    { do: 'resumeMigration', host: 'h1', vm: 'V' },
    { do: 'settleMigration', host: 'h1', vm: 'V', owner: 'source' },
    { do: 'updatePolicy', ...on, policy: 1, value: 2 },
    { do: 'hostComesBack', host: 'h2' },
  ],
  // Seed 30836. A class becomes newer where a VM comes to at that moment: its values take the defaults of the newer one.
  'a newer class comes as one of a whole while a VM moves there (decision 0003)': [
    createVm,
    { do: 'addPolicy', ...on, policy: 1, value: 1 },
    {
      do: 'together',
      steps: [
        { do: 'migrate', vm: 'V', to: 'h2' },
        {
          do: 'atomic',
          host: 'h2',
          throws: false,
          steps: [{ do: 'registerClasses', host: 'h2', version: 2 }],
        },
      ],
    },
  ],
  // Seed 10027. A switch that was being made while an extension was installed did not have it until a restart.
  'an extension is installed while a switch is made: it is on it, disabled (A36, A42)': [
    {
      do: 'together',
      steps: [
        { do: 'installGuest', host: 'h1' },
        { do: 'createSwitch', host: 'h1', switch: 'S', type: 'private' },
      ],
    },
  ],
  // Seed 1106. A refused removal leaves the policy where it is: the update after it is no update of nothing.
  'a policy whose removal was refused is updated (E14)': [
    createVm,
    { do: 'addPolicy', ...on, policy: 1, value: 1 },
    startVm,
    {
      do: 'removePolicy',
      ...on,
      policy: 1,
      mischief: [{ extension: 'rogue', nth: 1, what: 'pendAndAnswer', delayMs: 0 }],
    },
    { do: 'updatePolicy', ...on, policy: 1, value: 2 },
  ],
  // Seed 2066. Rule book D.3: only NIC_CREATE of index 0 may be vetoed; a physical adapter is there whatever they say.
  'an extension refuses the NIC of a physical adapter (D.3, OP-28)': [
    {
      do: 'copySwitch',
      host: 'h1',
      switch: 'A',
      to: 'h2',
      copy: 'C',
      mischief: [{ extension: 'forwarder', nth: 3, what: 'completeInside', delayMs: 0 }],
    },
    {
      do: 'connectUplink',
      host: 'h1',
      switch: 'B',
      team: 'none',
      adapters: 1,
      mischief: [{ extension: 'forwarder', nth: 3, what: 'completeInside', delayMs: 0 }],
    },
  ],
  // Seed 2078. The undo of a move makes the NIC that was refused elsewhere with the very same bytes: no retry (OP-29).
  'a NIC that is refused on its way is made again where it was (OP-29)': [
    createVm,
    startVm,
    {
      do: 'atomic',
      host: 'h1',
      throws: false,
      steps: [
        { do: 'addAdapter', vm: 'V', adapter: 'n6', switch: 'A' },
        { do: 'connectAdapter', ...on, switch: 'A' },
      ],
      mischief: [{ extension: 'rogue', nth: 6, what: 'completeInside', delayMs: 0 }],
    },
  ],
};

for (const [name, steps] of Object.entries(FOUND)) {
  t.test(name, async (t) => {
    const { breach } = await play({ setting, steps });
    t.equal(breach, undefined, `${breach?.invariant}: ${breach?.message}`);
  });
}

t.test('every way to misbehave, at each of the first requests of a start', async (t) => {
  const setting = { ...drawSetting('behave'), hosts: ['h1'] };
  for (const what of BEHAVIOURS) {
    for (const nth of [1, 2, 3, 4]) {
      const vm = 'V';
      const mischief = [{ extension: 'rogue', nth, what, delayMs: 5 }] as const;
      const steps: Step[] = [
        { do: 'createVm', host: 'h1', vm, adapters: ['A'] },
        { do: 'addPolicy', vm, adapter: 'n0', policy: 1, value: 7 },
        { do: 'vm', verb: 'start', vm, mischief },
        { do: 'vm', verb: 'start', vm },
        { do: 'vm', verb: 'save', vm, mischief },
        { do: 'crashHost', host: 'h1' },
        { do: 'vm', verb: 'stop', vm, mischief },
      ];
      const { breach } = await play({ setting, steps });
      t.equal(breach, undefined, `${what} at request ${nth}: ${breach?.message}`);
    }
  }
});

t.test('every message of a migration lost, or the last thing a host says: one owner', async (t) => {
  const setting = { ...drawSetting('messages'), hosts: ['h1', 'h2'] };
  for (const message of ['compare', 'prepare', 'take', 'forget'] as const) {
    for (const effect of ['lost', 'lostAnswer', 'crash', 'crashAnswered'] as const) {
      const rules = [{ host: 'h1', at: 'message', message, effect, times: 1 }] as const;
      const history: History = {
        setting,
        steps: [
          { do: 'createVm', host: 'h1', vm: 'V', adapters: ['A'] },
          { do: 'addPolicy', vm: 'V', adapter: 'n0', policy: 1, value: 7 },
          { do: 'vm', verb: 'start', vm: 'V' },
          { do: 'migrate', vm: 'V', to: 'h2', rules },
        ],
      };
      const { breach } = await play(history);
      t.equal(breach, undefined, `${message} ${effect}: ${breach?.message}`);
    }
  }
});

t.test('the answer of an adapter stands in the arm of its type (ndis-switch-abi 2)', (t) => {
  const entry = (requestType: number, counters: NicRequestCounters): TraceEntry => {
    const bytes = new Uint8Array(nicRequestSize(8));
    const head = {
      ...{ sourcePortId: 0, sourceNicIndex: 0, destinationPortId: 1, destinationNicIndex: 1 },
      ...{ requestType, oid: 0x00010207 },
    };
    const isQuery = requestType === 0;
    const input = new Uint8Array(isQuery ? 0 : 8);
    writeNicRequest(bytes, 0, head, input, requestType === 1 ? 0 : 8);
    const output = bytes.slice();
    writeNicRequestCounters(output, readNicRequest(output), counters);
    return {
      ...{ seq: 1, time: 0, switch: 'A', oid: 'OID_SWITCH_NIC_REQUEST', request: 1 },
      ...{ requestType: 'method', origin: 'rogue', status: 'NDIS_STATUS_SUCCESS' },
      route: [{ module: 'miniportEdge', verdict: 'NDIS_STATUS_SUCCESS' }],
      ...{ input: bytes, output },
    } as TraceEntry;
  };
  const none = { bytesRead: 0, bytesWritten: 0, bytesNeeded: 0 };
  const whole = { bytesRead: 8, bytesWritten: 8, bytesNeeded: 0 };
  for (const type of [0, 1, 12]) t.equal(byteFlaw(entry(type, whole)), undefined, `type ${type}`);
  const unread = (type: number) => `a request of type ${type}: BytesRead 0, 8 were sent`;
  for (const type of [1, 12]) t.equal(byteFlaw(entry(type, none)), unread(type));
  const beyond = { ...whole, bytesWritten: 9 };
  for (const type of [0, 12]) {
    t.equal(byteFlaw(entry(type, beyond)), `a request of type ${type}: BytesWritten 9 in 8 bytes`);
  }
  for (const type of [0, 1, 12]) {
    const wanted = `a request of type ${type} succeeded and needs 4 more bytes`;
    t.equal(byteFlaw(entry(type, { ...whole, bytesNeeded: 4 })), wanted);
  }
  t.end();
});
