import type { LifeCycle } from './life-cycle.ts';
import { switchOwner } from './policy-owner.ts';

export const severalSwitches: LifeCycle = {
  name: 'several-switches',
  title: 'The extension runs on several switches at once',
  origin: [
    {
      what: 'Open vSwitch, OvsExtAttach in datapath-windows/ovsext/Switch.c (until the port was removed): a second switch fails to attach, "only one datapath is supported"',
      url: 'https://github.com/openvswitch/ovs/blob/v3.6.0/datapath-windows/ovsext/Switch.c',
    },
    {
      what: 'ovn-kubernetes #272: "OVS works only when enabled on a single vSwitch"',
      url: 'https://github.com/ovn-kubernetes/ovn-kubernetes/issues/272',
    },
    {
      what: 'ovs-issues #101, "IpHelper support for multiple internal adapter instances"',
      url: 'https://github.com/openvswitch/ovs-issues/issues/101',
    },
  ],
  story:
    'All the extension knew was in one global variable, for one switch. On a host with two switches the attach to the second one failed.',
  checks:
    'It runs on each of three switches, whose ports have the same ids; what happens on one changes nothing on the others: disabling, a VM with an adapter on each, and a switch that is deleted.',
  rules: ['A1', 'A37', 'A39', 'A48', 'B1', 'E20'],
  isRace: false,
  async run(stage) {
    const names = ['North', 'East', 'South'] as const;
    for (const name of names) {
      await stage.createSwitch(name);
      await stage.act(`add policies to ${name}`, () => stage.policies.add(switchOwner(name)));
    }
    for (const name of names) {
      await stage.createVm(`VM on ${name}`, [name]);
      await stage.act(`start VM on ${name}`, () => stage.start(`VM on ${name}`), 'B1');
    }
    const bridged = await stage.createVm('VM on two', ['North', 'East']);
    const owners = [switchOwner('North'), switchOwner('East'), ...bridged];
    await stage.act('start VM on two', () => stage.start('VM on two'), 'B1');
    const use = async (when: string): Promise<void> => {
      for (const owner of owners) {
        await stage.act(
          `${when}: update ${owner.title}`,
          () => stage.policies.update(owner),
          'A39',
        );
      }
      for (const vm of ['VM on North', 'VM on two']) {
        await stage.act(`${when}: stop ${vm}`, () => stage.stop(vm), 'A39');
        await stage.act(`${when}: start ${vm}`, () => stage.start(vm), 'A39');
      }
      await stage.check(when);
    };
    await use('on three switches');
    await stage.disable('East');
    await use('disabled on East');
    await stage.enable('East');
    await use('enabled on East again');
    await stage.deleteVm('VM on South');
    await stage.deleteSwitch('South');
    await use('South is gone');
    await stage.disable('North');
    await stage.disable('East');
    await stage.enable('North');
    await use('on North only');
    for (const owner of owners) {
      await stage.act(`remove policies of ${owner.title}`, () => stage.policies.remove(owner));
    }
  },
};
