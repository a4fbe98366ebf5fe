import { ExtSwitchError } from '../core/errors.ts';

/** The command line is wrong: exit code 2. `help` names the command whose help explains it. */
export class UsageError extends ExtSwitchError {
  readonly help: string;

  constructor(message: string, help = '') {
    super('USAGE', message);
    this.help = help;
  }
}
