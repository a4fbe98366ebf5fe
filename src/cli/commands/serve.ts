import type { CommandHandler } from '../command.ts';
import { readServeSettings } from '../serve/settings.ts';

/** `serve`: returns when the server has drained after SIGTERM or SIGINT. */
export const serve: CommandHandler = async (call, terminal) => {
  const settings = await readServeSettings(call, terminal);
  // Wrong settings are told before fastify and the store engine are loaded.
  const { runServer } = await import('../serve/run-server.ts');
  await runServer(settings, terminal);
  return 0;
};
