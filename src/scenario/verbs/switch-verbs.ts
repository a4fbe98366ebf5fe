import type { NicUpdate, PortHandle } from '../../policy/api.ts';
import { listOf, need, objectOf, oneOf, text, whole, yesNo } from '../field.ts';
import { extensionAlias, hostName, switchName } from '../name-fields.ts';
import { switchOwner } from '../policies.ts';
import type { Runtime } from '../runtime.ts';
import { type Verb, verb } from '../verb.ts';
import { given } from './vm-verbs.ts';

const ONE_SWITCH = { switch: need(switchName()), host: hostName() };
const ONE_PORT = { ...ONE_SWITCH, port: need(text('id, number or name of the port')) };

const port = (
  runtime: Runtime,
  values: { readonly switch: string; readonly host?: string | undefined; readonly port: string },
): PortHandle => runtime.switch(values.switch, values.host).sw.ports.get(values.port);

/** Below an uplink. */
const PHYSICAL = objectOf('a physical adapter', {
  name: need(text('name')),
  mac: text('MAC address'),
  virtualFunctions: whole('virtual functions for SR-IOV'),
  queues: whole('queues for VMQ'),
});

/** Fields of a switch, in `hosts` and in `createSwitch`. */
export const SWITCH_FIELDS = {
  name: need(text('name of the switch')),
  type: oneOf('kind of switch, default private', ['private', 'internal', 'external']),
  extensions: listOf(extensionAlias(), 'extensions to enable, top to bottom, by alias'),
};

export const SWITCH_VERBS: readonly Verb[] = [
  verb({
    name: 'createSwitch',
    group: 'switches',
    help: 'Makes a switch and enables extensions on it.',
    fields: { host: hostName(), ...SWITCH_FIELDS },
    check({ name }, _node, { names }) {
      names.switches.add(name);
    },
    async run({ host, name, type, extensions = [] }, runtime) {
      const on = runtime.host(host);
      await on.fabric.switches.create({
        name,
        ...(type === undefined ? {} : { type }),
        extensions: extensions.map((alias) => on.extension(alias)),
      });
    },
  }),
  verb({
    name: 'deleteSwitch',
    group: 'switches',
    help: 'Deletes a switch with its policies.',
    short: 'switch',
    fields: ONE_SWITCH,
    async run({ switch: name, host }, runtime) {
      const { host: on, sw } = runtime.switch(name, host);
      await sw.delete();
      const gone = switchOwner(on.name, name);
      runtime.policies.forget((owner) => owner === gone || owner.endsWith(` of ${gone}`));
    },
  }),
  verb({
    name: 'createPort',
    group: 'switches',
    help: 'Makes a port by hand, beside those of VMs.',
    fields: {
      ...ONE_SWITCH,
      name: text('friendly name'),
      type: oneOf('kind of port', ['generic', 'synthetic', 'emulated', 'internal', 'external']),
    },
    async run({ switch: name, host, ...options }, runtime) {
      await runtime.switch(name, host).sw.ports.create(given(options) as { name?: string });
    },
  }),
  verb({
    name: 'renamePort',
    group: 'switches',
    help: 'Gives a port another friendly name (PORT_UPDATED, B19).',
    fields: { ...ONE_PORT, name: need(text('new friendly name')) },
    async run({ name, ...values }, runtime) {
      const handle = port(runtime, values);
      const before = handle.info.name;
      const { owner } = runtime.properties(values);
      const after = await handle.rename(name);
      runtime.policies.rename(owner, owner.replace(`port ${before} `, `port ${after.name} `));
    },
  }),
  verb({
    name: 'deletePort',
    group: 'switches',
    help: 'Deletes a port with its NICs and policies.',
    fields: ONE_PORT,
    async run(values, runtime) {
      const { owner } = runtime.properties(values);
      await port(runtime, values).delete();
      runtime.policies.forget((each) => each === owner);
    },
  }),
  verb({
    name: 'connectNic',
    group: 'switches',
    help: 'NIC_CREATE and NIC_CONNECT on a port made by hand.',
    fields: {
      ...ONE_PORT,
      name: text('name of the NIC'),
      mac: text('MAC address'),
      mtu: whole('bytes', 1),
      index: whole('NIC index, default 0', 0, 65_535),
    },
    async run({ name, mac, mtu, index, ...at }, runtime) {
      await port(runtime, at).nics.connect(
        given({ name, mac, mtu, index }) as { readonly index?: number },
      );
    },
  }),
  verb({
    name: 'updateNic',
    group: 'switches',
    help: 'Changes a NIC of a port made by hand: NIC_UPDATED (C28, C29).',
    fields: {
      ...ONE_PORT,
      index: whole('NIC index, default 0', 0, 65_535),
      name: text('friendly name'),
      mac: text('permanent MAC address'),
      vmMac: text('MAC address the guest set'),
      mtu: whole('bytes', 1),
      numaNode: whole('NUMA node', 0, 65_535),
    },
    async run({ switch: sw, host, port: of, index = 0, ...change }, runtime) {
      const { nics } = port(runtime, { switch: sw, host, port: of });
      await nics.update(index, given(change) as NicUpdate);
    },
  }),
  verb({
    name: 'disconnectNic',
    group: 'switches',
    help: 'NIC_DISCONNECT and NIC_DELETE.',
    fields: { ...ONE_PORT, index: whole('NIC index, default 0', 0, 65_535) },
    async run({ index = 0, ...at }, runtime) {
      await port(runtime, at).nics.disconnect(index);
    },
  }),
  verb({
    name: 'installExtension',
    group: 'switches',
    help: 'Installs an extension on a host, disabled on every switch.',
    short: 'extension',
    fields: { extension: need(extensionAlias()), host: hostName() },
    async run({ extension, host }, runtime) {
      const on = runtime.host(host);
      await on.fabric.extensions.install(on.extension(extension));
    },
  }),
  verb({
    name: 'changeExtension',
    group: 'switches',
    help: 'Enables, disables, moves or requires an extension of a switch: pause, change, restart (S13, S14).',
    fields: {
      extension: need(extensionAlias()),
      ...ONE_SWITCH,
      enabled: yesNo('it is in the stack'),
      order: whole('place inside its class, 0 nearest the protocol edge'),
      required: yesNo('the switch does not run without it (A50)'),
    },
    async run({ extension, switch: name, host, ...change }, runtime) {
      const { sw } = runtime.switch(name, host);
      await sw.extensions.change(
        runtime.extensionId(extension),
        given(change) as { order?: number },
      );
    },
  }),
  verb({
    name: 'connectUplink',
    group: 'switches',
    help: 'Connects an external switch to physical adapters (S8).',
    fields: {
      ...ONE_SWITCH,
      team: oneOf('what joins them, default none', ['none', 'lbfo', 'switch']),
      adapters: need(listOf(PHYSICAL, 'the adapters below')),
    },
    async run({ switch: name, host, team, adapters }, runtime) {
      await runtime.switch(name, host).sw.host.connectUplink({
        ...(team === undefined ? {} : { team }),
        adapters: adapters.map((each) => given(each) as { name: string }),
      });
    },
  }),
  verb({
    name: 'disconnectUplink',
    group: 'switches',
    help: 'Takes the uplink away (S8 step 8).',
    short: 'switch',
    fields: ONE_SWITCH,
    async run({ switch: name, host }, runtime) {
      await runtime.switch(name, host).sw.host.disconnectUplink();
    },
  }),
  verb({
    name: 'setLink',
    group: 'switches',
    help: 'The link of a physical adapter goes up or down (H1).',
    fields: {
      ...ONE_SWITCH,
      index: whole('NIC index of the adapter, default 1', 1, 65_535),
      up: need(yesNo('the link is up')),
    },
    async run({ switch: name, host, index = 1, up }, runtime) {
      await runtime.switch(name, host).sw.host.setLink(index, up);
    },
  }),
  verb({
    name: 'addInternalNic',
    group: 'switches',
    help: 'Gives the management OS a NIC on the switch (C9).',
    fields: { ...ONE_SWITCH, name: text('its name'), mac: text('MAC address') },
    async run({ switch: name, host, ...options }, runtime) {
      const { sw } = runtime.switch(name, host);
      await sw.host.addInternalNic(given(options) as { name?: string });
    },
  }),
];
