import { nearestName } from '../mof/nearest-name.ts';
import type { Reader } from './reader.ts';
import { type Entry, type SourceNode, shown } from './source-node.ts';
import type { Step } from './step.ts';
import { VERB_BY_NAME } from './verb-table.ts';
import { callStep } from './verbs/flow-verbs.ts';

/** Reads a list of steps: each a map of one verb, with a `title` beside it if people should read another one. */
export function readSteps(node: SourceNode, reader: Reader): readonly Step[] {
  if (node.kind !== 'list') {
    reader.wrong(node, 'steps', 'a list of steps');
    return [];
  }
  const steps: Step[] = [];
  for (const item of node.items) {
    if (!reader.countStep(item.place)) break;
    const step = readStep(item, reader);
    if (step !== undefined) steps.push(step);
  }
  return steps;
}

function readStep(node: SourceNode, reader: Reader): Step | undefined {
  if (node.kind === 'function') return callStep(node);
  if (node.kind !== 'map') return reader.wrong(node, 'a step', 'a map of one verb');
  const verbs = [...node.entries].filter(([name]) => name !== 'title');
  const [first, second] = verbs;
  if (first === undefined) {
    reader.problems.add(node.place, 'the step has no verb');
    return undefined;
  }
  const step = readVerb(first[0], first[1], reader);
  if (second !== undefined) {
    const known = VERB_BY_NAME.has(second[0]) ? 'a second verb' : 'an unknown field';
    const message = `${JSON.stringify(second[0])} is ${known} of the step: expected one verb and perhaps title`;
    reader.problems.add(second[1].key, message);
    return undefined;
  }
  const title = node.entries.get('title');
  if (title === undefined || step === undefined) return step;
  const resolved = reader.resolve(title.value);
  if (resolved.kind === 'scalar' && typeof resolved.value === 'string') {
    return { ...step, title: resolved.value };
  }
  reader.problems.add(title.value.place, `title: expected text, found ${shown(title.value)}`);
  return undefined;
}

function readVerb(name: string, entry: Entry, reader: Reader): Step | undefined {
  const verb = VERB_BY_NAME.get(name);
  if (verb !== undefined) return verb.read(entry, reader);
  const near = nearestName(name, [...VERB_BY_NAME.keys()]);
  reader.problems.add(entry.key, `unknown verb ${JSON.stringify(name)}: expected a verb`, near);
  return undefined;
}
