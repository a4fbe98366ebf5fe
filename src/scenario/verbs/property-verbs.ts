import { need, text, whole } from '../field.ts';
import {
  adapterName,
  checkSettings,
  featureName,
  hostName,
  propertyAlias,
  settings,
  switchName,
  vmName,
} from '../name-fields.ts';
import type { Reader } from '../reader.ts';
import type { Runtime, Target } from '../runtime.ts';
import type { SourceNode } from '../source-node.ts';
import { type Verb, verb } from '../verb.ts';

/** Fields that say what a property or status is of. */
export const TARGET = {
  vm: vmName('of an adapter of this VM'),
  adapter: adapterName(),
  switch: switchName('of this switch, or of a port of it'),
  port: text('id, number or name of a port of the switch'),
  host: hostName('the host; needed where several have a switch of that name'),
};

/** A VM or a switch, not both; a port only of a switch. */
export function checkTarget(
  { vm, switch: sw, port, adapter }: Target,
  node: SourceNode,
  reader: Reader,
): void {
  if ((vm === undefined) === (sw === undefined)) {
    reader.problems.add(node.place, 'expected either vm or switch');
  } else if (port !== undefined && sw === undefined) {
    reader.problems.add(node.place, 'port goes with switch: a VM has adapters');
  } else if (adapter !== undefined && vm === undefined) {
    reader.problems.add(node.place, 'adapter goes with vm');
  }
}

/** The place of one field of a verb's map. */
export function valueAt(node: SourceNode, name: string): SourceNode | undefined {
  return node.kind === 'map' ? node.entries.get(name)?.value : undefined;
}

async function drop(runtime: Runtime, alias: string, ifRevision: number | undefined) {
  const { target, id } = runtime.property(alias);
  const { owner, all } = runtime.properties(target);
  await all.delete(id, ifRevision === undefined ? {} : { ifRevision });
  runtime.policies.remove(owner, id);
}

export const PROPERTY_VERBS: readonly Verb[] = [
  verb({
    name: 'addProperty',
    group: 'policies',
    help: 'Adds a policy to an adapter of a VM, to a switch, or to a port of a switch.',
    fields: {
      ...TARGET,
      feature: need(featureName()),
      settings: settings('members of the class by name; those left out take its defaults'),
      id: text('PropertyInstanceId; default a new one'),
      as: text('name for later steps'),
    },
    check(values, node, reader) {
      checkTarget(values, node, reader);
      checkSettings(valueAt(node, 'settings'), values.feature, reader);
      if (values.as !== undefined) reader.names.properties.add(values.as);
    },
    async run({ feature, settings: given = {}, id, as, ...target }, runtime) {
      const { owner, all } = runtime.properties(target);
      const property = await all.add(feature, given, id === undefined ? {} : { id });
      runtime.policies.put(owner, property);
      // A VM may be on another host when the name is used.
      const { host, ...where } = target;
      const { switch: sw = '', port } = target;
      // A port may be called differently then.
      const portId =
        port === undefined ? port : runtime.switch(sw, host).sw.ports.get(port).info.id;
      const kept = target.vm === undefined ? { ...where, host, port: portId } : where;
      if (as !== undefined) runtime.state.properties.set(as, { target: kept, id: property.id });
    },
  }),
  verb({
    name: 'updateProperty',
    group: 'policies',
    help: 'Gives a property new settings: the whole value, members left out take the class default.',
    fields: {
      property: need(propertyAlias()),
      settings: need(settings('the new value')),
      ifRevision: whole('refused unless the property has this revision now', 1),
    },
    async run({ property, settings: given, ifRevision }, runtime) {
      const { target, id } = runtime.property(property);
      const { owner, all } = runtime.properties(target);
      const options = ifRevision === undefined ? {} : { ifRevision };
      runtime.policies.put(owner, await all.update(id, given, options));
    },
  }),
  verb({
    name: 'removeProperty',
    group: 'policies',
    help: 'Removes a property.',
    short: 'property',
    fields: {
      property: need(propertyAlias()),
      ifRevision: whole('refused unless the property has this revision now', 1),
    },
    run: ({ property, ifRevision }, runtime) => drop(runtime, property, ifRevision),
  }),
];
