import type { LifeCycle } from './life-cycle.ts';
import { portOwner, switchOwner } from './policy-owner.ts';

export const serviceRestart: LifeCycle = {
  name: 'service-restart',
  title: 'The service starts again, and the extension is enabled again',
  origin: [
    {
      what: 'ovs-issues #96, "Enable failure after restarting extension"; Open vSwitch 32e35d7dd',
      url: 'https://github.com/openvswitch/ovs-issues/issues/96',
    },
    {
      what: 'ovs-issues #77, "OVSEXT fails to be enabled at boot"; Open vSwitch 9719aee5c',
      url: 'https://github.com/openvswitch/ovs-issues/issues/77',
    },
    {
      what: 'ovs-issues #67, "BSOD when loading an activated extension"; Open vSwitch 448d667b7',
      url: 'https://github.com/openvswitch/ovs-issues/issues/67',
    },
    {
      what: 'antrea PR #706: after a reboot the network is gone and the extension disabled',
      url: 'https://github.com/antrea-io/antrea/pull/706',
    },
  ],
  story:
    'Stopped and started again, the extension was attached before the device object its attach needed was made, and could not be enabled any more; at boot it failed because another service was not up yet; loaded while enabled, it took a lock that was not initialized.',
  checks:
    'What was enabled is enabled and runs, what was disabled stays disabled; ports, NICs and policies are back; it refuses none of them, also when it is disabled and enabled again afterwards, three starts in a row.',
  rules: ['A37', 'A49', 'A50', 'A67', 'A68', 'A70', 'A73', 'J12'],
  isRace: false,
  async run(stage) {
    const name = 'Restarted';
    await stage.createSwitch(name, { type: 'internal', managementOs: true });
    const host = portOwner('the host port', name, stage.hostPort(name));
    const vms = await stage.createVm('VM1', [name, name]);
    const owners = [switchOwner(name), host, ...vms];
    await stage.act('add policies to the switch', () => stage.policies.add(switchOwner(name)));
    await stage.act('add policies to the host port', () => stage.policies.add(host));
    await stage.act('start VM1', () => stage.start('VM1'));
    await stage.act('ask the host port', () => stage.policies.ask(host));
    for (let start = 1; start <= 3; start += 1) {
      await stage.restartService();
      await stage.check(`after start ${start}`);
      await stage.act('ask the host port again', () => stage.policies.ask(host), 'J12');
      for (const owner of owners) {
        await stage.act(`update ${owner.title}`, () => stage.policies.update(owner), 'J12');
      }
      await stage.disable(name);
      await stage.enable(name);
      await stage.check(`enabled again after start ${start}`);
      await stage.act('stop VM1', () => stage.stop('VM1'));
      await stage.act('start VM1', () => stage.start('VM1'));
    }
    await stage.disable(name);
    await stage.restartService();
    await stage.check('started while it was disabled');
    await stage.enable(name);
    for (const owner of owners) {
      await stage.act(
        `remove policies of ${owner.title}`,
        () => stage.policies.remove(owner),
        'J11',
      );
    }
  },
};
