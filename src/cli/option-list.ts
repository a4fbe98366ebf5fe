import { UsageError } from './usage-error.ts';

/** What each option of a list may be. */
export type OptionKinds = Readonly<Record<string, 'text' | 'texts' | 'integer' | 'boolean'>>;

/**
 * A flag that says several things at once: `eth0,switch=TestSwitch,mtu=9000`. The part without `=` is the name;
 * `texts` may be given again and again. Throws {@link UsageError} for an option that `kinds` does not have, one given twice, and a number that is none.
 */
export function parseOptionList(
  flag: string,
  text: string,
  kinds: OptionKinds,
): Readonly<Record<string, unknown>> {
  const options: Record<string, unknown> = {};
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    const name = equals < 0 ? 'name' : part.slice(0, equals).trim();
    const value = part.slice(equals + 1);
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined || value === '') {
      const known = Object.keys(kinds).map((each) => `${each}=…`);
      throw new UsageError(
        `--${flag} is a list of ${known.join(', ')} with commas between, found ${JSON.stringify(part)}`,
      );
    }
    if (kind === 'texts') {
      options[name] = [...((options[name] as readonly string[] | undefined) ?? []), value];
      continue;
    }
    if (Object.hasOwn(options, name)) throw new UsageError(`--${flag} has ${name} twice`);
    options[name] = optionValue(flag, name, kind, value);
  }
  return options;
}

function optionValue(
  flag: string,
  name: string,
  kind: OptionKinds[string],
  value: string,
): string | number | boolean {
  if (kind === 'integer' && /^\d{1,9}$/.test(value)) return Number(value);
  if (kind === 'boolean' && /^(true|false)$/.test(value)) return value === 'true';
  if (kind === 'text') return value;
  const expected = kind === 'integer' ? 'a whole number' : 'true or false';
  throw new UsageError(`--${flag}: ${name} must be ${expected}, found ${JSON.stringify(value)}`);
}
