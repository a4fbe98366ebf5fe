import type { CommandHandler } from '../command.ts';
import { UsageError } from '../usage-error.ts';

/** `run`: what it plays is loaded only now. */
export const runLifeCycles: CommandHandler = async (call, terminal) => {
  const file = call.arguments.find((word) => /[\\/]|\.(?:ya?ml|json)$/i.test(word));
  if (file !== undefined) {
    throw new UsageError(
      `${file} looks like a scenario file: these come with a later version; this one runs life cycles by name (--list)`,
      'run',
    );
  }
  if (!call.has('list') && !call.has('all') && call.arguments.length === 0) {
    throw new UsageError('name the life cycles to run, or give --all or --list', 'run');
  }
  const { listLifeCycles, playLifeCycles } = await import('../life-cycles/play.ts');
  return call.has('list') ? listLifeCycles(call, terminal) : playLifeCycles(call, terminal);
};
