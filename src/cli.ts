#!/usr/bin/env node
import { readVersion } from './cli/version.ts';

/*
 * Entry of the command. `--version` ends here: everything else (the parser, the commands, fastify for `serve`) is
 * imported when it is needed, so that asking for the version costs hardly more than starting node.
 */
const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`${readVersion()}\n`);
} else {
  const { main } = await import('./cli/main.ts');
  await main(argv);
}
