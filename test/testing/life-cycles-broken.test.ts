import t from 'tap';
import type { ExtensionDefinition } from '../../src/sdk/index.ts';
import { lifeCycles, runLifeCycle } from '../../src/testing/index.ts';
import * as connections from './broken/connections.ts';
import * as stack from './broken/stack.ts';

t.setTimeout(120_000);

interface Broken {
  readonly make: () => ExtensionDefinition;
  readonly lifeCycle: string;
  readonly rule: string;
  readonly message: RegExp;
  /** It goes wrong nowhere else. */
  readonly only?: true;
}

/** What each mistake breaks: the life cycle whose origin it is. */
const BROKEN: readonly Broken[] = [
  {
    make: stack.countsUsersOnce,
    lifeCycle: 'toggle-with-ports',
    rule: 'F7',
    message: /^enabled again, round 1: ask the host port: no extension of switch Toggled reports/,
  },
  {
    make: stack.asksNothing,
    lifeCycle: 'toggle-with-ports',
    rule: 'J11',
    message: /^update the host port in round 1: extension Asks nothing refused the update/,
  },
  {
    make: stack.keepsItsTables,
    lifeCycle: 'toggle-with-ports',
    rule: 'J11',
    message: /^update VM1 eth0 in round 1: extension Keeps its tables refused the update/,
  },
  {
    make: stack.queuesWhilePausing,
    lifeCycle: 'disable-during-traffic-set-up',
    rule: 'NdisTimedOidComplete',
    message: /^Queues while pausing held OID_SWITCH_NIC_CONNECT for 12000 ms/,
    only: true,
  },
  {
    make: stack.neverPauses,
    lifeCycle: 'disable-during-traffic-set-up',
    rule: 'NdisFilterTimedPauseComplete',
    message: /^Never pauses did not pause: .*not kept within 12000 ms/,
  },
  {
    make: stack.knowsConnectedOnly,
    lifeCycle: 'enable-during-start',
    rule: 'C40',
    message: /^Knows connected NICs only completed OID_SWITCH_NIC_CONNECT with NDIS_STATUS_FAILURE/,
    only: true,
  },
  {
    make: stack.freesTooEarly,
    lifeCycle: 'uninstall-race',
    rule: 'D6',
    message: /^Frees too early threw in its handler of OID_SWITCH_/,
  },
  {
    make: connections.forgetsInternalPort,
    lifeCycle: 'internal-nic-reconnect',
    rule: 'C33',
    message:
      /^connect the internal NIC again: extension Forgets the internal port refused NIC 1\/0/,
    only: true,
  },
  {
    make: connections.oneNicBelow,
    lifeCycle: 'teamed-uplink',
    rule: 'C37',
    message: /^One NIC below completed OID_SWITCH_NIC_CREATE with NDIS_STATUS_RESOURCES/,
    only: true,
  },
  {
    make: connections.mixesUpMembers,
    lifeCycle: 'teamed-uplink',
    rule: 'C37',
    message: /^Mixes up team members completed OID_SWITCH_NIC_CREATE with NDIS_STATUS_DATA_NOT/,
    only: true,
  },
  {
    make: stack.oneSwitchOnly,
    lifeCycle: 'several-switches',
    rule: 'A48',
    message: /^create switch East: One switch only refused in attach: .*only one datapath/,
    only: true,
  },
  {
    make: connections.oneTableForAll,
    lifeCycle: 'several-switches',
    rule: 'A39',
    message: /^disabled on East: update VM on two eth0: extension One table for all refused/,
    only: true,
  },
  {
    make: stack.needsItsDevice,
    lifeCycle: 'service-restart',
    rule: 'A50',
    message: /^after start 1, on Restarted: Needs its device is enabled, but not running: /,
  },
  {
    make: connections.oneConnectionAtATime,
    lifeCycle: 'vms-stop-together',
    rule: 'B16',
    message: /^start VMs, round 1: extension One connection at a time refused the NIC/,
  },
  {
    make: connections.keepsPortReferenced,
    lifeCycle: 'vms-stop-together',
    rule: 'B39',
    message: /^Keeps the port referenced dereferenced port \d+, which it does not reference/,
  },
  {
    make: connections.cleansUpTwice,
    lifeCycle: 'clean-up-once',
    rule: 'B39',
    message: /^Cleans up twice dereferenced port \d+, which it does not reference/,
    only: true,
  },
  {
    make: connections.cleansOneOfTwo,
    lifeCycle: 'clean-up-once',
    rule: 'B29',
    message: /^start VM1 after OID_SWITCH_NIC_CREATE was refused: extension Cleans one of two/,
  },
];

t.test('every life cycle has an extension that it breaks', async (t) => {
  t.strictSame(
    lifeCycles
      .map(({ name }) => name)
      .filter((name) => !BROKEN.some((it) => it.lifeCycle === name)),
    [],
  );
});

for (const { make, lifeCycle: name, rule, message, only } of BROKEN) {
  t.test(`${make.name} fails ${name} by rule ${rule}`, async (t) => {
    for (const lifeCycle of lifeCycles) {
      if (lifeCycle.name !== name && only !== true) continue;
      const isIts = lifeCycle.name === name;
      const report = await runLifeCycle(lifeCycle, { extension: make(), seeds: isIts ? 3 : 1 });
      if (!isIts) {
        t.strictSame(report.failures, [], `${lifeCycle.name} does not see it`);
        continue;
      }
      t.equal(report.ok, false);
      const found = report.failures.some((it) => it.rule === rule && message.test(it.message));
      t.ok(found, `${rule} ${message}`, { failures: report.failures });
    }
  });
}

t.test('the seed of a failed race plays the same failure again', async (t) => {
  const race = lifeCycles.find((it) => it.name === 'vms-stop-together');
  if (race === undefined) throw new Error('it is in the list');
  const make = connections.oneConnectionAtATime;
  const found = await runLifeCycle(race, { extension: make(), seeds: 50 });
  const again = await runLifeCycle(race, { extension: make(), seed: found.seed });
  t.equal(again.ok, false);
  t.strictSame(again.failures, found.failures);
  t.equal(again.trace, found.trace);
});
