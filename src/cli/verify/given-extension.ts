import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ExtSwitchError } from '../../core/errors.ts';
import { shellWord } from '../../core/shell-word.ts';
import { type VerifyOptions, verifyStages } from '../../testing/index.ts';
import type { Invocation } from '../command.ts';
import { didYouMean } from '../nearest.ts';
import { readPolicySettings } from '../policy-settings.ts';
import { UsageError } from '../usage-error.ts';

/** What `verify` and `sweep` are both told of an extension: its classes and settings, the stages, seed and profile. */
export async function extensionOptions(
  call: Invocation,
  cwd: string,
  verb: string,
): Promise<Pick<VerifyOptions, 'settings' | 'mof' | 'stages'>> {
  const settings = call.text('settings');
  const mof = call.text('mof');
  const stages = stagesOf(call, verb);
  return {
    ...(settings === undefined ? {} : { settings: await readPolicySettings(settings, cwd) }),
    ...(mof === undefined ? {} : { mof: await readMof(mof, cwd) }),
    ...(stages.length === 0 ? {} : { stages }),
  };
}

/** Seed and profile of the world. */
export function worldOptions(call: Invocation): Pick<VerifyOptions, 'seed' | 'profile'> {
  const seed = call.text('seed');
  const profile = call.text('profile') as VerifyOptions['profile'];
  return {
    ...(seed === undefined ? {} : { seed }),
    ...(profile === undefined ? {} : { profile }),
  };
}

/** The words of a command that plays the same again, without stage and seed. */
export function commandWords(verb: string, file: string, call: Invocation): string[] {
  const words = ['extswitch', verb, file];
  for (const flag of ['mof', 'settings', 'profile']) {
    const value = call.text(flag);
    if (value !== undefined) words.push(`--${flag}`, value);
  }
  return words;
}

export const commandLine = (words: readonly string[]): string => words.map(shellWord).join(' ');

function stagesOf(call: Invocation, verb: string): readonly string[] {
  const stages = call.list('stage');
  const known = verifyStages().map(({ name }) => name);
  for (const name of stages) {
    if (known.includes(name)) continue;
    const hint = didYouMean(name, known);
    throw new UsageError(`no stage is named ${JSON.stringify(name)}${hint} (verify --list)`, verb);
  }
  return stages;
}

async function readMof(file: string, cwd: string): Promise<Uint8Array> {
  try {
    return await readFile(resolve(cwd, file));
  } catch (cause) {
    const { message } = cause as Error;
    throw new ExtSwitchError('INVALID_ARGUMENT', `--mof ${file}: ${message}`, { file }, { cause });
  }
}
