import type { LifeCycle } from './life-cycle.ts';

const STEPS = [
  'OID_SWITCH_PORT_CREATE',
  'OID_SWITCH_PORT_PROPERTY_ADD',
  'OID_SWITCH_NIC_CREATE',
] as const;

export const cleanUpOnce: LifeCycle = {
  name: 'clean-up-once',
  title: 'A connection fails half way and is made again',
  origin: [
    {
      what: 'Open vSwitch 1d3950e90, "Avoid BSOD when cleaning up a tunnel vport"',
      url: 'https://github.com/openvswitch/ovs/commit/1d3950e90',
    },
    {
      what: 'Open vSwitch f18390b7f, "Solved BSOD when cleaning up the VXLAN tunnel"',
      url: 'https://github.com/openvswitch/ovs/commit/f18390b7f',
    },
  ],
  story:
    'When making a port failed half way it was cleaned up twice, once where it failed and once where ports end, and released twice; or it was forgotten in one of two tables.',
  checks:
    'Another extension refuses the port, a policy and the NIC of a starting VM, and a policy of a running one. Each time the extension takes back what it did once, and the same succeeds afterwards.',
  rules: ['B17', 'B29', 'B39', 'C23', 'C39', 'D14', 'E37'],
  isRace: false,
  async run(stage) {
    const name = 'Cleaned';
    await stage.createSwitch(name);
    const [owner] = await stage.createVm('VM1', [name]);
    const vetoer = stage.below ?? stage.above;
    for (const oid of [...STEPS, ...STEPS]) {
      vetoer.refuseNext(oid);
      await stage.refused(`start VM1, ${oid} is refused`, () => stage.start('VM1'));
      await stage.check(`after ${oid} was refused`);
      await stage.act(`start VM1 after ${oid} was refused`, () => stage.start('VM1'), 'B29');
      await stage.check(`started after ${oid} was refused`);
      await stage.act(`stop VM1 after ${oid} was refused`, () => stage.stop('VM1'), 'B39');
    }
    if (owner === undefined) return;
    await stage.act('start VM1', () => stage.start('VM1'));
    vetoer.refuseNext('OID_SWITCH_PORT_PROPERTY_UPDATE');
    await stage.refused('update policies, refused', () => stage.policies.update(owner));
    await stage.act('update policies', () => stage.policies.update(owner), 'E37');
    vetoer.refuseNext('OID_SWITCH_PORT_PROPERTY_DELETE');
    await stage.refused('remove policies, refused', () => stage.policies.remove(owner));
    await stage.check('after a policy was kept by a veto');
    await stage.act('remove policies', () => stage.policies.remove(owner), 'E37');
    vetoer.refuseNext('OID_SWITCH_PORT_PROPERTY_ADD');
    await stage.refused('add policies, refused', () => stage.policies.add(owner));
    await stage.act('add policies', () => stage.policies.add(owner), 'E37');
    await stage.check('after policies were refused');
    await stage.act('stop VM1', () => stage.stop('VM1'));
  },
};
