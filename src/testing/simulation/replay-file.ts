import { ExtSwitchError } from '../../core/errors.ts';
import type { Breach } from './breach.ts';
import type { History } from './step.ts';

const FORMAT = 'extswitch-simulation';

/** A history as the text of a file that replays it: JSON, one line a step. */
export function replayText({ setting, steps }: History, breach?: Breach): string {
  const head = { format: FORMAT, version: 1, ...(breach === undefined ? {} : { breach }), setting };
  const lines = steps.map((step) => `  ${JSON.stringify(step)}`).join(',\n');
  const open = JSON.stringify(head, null, 1).replace(/\n}$/, ',');
  return `${open}\n "steps": [\n${lines}\n ]\n}\n`;
}

/** Reads what {@link replayText} wrote. Throws `INVALID_ARGUMENT` naming what is wrong. */
export function parseReplay(text: string): History {
  const wrong = (found: string): never => {
    throw new ExtSwitchError('INVALID_ARGUMENT', `this is no simulation to replay: ${found}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    wrong(String(error));
  }
  if (typeof value !== 'object' || value === null) return wrong('it is not a JSON object');
  const { format, version, setting, steps } = value as Readonly<Record<string, unknown>>;
  if (format !== FORMAT || version !== 1) {
    return wrong(`format ${String(format)} version ${String(version)}, not ${FORMAT} version 1`);
  }
  if (typeof setting !== 'object' || setting === null) return wrong('setting is missing');
  const { hosts } = setting as Readonly<Record<string, unknown>>;
  const isNames = Array.isArray(hosts) && hosts.every((name) => typeof name === 'string');
  if (!isNames || hosts.length === 0) return wrong('setting.hosts is no list of names');
  if (!Array.isArray(steps)) return wrong('steps is no list');
  for (const [at, step] of steps.entries()) {
    const isStep = typeof step === 'object' && step !== null && typeof step.do === 'string';
    if (!isStep) return wrong(`steps[${at}] has no "do"`);
  }
  return { setting, steps } as History;
}
