import type { LifeCycle } from './life-cycle.ts';
import { portOwner, switchOwner } from './policy-owner.ts';

const MEMBERS = ['Ethernet 1', 'Ethernet 2', 'Ethernet 3'] as const;

export const teamedUplink: LifeCycle = {
  name: 'teamed-uplink',
  title: 'The uplink is a team, whose members come and go',
  origin: [
    {
      what: 'ovs-issues #78, "Hyperv BSODs when OVS extension is enabled on a vSwitch backed by a NicTeam adapter"',
      url: 'https://github.com/openvswitch/ovs-issues/issues/78',
    },
    {
      what: 'ovs-issues #111, "Hyper-V host BSODs when OVS extension is enabled on vSwitch connected to a NIC team"',
      url: 'https://github.com/openvswitch/ovs-issues/issues/111',
    },
    {
      what: 'ovs-issues #102, "Updating an External Adapter causes flow lookup failure"',
      url: 'https://github.com/openvswitch/ovs-issues/issues/102',
    },
    {
      what: 'ovs-issues #79, "Disconnecting the NIC from HV switch and then unloading the driver hits ASSERT"',
      url: 'https://github.com/openvswitch/ovs-issues/issues/79',
    },
  ],
  story:
    'The extension assumed one physical NIC below a switch. Hosts crashed when it was enabled on a team; an adapter that was disabled and enabled again was dropped from a table and never put back; an assertion on the count of physical NICs hit when the driver was unloaded after one was disconnected.',
  checks:
    'Each adapter below the external NIC is a connection of its own by (PortId, NicIndex): members leave and come back, links go down and up, the team is replaced by an LBFO team, and the extension is enabled with all of it there.',
  rules: ['C3', 'C4', 'C5', 'C37', 'C40', 'C51', 'C52', 'C54', 'C55', 'H3'],
  isRace: false,
  async run(stage) {
    const name = 'Teamed';
    const adapters = MEMBERS.map((it) => ({ name: it, virtualFunctions: 4, queues: 8 }));
    const uplink = { team: 'switch', adapters } as const;
    await stage.createSwitch(name, { type: 'external', uplink, managementOs: true });
    const host = () => stage.switch(name).host;
    const portId = host().uplink?.port.id ?? '';
    const owner = portOwner('the uplink', name, portId);
    const nics = () => stage.switch(name).ports.get(portId).nics;
    const members = (): string =>
      nics()
        .list()
        .map(({ index }) => index)
        .sort((a, b) => a - b)
        .join();
    await stage.act('add policies to the uplink', () => stage.policies.add(owner));
    await stage.createVm('VM1', [name]);
    await stage.act('start VM1', () => stage.start('VM1'));
    stage.expect(members() === '0,1,2,3', `the uplink has NICs ${members()}`, 'C4');
    await stage.check('with the team');
    for (const index of [2, 1]) {
      await stage.act(`adapter ${index} leaves`, () => nics().disconnect(index), 'C55');
      await stage.act('link of adapter 3 down', () => host().setLink(3, false), 'H3');
      await stage.check(`without adapter ${index}`);
      await stage.act('update policies', () => stage.policies.update(owner), 'C51');
      await stage.act(`adapter ${index} is back`, () => nics().connect({ index }), 'C37');
      await stage.act('link of adapter 3 up', () => host().setLink(3, true), 'H3');
      await stage.check(`with adapter ${index} again`);
    }
    await stage.disable(name);
    await stage.act('adapter 2 leaves meanwhile', () => nics().disconnect(2));
    await stage.enable(name);
    await stage.act('adapter 2 is back', () => nics().connect({ index: 2 }), 'C37');
    await stage.check('enabled on the team');
    await stage.act('update policies', () => stage.policies.update(owner), 'J11');
    await stage.act('disconnect the uplink', () => host().disconnectUplink(), 'C54');
    stage.policies.forget(owner);
    await stage.check('without uplink');
    const lbfo = { team: 'lbfo', adapters: [{ name: 'Team 1' }] } as const;
    await stage.act('connect an LBFO team', () => host().connectUplink(lbfo), 'C5');
    stage.expect(host().uplink?.operational === true, 'the LBFO team is not operational', 'C53');
    await stage.check('with the LBFO team');
    await stage.act('add policies to the switch', () => stage.policies.add(switchOwner(name)));
    await stage.act('stop VM1', () => stage.stop('VM1'));
    await stage.act('disconnect the LBFO team', () => host().disconnectUplink(), 'C54');
  },
};
