import { type ParseArgsConfig, parseArgs } from 'node:util';

/**
 * The options of a script's command line. `--help` prints `help` and ends with 0; what is not known goes to standard error with
 * `help`, and ends with 2.
 */
export function scriptOptions<const O extends NonNullable<ParseArgsConfig['options']>>(
  help: string,
  options: O,
  { allowPositionals = false }: { readonly allowPositionals?: boolean } = {},
): ReturnType<typeof parseArgs<{ options: O; allowPositionals: boolean }>> {
  const words = process.argv.slice(2);
  // What stands after `--` is for somebody else.
  if (words.slice(0, words.indexOf('--') >>> 0).includes('--help')) {
    process.stdout.write(help);
    process.exit(0);
  }
  try {
    return parseArgs({ options, allowPositionals });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${help}`);
    process.exit(2);
  }
}
