import type { CommandHandler } from '../command.ts';

/** `verify`: what it plays is loaded only now. */
export const verify: CommandHandler = async (call, terminal) => {
  const { explainRule, listStages, verifyExtensions } = await import('../verify/play.ts');
  const rule = call.text('explain');
  if (rule !== undefined) return explainRule(rule, call, terminal);
  return call.has('list') ? listStages(call, terminal) : verifyExtensions(call, terminal);
};
