import { ExtSwitchError } from '../core/errors.ts';
import { nearestName } from '../mof/nearest-name.ts';

/** Every member of an options type: what TypeScript keeps complete. */
export type MembersOf<Options> = Readonly<Record<keyof Options, true>>;

/**
 * Refuses options with a member that nobody reads, as HTTP does: a misspelt name would silently leave the default. Throws
 * `UNKNOWN_FIELD` naming the nearest member there is.
 */
export function refuseUnknown(
  what: string,
  given: object,
  known: Readonly<Record<string, true>>,
): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue;
    const near = nearestName(name, Object.keys(known));
    const hint =
      near === undefined ? `it takes ${Object.keys(known).join(', ')}` : `did you mean ${near}?`;
    throw new ExtSwitchError(
      'UNKNOWN_FIELD',
      `${what} has no option ${JSON.stringify(name.slice(0, 100))}; ${hint}`,
      { member: name.slice(0, 100), ...(near === undefined ? {} : { expected: near }) },
    );
  }
}
