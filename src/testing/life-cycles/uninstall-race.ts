import type { LifeCycle } from './life-cycle.ts';
import { switchOwner } from './policy-owner.ts';

const NAMES = ['VM1', 'VM2', 'VM3'] as const;
const ROUNDS = 3;
/** Virtual milliseconds in which whatever still runs would show. */
const AFTERWARDS_MS = 60_000;

export const uninstallRace: LifeCycle = {
  name: 'uninstall-race',
  title: 'The extension goes while requests are being handled',
  origin: [
    {
      what: 'Open vSwitch 6c4e7adb0, "Solved BSOD when uninstalling the driver (race condition)"',
      url: 'https://github.com/openvswitch/ovs/commit/6c4e7adb0',
    },
    {
      what: 'Open vSwitch 8e2fe95e5, "BSOD when disabling the extension"',
      url: 'https://github.com/openvswitch/ovs/commit/8e2fe95e5',
    },
    {
      what: 'Open vSwitch 880b52e6f, "Fix bugs in cleaner threads"',
      url: 'https://github.com/openvswitch/ovs/commit/880b52e6f',
    },
  ],
  story:
    'What the extension knew of its switch was freed, and the pointer to it cleared, while requests and packets were still under way; threads that ran on after the detach took locks that were gone. Each of them stopped the host.',
  checks:
    'Queries, policy changes and a stopping VM go on while the extension is paused and detached: nothing throws, every request ends, nothing of it runs afterwards, and installed again it serves.',
  rules: ['A60', 'A61', 'A63', 'A65', 'D6', 'B39'],
  isRace: true,
  async run(stage) {
    const name = 'Uninstalled';
    await stage.createSwitch(name);
    const owners = (await Promise.all(NAMES.map((vm) => stage.createVm(vm, [name])))).flat();
    await stage.act('add policies to the switch', () => stage.policies.add(switchOwner(name)));
    owners.push(switchOwner(name));
    await stage.together(
      'start VMs',
      NAMES.map((vm) => () => stage.start(vm)),
    );
    for (let round = 1; round <= ROUNDS; round += 1) {
      await stage.together(
        `disable it while requests are handled, round ${round}`,
        [
          ...owners.map((owner) => () => stage.policies.askWhileItGoes(owner)),
          () => stage.toggle(name, false),
          ...owners.map((owner) => () => stage.policies.update(owner)),
          () => stage.stop('VM1'),
        ],
        'A65',
      );
      await stage.pass(AFTERWARDS_MS);
      await stage.check(`gone, round ${round}`);
      await stage.enable(name);
      await stage.act('start VM1', () => stage.start('VM1'), 'J11');
      for (const owner of owners) {
        await stage.act(`ask ${owner.title} again`, () => stage.policies.ask(owner), 'F7');
        await stage.act(`update ${owner.title}`, () => stage.policies.update(owner), 'J11');
      }
      await stage.check(`there again, round ${round}`);
    }
    await stage.together(
      'stop VMs',
      NAMES.map((vm) => () => stage.stop(vm)),
    );
    await stage.together('the switch goes while it is asked', [
      () => stage.policies.askWhileItGoes(switchOwner(name)),
      () => stage.policies.remove(switchOwner(name)),
    ]);
  },
};
