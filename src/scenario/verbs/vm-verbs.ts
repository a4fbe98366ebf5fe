import { listOf, need, objectOf, oneOf, text, whole } from '../field.ts';
import { adapterName, featureName, hostName, switchName, vmName } from '../name-fields.ts';
import { adapterOwner } from '../policies.ts';
import type { Runtime } from '../runtime.ts';
import type { AdapterSpec } from '../scenario.ts';
import { type Verb, verb } from '../verb.ts';

const MAC = 'MAC address, e.g. 00-15-5d-00-00-01';

/** Fields of an adapter, in `vms` and in the steps that make one. */
export const ADAPTER_FIELDS = {
  name: text('name of the adapter'),
  switch: switchName('switch it connects to; left out: not connected'),
  mac: text(`static ${MAC}; left out: a dynamic one of the pool`),
  type: oneOf('kind of adapter', ['synthetic', 'emulated']),
  mtu: whole('bytes', 1),
  requiredFeatures: listOf(
    featureName('a feature'),
    'features the switch must offer for it to connect (RequiredFeatures)',
  ),
};

const ONE_VM = { vm: need(vmName()) };
const ONE_ADAPTER = { vm: need(vmName()), adapter: adapterName() };

/** Without the fields that were left out. */
export function given<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

type VmAct = 'start' | 'stop' | 'pause' | 'resume' | 'save';

function vmVerb(name: string, act: VmAct, help: string): Verb {
  return verb({
    name,
    group: 'VMs',
    help,
    fields: ONE_VM,
    short: 'vm',
    async run({ vm }, runtime) {
      await runtime.vm(vm).vm[act]();
    },
  });
}

function adapterVerb(
  name: string,
  help: string,
  run: (handle: ReturnType<Runtime['adapter']>) => Promise<unknown>,
): Verb {
  return verb({
    name,
    group: 'VMs',
    help,
    fields: ONE_ADAPTER,
    short: 'vm',
    async run(values, runtime) {
      await run(runtime.adapter(values));
    },
  });
}

export const VM_VERBS: readonly Verb[] = [
  verb({
    name: 'createVm',
    group: 'VMs',
    help: 'Makes a VM that is off.',
    fields: {
      name: need(text('name of the VM')),
      host: hostName('host it is made on; default the only one'),
      adapters: listOf(objectOf('one adapter', ADAPTER_FIELDS), 'its network adapters'),
    },
    check({ name, adapters = [] }, _node, { names }) {
      names.vms.set(
        name,
        adapters.map((adapter) => ({ name: adapter.name })),
      );
    },
    async run({ name, host, adapters = [] }, runtime) {
      const { fabric } = runtime.host(host);
      await fabric.vms.create({
        name,
        adapters: adapters.map((each) => given(each) as AdapterSpec),
      });
    },
  }),
  vmVerb('startVm', 'start', 'Starts a VM: ports, policies, NICs (S2).'),
  vmVerb('stopVm', 'stop', 'Turns a VM off; a saved one loses its saved state (S3).'),
  vmVerb('pauseVm', 'pause', 'Pauses a VM: its NICs stay connected.'),
  vmVerb('resumeVm', 'resume', 'Lets a paused VM go on.'),
  vmVerb('saveVm', 'save', 'Saves a VM with the run-time data of its extensions (S9).'),
  verb({
    name: 'restoreVm',
    group: 'VMs',
    help: 'Brings a saved VM back (S10). What no extension took is in the report that `expectRestore` looks at.',
    fields: ONE_VM,
    short: 'vm',
    async run({ vm }, runtime) {
      const report = await runtime.vm(vm).vm.restore();
      runtime.state.lastRestore = report;
      return `${report.restored} records restored, ${report.unowned.length} without an owner`;
    },
  }),
  verb({
    name: 'deleteVm',
    group: 'VMs',
    help: 'Deletes a VM with its policies.',
    fields: ONE_VM,
    short: 'vm',
    async run({ vm }, runtime) {
      await runtime.vm(vm).vm.delete();
      runtime.policies.forget((owner) => owner.startsWith(`VM ${vm}, `));
    },
  }),
  verb({
    name: 'addAdapter',
    group: 'VMs',
    help: 'Adds an adapter to a VM, also while it runs (S4).',
    fields: { vm: need(vmName()), ...ADAPTER_FIELDS },
    check({ vm, name }, _node, { names }) {
      names.vms.get(vm)?.push({ name });
    },
    async run({ vm, ...adapter }, runtime) {
      await runtime.vm(vm).vm.addAdapter(given(adapter) as AdapterSpec);
    },
  }),
  verb({
    name: 'removeAdapter',
    group: 'VMs',
    help: 'Removes an adapter with its policies.',
    fields: ONE_ADAPTER,
    async run(values, runtime) {
      const { info } = runtime.adapter(values);
      await runtime.vm(values.vm).vm.removeAdapter(info.id);
      const owner = adapterOwner(values.vm, info.name);
      runtime.policies.forget((each) => each === owner);
    },
  }),
  verb({
    name: 'connectAdapter',
    group: 'VMs',
    help: 'Connects an adapter to a switch, or moves it there with its policies (S4).',
    fields: { ...ONE_ADAPTER, switch: need(switchName()) },
    async run({ switch: sw, ...values }, runtime) {
      await runtime.adapter(values).connect(sw);
    },
  }),
  adapterVerb('disconnectAdapter', 'Disconnects an adapter; its policies stay with it.', (handle) =>
    handle.disconnect(),
  ),
  verb({
    name: 'updateAdapter',
    group: 'VMs',
    help: 'Changes name, addresses or MTU: NIC_UPDATED while it is connected (C29); and what the switch must offer.',
    fields: {
      ...ONE_ADAPTER,
      name: text('new name'),
      mtu: whole('bytes', 1),
      mac: text(`permanent ${MAC}`),
      vmMac: text(`what the guest set: ${MAC}`),
      numaNode: whole('NUMA node'),
      requiredFeatures: listOf(
        featureName('a feature'),
        'features the switch must offer, all of them; empty: none',
      ),
    },
    async run({ vm, adapter, ...change }, runtime) {
      const handle = runtime.adapter({ vm, adapter });
      const before = handle.info.name;
      const after = await handle.update(given(change) as Parameters<typeof handle.update>[0]);
      runtime.policies.rename(adapterOwner(vm, before), adapterOwner(vm, after.name));
    },
  }),
  adapterVerb('assignVf', 'Gives an adapter a virtual function (SR-IOV, S17).', (handle) =>
    handle.assignVf(),
  ),
  adapterVerb('removeVf', 'Takes the virtual function back.', (handle) => handle.removeVf()),
];
