import type { CommandHandler } from '../command.ts';

/** `sweep`: what it plays is loaded only now. */
export const sweep: CommandHandler = async (call, terminal) => {
  const { listFaults, sweepFile } = await import('../sweep/play.ts');
  return call.has('list') ? listFaults(call, terminal) : sweepFile(call, terminal);
};
