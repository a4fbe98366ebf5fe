import { type Fields, type JsonSchema, objectSchema, readFields, type Values } from './field.ts';
import type { Reader } from './reader.ts';
import type { Runtime } from './runtime.ts';
import type { Entry, SourceNode } from './source-node.ts';
import type { Step } from './step.ts';

export type VerbGroup = 'switches' | 'VMs' | 'policies' | 'hosts' | 'faults' | 'flow' | 'looks';

/** A word that a step may begin with: the table of these gives the checks, the JSON Schema and the reference page. */
export interface Verb {
  readonly name: string;
  readonly group: VerbGroup;
  readonly help: string;
  readonly fields: Fields;
  /** The field that a plain value stands for. */
  readonly short?: string;
  readonly schema: JsonSchema;
  /** The step, or `undefined` when it is wrong, which has then been added to the problems. */
  read(entry: Entry, reader: Reader): Step | undefined;
}

interface VerbSpec<F extends Fields> {
  readonly name: string;
  readonly group: VerbGroup;
  readonly help: string;
  readonly fields: F;
  readonly short?: keyof F & string;
  /** Never a part of an atomic change. */
  readonly isApart?: boolean;
  /** Checks beyond the fields, and names that the step makes. */
  check?(values: Values<F>, node: SourceNode, reader: Reader): void;
  // biome-ignore lint/suspicious/noConfusingVoidType: most have nothing to say
  run(values: Values<F>, runtime: Runtime): Promise<string | undefined | void>;
}

/** A verb that does one thing. */
export function verb<F extends Fields>(spec: VerbSpec<F>): Verb {
  const { name, group, help, fields, short, run } = spec;
  return {
    name,
    group,
    help,
    fields,
    ...(short === undefined ? {} : { short }),
    schema: { description: help, ...objectSchema(fields, short) },
    read({ value, key }, reader) {
      const node = reader.resolve(value);
      const before = reader.problems.count;
      const values = readFields(node, fields, reader, name, short);
      if (values === undefined) return undefined;
      if (spec.isApart === true) reader.apart(key, name);
      spec.check?.(values, node, reader);
      if (reader.problems.count > before) return undefined;
      return {
        verb: name,
        title: titleOf(name, values),
        place: key,
        looksOnly: group === 'looks',
        isBlock: false,
        run: async (runtime) => (await run(values, runtime)) ?? undefined,
      };
    },
  };
}

/** `addProperty TestVm Fabrikam_PortCustomSettingData`: the names among the values, in their order. */
export function titleOf(name: string, values: Readonly<Record<string, unknown>>): string {
  const words = Object.values(values).filter(
    (value) => typeof value === 'string' || typeof value === 'number',
  );
  return [name, ...words].join(' ');
}
