import { connect } from '../client.ts';
import type { CommandHandler } from '../command.ts';
import { writeOutput } from '../input.ts';

/** `openapi` */
export const openapi: CommandHandler = async (call, terminal) => {
  const { body } = await connect(call, terminal).root('GET', '/openapi.json');
  await writeOutput(terminal, call.text('output'), `${JSON.stringify(body, null, 2)}\n`);
  return 0;
};
