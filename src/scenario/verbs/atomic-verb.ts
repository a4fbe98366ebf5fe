import { objectSchema, readFields } from '../field.ts';
import { hostName } from '../name-fields.ts';
import { copyOf } from '../policies.ts';
import type { Runtime } from '../runtime.ts';
import type { Step } from '../step.ts';
import type { Verb } from '../verb.ts';
import { blockStep, stepsField } from './flow-verbs.ts';

const HELP =
  'Steps on one host that are done as a whole or not at all: when one fails, what they changed is undone by inverse OIDs and ' +
  'nothing was stored; else all is stored in one write. Only that host can be used in them.';
const FIELDS = { host: hostName('default the only one'), steps: stepsField };

/** Expectations after it look at all its steps; those among them, at the step before. */
export const ATOMIC_VERB: Verb = {
  name: 'atomic',
  group: 'flow',
  help: HELP,
  fields: FIELDS,
  short: 'steps',
  schema: { description: HELP, ...objectSchema(FIELDS, 'steps') },
  read({ value, key }, reader) {
    reader.apart(key, 'atomic');
    const values = readFields(reader.resolve(value), FIELDS, reader.atomic(), 'atomic', 'steps');
    if (values === undefined || reader.isAtomic) return undefined;
    const { host, steps } = values;
    const title = `${steps.length} steps as a whole`;
    // One act, however many steps: it succeeds or fails as one.
    return {
      ...blockStep('atomic', title, key, (runtime) => changed(runtime, host, steps)),
      isBlock: false,
    };
  },
};

async function changed(
  runtime: Runtime,
  name: string | undefined,
  steps: readonly Step[],
): Promise<undefined> {
  const { state, policies } = runtime;
  const { recorder, properties } = state;
  const host = runtime.host(name);
  const from = recorder.end;
  const wanted = copyOf(policies.wanted);
  const known = new Map(properties);
  try {
    await host.fabric.atomic(async (world) => {
      const inside = runtime.insideChange(host.inChange(world));
      for (const step of steps) await inside.play(step);
    });
  } catch (error) {
    policies.forget((owner) => !wanted.has(owner));
    policies.goBack(wanted);
    properties.clear();
    for (const [alias, property] of known) properties.set(alias, property);
    throw error;
  } finally {
    recorder.mark(from);
  }
  return undefined;
}
