import type { VerifyStage } from '../stages.ts';

/** Rule A73, OP-20: ports and NICs come before the switch is active, and the arrays repeat them. */
export const beforeActivation: VerifyStage = {
  name: 'before-activation',
  title: 'Host ports are there before the switch is active',
  isRace: false,
  behaviour: { activation: 'last' },
  async run(stage) {
    const name = 'Early';
    const made = await stage.createSwitch(name, { type: 'internal', managementOs: true }, 'A73');
    stage.expect([...made.ports.list()].length === 1, 'the internal port is not there', 'A73');
    await stage.createVm('VM1', [name]);
    await stage.act('start VM1', () => stage.start('VM1'), 'A73');
    await stage.act('stop VM1', () => stage.stop('VM1'));
  },
};
