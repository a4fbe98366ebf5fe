import type { LifeCycle } from './life-cycle.ts';
import { portOwner, switchOwner } from './policy-owner.ts';

const ROUNDS = 2;

export const toggleWithPorts: LifeCycle = {
  name: 'toggle-with-ports',
  title: 'The extension is disabled and enabled while ports exist',
  origin: [
    {
      what: 'ovs-issues #86, "Disabling and re-enabling the OVS extension does not permit userspace to open handles"',
      url: 'https://github.com/openvswitch/ovs-issues/issues/86',
    },
    {
      what: 'Open vSwitch 18b19ad91, "Initialize reference count when enabling extension"',
      url: 'https://github.com/openvswitch/ovs/commit/18b19ad91',
    },
    {
      what: 'ovs-issues #53, "BSOD when printing datapath summary while the extension is disabled"',
      url: 'https://github.com/openvswitch/ovs-issues/issues/53',
    },
  ],
  story:
    'A count of users of the switch was set when the driver loaded and ran down to zero at the first disable. After the extension was enabled again nobody could reach the switch any more; while it was disabled, asking crashed the host.',
  checks:
    'Policies change, VMs start and stop while it is disabled. Enabled again it runs, knows what is there by queries, answers what it answered before, and refuses none of what it accepted before.',
  rules: ['A37', 'A46', 'A47', 'J11', 'A69', 'E26', 'E38'],
  isRace: false,
  async run(stage) {
    const name = 'Toggled';
    await stage.createSwitch(name, { type: 'internal', managementOs: true });
    const host = portOwner('the host port', name, stage.hostPort(name));
    const [a] = await stage.createVm('VM1', [name]);
    const [b, c] = await stage.createVm('VM2', [name, name]);
    const ports = [host, a, b, c].filter((owner) => owner !== undefined);
    const owners = [switchOwner(name), ...ports];
    for (const owner of [host, switchOwner(name)]) {
      await stage.act(`add policies to ${owner.title}`, () => stage.policies.add(owner));
    }
    await stage.act('start VM1', () => stage.start('VM1'));
    await stage.act('start VM2', () => stage.start('VM2'));
    const ask = async (when: string): Promise<void> => {
      for (const owner of owners) {
        if (owner !== b && owner !== c) {
          await stage.act(`${when}: ask ${owner.title}`, () => stage.policies.ask(owner), 'F7');
        }
      }
    };
    await ask('at first');
    await stage.check('at first');
    for (let round = 1; round <= ROUNDS; round += 1) {
      await stage.disable(name);
      for (const owner of owners) {
        await stage.act(`update ${owner.title} meanwhile`, () => stage.policies.update(owner));
      }
      await stage.act('remove policies of VM1 meanwhile', () =>
        stage.policies.remove(ports[1] ?? host),
      );
      await stage.act('add policies to VM1 meanwhile', () => stage.policies.add(ports[1] ?? host));
      await stage.act('stop VM2 meanwhile', () => stage.stop('VM2'));
      await stage.check(`disabled, round ${round}`);
      await stage.enable(name);
      await stage.check(`enabled again, round ${round}`);
      await ask(`enabled again, round ${round}`);
      for (const owner of owners) {
        await stage.act(
          `update ${owner.title} in round ${round}`,
          () => stage.policies.update(owner),
          'J11',
        );
      }
      await stage.act(`start VM2 in round ${round}`, () => stage.start('VM2'), 'J11');
      await stage.act(`stop VM1 in round ${round}`, () => stage.stop('VM1'), 'J11');
      await stage.act(`start VM1 in round ${round}`, () => stage.start('VM1'), 'J11');
      await stage.check(`in use again, round ${round}`);
    }
    for (const owner of owners) {
      await stage.act(`remove policies of ${owner.title}`, () => stage.policies.remove(owner));
    }
  },
};
