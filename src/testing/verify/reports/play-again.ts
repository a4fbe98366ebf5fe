import { shellWord } from '../../../core/shell-word.ts';
import type { VerifyFinding } from '../verify-report.ts';

/** The command that plays the stage of a finding again; `undefined` where no command line is known. */
export function playAgain(
  command: string | undefined,
  { stage, seed }: Pick<VerifyFinding, 'stage' | 'seed'>,
): string | undefined {
  return command === undefined
    ? undefined
    : `${command} --stage ${shellWord(stage)} --seed ${shellWord(seed)}`;
}
