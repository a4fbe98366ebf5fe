/** An invariant of our own: `sentence` says what must hold. A failure is a bug in extswitch, never bad input. */
export function assert(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${sentence}`);
}
