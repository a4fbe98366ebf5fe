import type { CommandHandler } from '../command.ts';

/** `verify`: what it plays is loaded only now. */
export const verify: CommandHandler = async (call, terminal) => {
  const { explainRule, listRules, verifyExtensions } = await import('../verify/play.ts');
  const rule = call.text('explain');
  if (rule !== undefined) return explainRule(rule, call, terminal);
  return call.has('list') ? listRules(call, terminal) : verifyExtensions(call, terminal);
};
