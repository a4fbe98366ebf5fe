import type { LifeCycle } from './life-cycle.ts';

const NAMES = ['VM1', 'VM2', 'VM3'] as const;

export const enableDuringStart: LifeCycle = {
  name: 'enable-during-start',
  title: 'The extension comes in the middle of connections being made',
  origin: [
    {
      what: 'xdp-for-windows #56, "Handle offload initialization race": an OID may be in flight before the filter can inspect it',
      url: 'https://github.com/microsoft/xdp-for-windows/issues/56',
    },
    {
      what: 'xdp-for-windows #278, "functional tests are flaky: XDP driver fails to start"',
      url: 'https://github.com/microsoft/xdp-for-windows/issues/278',
    },
    {
      what: 'xdp-for-windows #513, "Functional test failure - NDIS pause/restart delayed"',
      url: 'https://github.com/microsoft/xdp-for-windows/issues/513',
    },
  ],
  story:
    'A filter asks for the state of things when it attaches, and hears of changes from then on. What was on its way at that moment was in neither: it worked with a state that was never told.',
  checks:
    'Enabled between any two OIDs of a connection it finds ports without NICs and NICs that are created, not connected; whatever comes next for them it takes.',
  rules: ['J8', 'J11', 'J13', 'J14', 'A65', 'C40', 'C45'],
  isRace: true,
  async run(stage) {
    const name = 'Joined';
    await stage.createSwitch(name);
    const owners = [];
    for (const vm of NAMES) owners.push(...(await stage.createVm(vm, [name, name])));
    await stage.disable(name);
    await stage.together(
      'start VMs while it is enabled',
      [...NAMES.map((vm) => () => stage.start(vm)), () => stage.toggle(name, true)],
      'J11',
    );
    await stage.check('enabled while VMs started');
    await stage.together(
      'update policies',
      owners.map((it) => () => stage.policies.update(it)),
      'J11',
    );
    await stage.disable(name);
    await stage.together(
      'stop VMs while it is enabled',
      [...NAMES.map((vm) => () => stage.stop(vm)), () => stage.toggle(name, true)],
      'J11',
    );
    await stage.check('enabled while VMs stopped');
    await stage.together(
      'start VMs',
      NAMES.map((vm) => () => stage.start(vm)),
    );
    await stage.check('VMs started with it');
    for (const owner of owners) {
      await stage.act(
        `remove policies of ${owner.title}`,
        () => stage.policies.remove(owner),
        'J11',
      );
    }
    await stage.together(
      'stop VMs',
      NAMES.map((vm) => () => stage.stop(vm)),
    );
  },
};
