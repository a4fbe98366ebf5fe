import type { LifeCycle } from './life-cycle.ts';
import { portOwner } from './policy-owner.ts';

export const internalNicReconnect: LifeCycle = {
  name: 'internal-nic-reconnect',
  title: 'The internal NIC is disconnected and connected again, its port stays',
  origin: [
    {
      what: 'Open vSwitch 40570384b, "Do not delete internal port on OID_SWITCH_NIC_DISCONNECT"',
      url: 'https://github.com/openvswitch/ovs/commit/40570384b',
    },
    {
      what: 'Open vSwitch ad0d70d2d, "Fix crash when internal port is removed"',
      url: 'https://github.com/openvswitch/ovs/commit/ad0d70d2d',
    },
  ],
  story:
    'The extension forgot the port of an internal NIC when the NIC was disconnected. The switch keeps the port and creates the NIC on it again: the extension then refused a NIC on a port it did not know.',
  checks:
    'The port and its policies outlive its NIC; policies change while the port has none; the NIC comes back on the same port, also after the extension was disabled and enabled in between; in the end the port goes.',
  rules: ['B15', 'B20', 'C30', 'C33', 'E38'],
  isRace: false,
  async run(stage) {
    const name = 'Internal';
    await stage.createSwitch(name, { type: 'internal', managementOs: true });
    const portId = stage.hostPort(name);
    const host = portOwner('the host port', name, portId);
    const port = () => stage.switch(name).ports.get(portId);
    const disconnect = (): Promise<void> =>
      stage.act('disconnect the internal NIC', () => port().nics.disconnect(0), 'C30');
    const connect = async (): Promise<void> => {
      await stage.act('connect the internal NIC again', () => port().nics.connect(), 'C33');
    };
    await stage.act('add policies to the host port', () => stage.policies.add(host));
    await stage.act('ask the host port', () => stage.policies.ask(host));
    await stage.check('at first');
    for (let round = 1; round <= 2; round += 1) {
      await disconnect();
      stage.expect(port().info.state === 'created', 'the port of the internal NIC is gone', 'C33');
      await stage.check(`without its NIC, round ${round}`);
      await stage.act('update policies without a NIC', () => stage.policies.update(host), 'E20');
      await connect();
      await stage.check(`with its NIC again, round ${round}`);
      await stage.act('ask again', () => stage.policies.ask(host), 'F7');
      await stage.act('update policies', () => stage.policies.update(host), 'E26');
    }
    await disconnect();
    await stage.disable(name);
    await stage.enable(name);
    await connect();
    await stage.check('with its NIC after it was enabled without');
    await stage.act('remove policies', () => stage.policies.remove(host), 'E26');
    await stage.act('delete the host port', () => port().delete(), 'B21');
  },
};
