import t from 'tap';
import type { FabricInterface } from '../../src/policy/api.ts';
import type { FaultRuleOptions } from '../../src/policy/faults-api.ts';
import { openWorld, SWITCH_SETTING } from './open-world.ts';

/** The writes that a rule at the store meets: issue 5, faults keyed by switch. */

const VLAN = 'Msvm_EthernetSwitchPortVlanSettingData';
type Change = readonly [
  what: string,
  switches: readonly string[],
  change: (fabric: FabricInterface) => Promise<unknown>,
];

/** One write each; VM `both` is on `S` and `T`, `bare` on none. */
const CHANGES: readonly Change[] = [
  ['a switch', ['T'], (fabric) => fabric.switches.create({ name: 'T' })],
  ['a port', ['S'], (fabric) => fabric.switches.get('S').ports.create()],
  [
    'a VM on both',
    ['S', 'T'],
    (fabric) =>
      fabric.vms.create({
        name: 'both',
        adapters: [
          { name: 'e0', switch: 'S' },
          { name: 'e1', switch: 'T' },
        ],
      }),
  ],
  ['a VM on none', [], (fabric) => fabric.vms.create({ name: 'bare', adapters: [{}] })],
  ['a class', [], (fabric) => fabric.features.delete(SWITCH_SETTING)],
  ['a start', ['S', 'T'], (fabric) => fabric.vms.get('both').start()],
  [
    'a policy of an adapter',
    ['T'],
    (fabric) => fabric.vms.get('both').adapter('e1').properties.add(VLAN, {}),
  ],
  ['a save', ['S', 'T'], (fabric) => fabric.vms.get('both').save()],
  ['a move', ['T'], (fabric) => fabric.vms.get('both').adapter('e0').connect('T')],
  ['a removal', ['T'], (fabric) => fabric.vms.get('both').delete()],
];

t.test(
  'a store rule with `switch` meets what is written of that switch and of VMs configured for it, and nothing else',
  async (t) => {
    const { fabric } = await openWorld();
    const rule = (name: string): FaultRuleOptions => ({
      id: name,
      at: 'store',
      effect: 'fail',
      probability: 0,
      switch: name,
    });
    for (const name of ['S', 'T']) fabric.faults.add(rule(name));
    const matched = (): number[] => fabric.faults.list().map((one) => one.matched);
    for (const [what, switches, change] of CHANGES) {
      const before = matched();
      await change(fabric);
      t.strictSame(
        matched().map((count, i) => count - (before[i] ?? 0)),
        ['S', 'T'].map((name) => (switches.includes(name) ? 1 : 0)),
        what,
      );
    }
    await fabric.close();
  },
);

t.test('a recorded write, given as a rule, is met at that write alone', async (t) => {
  /** The change that failed. */
  const play = async (faults: readonly FaultRuleOptions[], isRecorded = false) => {
    const { fabric } = await openWorld();
    const recording = isRecorded ? fabric.faults.record() : undefined;
    for (const one of faults) fabric.faults.add(one);
    for (const [at, [, , change]] of CHANGES.entries()) {
      try {
        await change(fabric);
      } catch (error) {
        t.match(error, { code: 'STORE_UNAVAILABLE' });
        await fabric.close();
        return { at, sites: [] };
      }
    }
    const sites = recording?.sites.filter((site) => site.at === 'store') ?? [];
    await fabric.close();
    return { at: -1, sites };
  };
  const { sites } = await play([], true);
  t.equal(sites.length, CHANGES.length);
  for (const [i, site] of sites.entries()) {
    t.equal(site.switch, CHANGES[i]?.[1][0]);
    const { at } = await play([{ ...site, effect: 'fail', times: 1 }]);
    t.equal(at, i, `write ${i + 1}`);
  }
});
