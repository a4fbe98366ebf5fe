import { ERROR_CODES, type ErrorCode, isExtSwitchError } from '../../core/errors.ts';
import { ExpectationFailed, fail } from '../expectation.ts';
import {
  anyValue,
  type Fields,
  field,
  type JsonSchema,
  listOf,
  need,
  objectSchema,
  oneOf,
  readFields,
  text,
  whole,
  yesNo,
} from '../field.ts';
import { extensionAlias } from '../name-fields.ts';
import { withoutIntent } from '../policies.ts';
import type { Reader } from '../reader.ts';
import type { Runtime } from '../runtime.ts';
import { type Entry, nodeOf, type SourceNode } from '../source-node.ts';
import type { Step } from '../step.ts';
import type { Verb } from '../verb.ts';
import { oidName, statusField } from './fault-verbs.ts';

/** Schema of a list of steps and of one; the definitions stand in the file's schema. */
const STEPS = { $ref: '#/$defs/steps' };

export const stepsField = need(
  field<readonly Step[]>('list of steps', 'the steps', STEPS, (node, reader, what) =>
    node.kind === 'list' ? reader.steps(node) : reader.wrong(node, what, 'a list of steps'),
  ),
);

/** A verb with steps inside. */
function block(
  name: string,
  help: string,
  fields: Fields,
  read: (node: SourceNode, reader: Reader, place: Entry['key']) => Step | undefined,
  schema: JsonSchema = { description: help, ...objectSchema(fields) },
): Verb {
  return {
    name,
    group: 'flow',
    help,
    fields,
    schema,
    read: ({ value, key }, reader) => read(value, reader, key),
  };
}

export const LOOP = {
  times: whole('so often', 0, 1_000_000),
  forEach: listOf(
    anyValue('any value; a member of a map follows a dot after the name of the parameter'),
  ),
  as: text('name of the parameter, default `i`; with times it counts from 1'),
};

/** The values a loop goes through, and the reader for each. Problems are added. */
export function loopOf(node: SourceNode, reader: Reader): readonly Reader[] {
  const values = readFields(node, LOOP, reader, 'repeat');
  if (values === undefined) return [];
  const { times, forEach, as = 'i' } = values;
  if ((times === undefined) === (forEach === undefined)) {
    reader.problems.add(node.place, 'repeat: expected either times or forEach');
    return [];
  }
  const all = forEach ?? Array.from({ length: times ?? 0 }, (_, i) => i + 1);
  return all.map((value) => reader.with(as, nodeOf(value)));
}

const withoutSteps = (node: SourceNode): SourceNode =>
  node.kind === 'map'
    ? { ...node, entries: new Map([...node.entries].filter(([name]) => name !== 'steps')) }
    : node;

const REPEAT = block(
  'repeat',
  'Plays steps several times, with a parameter that says which time it is.',
  { ...LOOP, steps: stepsField },
  (node, reader, place) => {
    const inner = node.kind === 'map' ? node.entries.get('steps') : undefined;
    if (inner === undefined) {
      reader.problems.add(node.place, 'repeat: the field steps (list of steps) is missing');
      return undefined;
    }
    const rounds = loopOf(withoutSteps(node), reader).map(
      (each) => stepsField.read(inner.value, each, 'repeat.steps') ?? [],
    );
    return blockStep('repeat', `repeat ${rounds.length} times`, place, async (runtime) => {
      const inside = runtime.inside();
      for (const steps of rounds) for (const step of steps) await inside.play(step);
      return undefined;
    });
  },
);

export function blockStep(
  verb: string,
  title: string,
  place: Entry['key'],
  run: (runtime: Runtime) => Promise<string | undefined>,
): Step {
  return { verb, title, place, looksOnly: false, isBlock: true, run };
}

const PARALLEL = block(
  'parallel',
  'Begins all steps at once and waits until the last has ended.',
  { steps: stepsField },
  (node, reader, place) => {
    const steps = node.kind === 'list' ? reader.steps(node) : readBlock(node, reader, 'parallel');
    if (steps === undefined) return undefined;
    return blockStep('parallel', `${steps.length} steps at once`, place, async (runtime) => {
      runtime.state.recorder.mark();
      const inside = runtime.inside();
      const ended = await Promise.allSettled(steps.map((step) => inside.play(step)));
      const failed = ended.filter((each) => each.status === 'rejected').map((each) => each.reason);
      if (failed.length > 0) {
        throw failed.length === 1
          ? failed[0]
          : new Error(failed.map((each) => messageOf(each)).join('\n'));
      }
      return undefined;
    });
  },
  {
    description: 'Begins all steps at once and waits until the last has ended.',
    anyOf: [STEPS, objectSchema({ steps: stepsField })],
  },
);

function readBlock(node: SourceNode, reader: Reader, what: string): readonly Step[] | undefined {
  return readFields(node, { steps: stepsField }, reader, what)?.steps;
}

const TOOL_FIELDS = {
  name: text('what the tool is called'),
  expectFailure: yesNo('the tool has to fail'),
  steps: stepsField,
};

const TOOL = block(
  'tool',
  'A program at work: nothing it removes was meant to go, so it has to put everything back. Its first failure ends it and not ' +
    'the scenario: what it left behind is what the invariant looks at.',
  TOOL_FIELDS,
  (node, reader, place) => {
    const values = readFields(node, TOOL_FIELDS, reader, 'tool');
    if (values === undefined) return undefined;
    const { name = 'a tool', expectFailure = false, steps } = values;
    return blockStep('tool', `tool: ${name}`, place, async (runtime) => {
      const inside = runtime.inside(withoutIntent(runtime.policies));
      try {
        for (const step of steps) await inside.play(step);
      } catch (error) {
        return `the tool ended here: ${messageOf(error)}`;
      }
      return expectFailure ? fail(`${name} was expected to fail, and did not`) : undefined;
    });
  },
);

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const REFUSAL = {
  code: oneOf('code of the error', Object.keys(ERROR_CODES) as readonly ErrorCode[]),
  ndisStatus: statusField('status that refused it'),
  oid: oidName('the OID that was refused'),
  extension: extensionAlias('who refused it'),
  rule: text('rule that forbids it, e.g. B20'),
  message: text('text that its message has in it'),
};

/** Fields of the refusal beside the step itself. */
const EXPECT_REFUSED = block(
  'expectRefused',
  'The step in it has to be refused, as the fields beside it say.',
  REFUSAL,
  (node, reader, place) => {
    if (node.kind !== 'map')
      return reader.wrong(node, 'expectRefused', 'a step and what refuses it');
    const split = (isRefusal: boolean): SourceNode => ({
      ...node,
      entries: new Map(
        [...node.entries].filter(([name]) => Object.hasOwn(REFUSAL, name) === isRefusal),
      ),
    });
    const values = readFields(split(true), REFUSAL, reader, 'expectRefused');
    const list: SourceNode = { kind: 'list', place: node.place, items: [split(false)] };
    const [step] = reader.refusing().steps(list);
    if (values === undefined || step === undefined) return undefined;
    return {
      ...blockStep('expectRefused', `refused: ${step.title}`, place, (runtime) =>
        expectRefusal(step, values, runtime),
      ),
      isBlock: false,
    };
  },
  {
    description: 'The step in it has to be refused, as the fields beside it say.',
    $ref: '#/$defs/refusedStep',
  },
);

async function expectRefusal(
  step: Step,
  expected: Readonly<Record<keyof typeof REFUSAL, string | undefined>>,
  runtime: Runtime,
): Promise<string> {
  let refusal: unknown;
  try {
    await step.run(runtime);
  } catch (error) {
    refusal = error;
  }
  if (refusal === undefined) fail(`expected ${step.title} to be refused: it was done`);
  if (refusal instanceof ExpectationFailed || !isExtSwitchError(refusal)) throw refusal;
  const { code, place, message } = refusal;
  const { extension, message: part } = expected;
  const alias = extension === undefined ? undefined : runtime.extensionId(extension);
  const status = expected.ndisStatus;
  for (const [what, wanted, found] of [
    ['code', expected.code, code],
    ['ndisStatus', status === undefined ? status : `NDIS_STATUS_${status}`, place.ndisStatus],
    ['oid', expected.oid, place.oid],
    ['extension', alias, place.extensionId],
    ['rule', expected.rule, place.rule],
  ] as const) {
    if (wanted === undefined || wanted === found) continue;
    fail(`refused otherwise: ${what} expected ${wanted}, found ${found ?? 'none'}: ${message}`);
  }
  if (part !== undefined && !message.includes(part)) {
    fail(`refused otherwise: message expected to have ${JSON.stringify(part)} in it: ${message}`);
  }
  return `refused: ${message}`;
}

/** JSON Schema of what stands beside the step in `expectRefused`. */
export const REFUSAL_SCHEMAS: Readonly<Record<string, JsonSchema>> = Object.fromEntries(
  Object.entries(REFUSAL).map(([name, { schema }]) => [name, schema]),
);

/** A step that a program wrote: TypeScript scenarios only. */
export function callStep(node: SourceNode & { readonly kind: 'function' }): Step {
  const title = node.value.name === '' ? 'call' : `call ${node.value.name}`;
  return blockStep('call', title, node.place, async (runtime) => {
    runtime.state.recorder.mark();
    const hosts = Object.fromEntries([...runtime.hosts].map(([name, host]) => [name, host.fabric]));
    await node.value({ hosts, clock: runtime.state.clock });
    return undefined;
  });
}

export const FLOW_VERBS: readonly Verb[] = [REPEAT, PARALLEL, TOOL, EXPECT_REFUSED];
