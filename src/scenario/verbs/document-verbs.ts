import type { ImportOptions, PortableDocument } from '../../policy/migration-api.ts';
import { mapOf, need, oneOf, text, yesNo } from '../field.ts';
import { documentAlias, hostName, switchName, vmName } from '../name-fields.ts';
import { adapterOwner, portOwner, switchOwner } from '../policies.ts';
import type { Runtime } from '../runtime.ts';
import { type Verb, verb } from '../verb.ts';
import { given } from './vm-verbs.ts';

const AS = { as: need(text('name of the document for later steps')) };
const IMPORT = {
  document: need(documentAlias()),
  host: hostName('host it is made on; default the only one'),
  switches: mapOf(text('name of a switch here'), 'name of a switch in the document → one here'),
  ids: oneOf('default fresh', ['fresh', 'keep']),
};

interface ImportValues {
  readonly document: string;
  readonly switches: ReadonlyMap<string, string> | undefined;
  readonly ids: 'fresh' | 'keep' | undefined;
  readonly name: string | undefined;
}

/** The document a step exported, and how it is to be imported. */
function importOf({ state }: Runtime, { document: alias, switches, ids, name }: ImportValues) {
  const document = state.documents.get(alias);
  if (document === undefined) throw new Error(`no step has exported ${alias} so far`);
  const mapping = switches === undefined ? undefined : Object.fromEntries(switches);
  const options: ImportOptions = given({ switches: mapping, ids, name } as ImportOptions);
  return { document, options };
}

/** Every policy of these VMs is wanted from now on. */
function wantVms(
  { policies }: Runtime,
  vms: PortableDocument['vms'],
  name: string | undefined,
): void {
  for (const vm of vms) {
    for (const adapter of vm.adapters) {
      const owner = adapterOwner(name ?? vm.name, adapter.name);
      for (const property of adapter.properties) policies.put(owner, property);
    }
  }
}

/** So is every policy of these switches and of their ports. */
function wantSwitches(
  { policies }: Runtime,
  host: string,
  switches: PortableDocument['switches'],
  name: string | undefined,
): void {
  for (const sw of switches) {
    const here = name ?? sw.name;
    for (const property of sw.properties) policies.put(switchOwner(host, here), property);
    for (const port of sw.ports) {
      const owner = portOwner(host, here, port.name);
      for (const property of port.properties) policies.put(owner, property);
    }
  }
}

/** Verbs of portable documents. */
export const DOCUMENT_VERBS: readonly Verb[] = [
  verb({
    name: 'exportVm',
    group: 'VMs',
    help: 'Writes a VM with its policies, their classes and its saved data as a portable document.',
    fields: { vm: need(vmName()), ...AS },
    check({ as }, _node, { names }) {
      names.documents.add(as);
    },
    async run({ vm, as }, runtime) {
      runtime.state.documents.set(as, await runtime.vm(vm).vm.export());
    },
  }),
  verb({
    name: 'importVm',
    group: 'VMs',
    help: 'Makes the VM of a portable document on a host: off or saved, with every policy it had.',
    fields: { ...IMPORT, name: text('name of the VM here; default the one it had') },
    check({ name }, _node, { names }) {
      if (name !== undefined) names.vms.set(name, []);
    },
    async run({ host, ...values }, runtime) {
      const { document, options } = importOf(runtime, values);
      const report = await runtime.host(host).fabric.vms.import(document, options);
      wantVms(runtime, document.vms, values.name);
      return report.notes.join('\n') || undefined;
    },
  }),
  verb({
    name: 'exportSwitch',
    group: 'switches',
    help: 'Writes a switch with its stack, policies and ports as a portable document.',
    fields: {
      switch: need(switchName()),
      host: hostName(),
      vms: yesNo('also the VMs that are configured for it; default false'),
      ...AS,
    },
    check({ as }, _node, { names }) {
      names.documents.add(as);
    },
    async run({ switch: name, host, vms = false, as }, runtime) {
      const { sw } = runtime.switch(name, host);
      runtime.state.documents.set(as, await sw.export({ vms }));
    },
  }),
  verb({
    name: 'importSwitch',
    group: 'switches',
    help: 'Makes the switch of a portable document on a host, with the policies, ports and VMs it has: all of it, or nothing.',
    fields: { ...IMPORT, name: text('name of the switch here; default the one it had') },
    check({ name }, _node, { names }) {
      if (name !== undefined) names.switches.add(name);
    },
    async run({ host, ...values }, runtime) {
      const on = runtime.host(host);
      const { document, options } = importOf(runtime, values);
      const report = await on.fabric.switches.import(document, options);
      wantSwitches(runtime, on.name, document.switches, values.name);
      wantVms(runtime, document.vms, undefined);
      return report.notes.join('\n') || undefined;
    },
  }),
];
