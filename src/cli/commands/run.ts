import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CommandHandler, Invocation } from '../command.ts';
import { looksLikePath } from '../scenarios/find-files.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** Flags that only one of the two kinds of things takes. */
const OF_LIFE_CYCLES = ['list', 'all', 'extension', 'settings', 'seeds'];
const OF_SCENARIOS = ['report', 'all-lines', 'parallel', 'param', 'store'];

/** `run`: scenario files by path, life cycles by name. What it plays is loaded only now. */
export const run: CommandHandler = async (call, terminal) => {
  const paths = await pathsOf(call, terminal);
  if (paths.length > 0) {
    const name = call.arguments.find((word) => !paths.includes(word));
    if (name !== undefined) {
      throw new UsageError(
        `${paths[0]} is a path and ${name} the name of a life cycle: play them one after the other`,
        'run',
      );
    }
    refuse(call, OF_LIFE_CYCLES, 'life cycles, not to scenario files');
    const { playScenarios } = await import('../scenarios/play.ts');
    return playScenarios(call, terminal);
  }
  if (!call.has('list') && !call.has('all') && call.arguments.length === 0) {
    throw new UsageError(
      'name the scenario files or the life cycles to run, or give --all or --list for life cycles',
      'run',
    );
  }
  refuse(call, OF_SCENARIOS, 'scenario files, not to life cycles');
  if (call.text('profile') === 'all') {
    throw new UsageError('--profile all belongs to scenario files, not to life cycles', 'run');
  }
  const { listLifeCycles, playLifeCycles } = await import('../life-cycles/play.ts');
  return call.has('list') ? listLifeCycles(call, terminal) : playLifeCycles(call, terminal);
};

function refuse(call: Invocation, flags: readonly string[], belongs: string): void {
  const given = flags.find((flag) => call.has(flag));
  if (given !== undefined) throw new UsageError(`--${given} belongs to ${belongs}`, 'run');
}

/** A folder of this name is a path as well. */
async function pathsOf({ arguments: words }: Invocation, { cwd }: Terminal): Promise<string[]> {
  const paths: string[] = [];
  for (const word of words) {
    const isPath =
      looksLikePath(word) || (await stat(resolve(cwd, word)).catch(() => undefined)) !== undefined;
    if (isPath) paths.push(word);
  }
  return paths;
}
