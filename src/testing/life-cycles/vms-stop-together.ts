import type { LifeCycle } from './life-cycle.ts';

const NAMES = ['VM1', 'VM2', 'VM3', 'VM4'] as const;

export const vmsStopTogether: LifeCycle = {
  name: 'vms-stop-together',
  title: 'Several VMs start together and stop together',
  origin: [
    {
      what: 'Open vSwitch d4484c21f, "Fix race condition when deleting internal ports"',
      url: 'https://github.com/openvswitch/ovs/commit/d4484c21f',
    },
    {
      what: 'Open vSwitch adffc2f75, "Fix race condition during port creation"',
      url: 'https://github.com/openvswitch/ovs/commit/adffc2f75',
    },
  ],
  story:
    'The lock on the table of ports was given back between the steps of one connection. When several connections came or went at the same time, one could meet the half-done state of another. Both were found by reading the code.',
  checks:
    'Ports and NICs of several VMs come and go interleaved OID by OID: each goes its own way through its states, no one waits for another, and nothing of them is left.',
  rules: ['B16', 'B21', 'B35', 'B42', 'C22', 'C31', 'C56'],
  isRace: true,
  async run(stage) {
    const name = 'Crowded';
    await stage.createSwitch(name);
    const owners = [];
    for (const vm of NAMES) owners.push(...(await stage.createVm(vm, [name, name])));
    for (let round = 1; round <= 2; round += 1) {
      await stage.together(
        `start VMs, round ${round}`,
        NAMES.map((vm) => () => stage.start(vm)),
        'B16',
      );
      await stage.check(`all started, round ${round}`);
      await stage.together(
        'update policies of all',
        owners.map((it) => () => stage.policies.update(it)),
      );
      await stage.together(
        `stop VMs, round ${round}`,
        NAMES.map((vm) => () => stage.stop(vm)),
        'B42',
      );
      await stage.check(`all stopped, round ${round}`);
    }
    await stage.together('start some while others stop', [
      () => stage.start('VM1'),
      () => stage.start('VM2'),
    ]);
    await stage.together('start some while others stop', [
      () => stage.stop('VM1'),
      () => stage.start('VM3'),
      () => stage.stop('VM2'),
      () => stage.start('VM4'),
    ]);
    await stage.check('some stopped while others started');
    await stage.together('stop the rest', [() => stage.stop('VM3'), () => stage.stop('VM4')]);
    const left = [...stage.switch(name).ports.list()].length;
    stage.expect(left === 0, `${left} ports are left without a VM`, 'B21');
  },
};
