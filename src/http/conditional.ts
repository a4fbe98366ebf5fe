import { ExtSwitchError } from '../core/errors.ts';

/** `"3"`, `W/"3"`: RFC 9110, 8.8.3. */
const TAG = /^(W\/)?"([\x21\x23-\x7e]*)"$/;

/** The tags of an If-Match or If-None-Match; `*` alone stands for any. Throws `MALFORMED`. */
function parseTags(header: string, name: string): '*' | { weak: boolean; value: string }[] {
  const text = header.trim();
  if (text === '*') return '*';
  return text.split(',').map((part) => {
    const match = TAG.exec(part.trim());
    if (match === null) {
      throw new ExtSwitchError(
        'MALFORMED',
        `${name}: ${JSON.stringify(part.trim().slice(0, 80))} is not an entity tag such as "3"`,
        { member: name },
      );
    }
    return { weak: match[1] !== undefined, value: match[2] ?? '' };
  });
}

/**
 * The revision an update must find, from If-Match (strong comparison, RFC 9110, 13.1.1); `undefined`: none given, or `*`.
 * `current` is asked only when it matters. Throws `STALE_REVISION` and `MALFORMED`.
 */
export function requiredRevision(
  ifMatch: string | undefined,
  current: () => number,
): number | undefined {
  if (ifMatch === undefined) return undefined;
  const tags = parseTags(ifMatch, 'If-Match');
  const revision = current();
  if (tags === '*') return undefined;
  if (tags.some((tag) => !tag.weak && tag.value === `${revision}`)) return revision;
  throw new ExtSwitchError(
    'STALE_REVISION',
    `the property has revision ${revision}, If-Match asks for ${ifMatch.slice(0, 80)}`,
    { expected: ifMatch.slice(0, 80), found: `"${revision}"` },
  );
}

/** True when If-None-Match says the client has this revision already (weak comparison). Throws `MALFORMED`. */
export function clientHas(ifNoneMatch: string | undefined, revision: number): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = parseTags(ifNoneMatch, 'If-None-Match');
  return tags === '*' || tags.some((tag) => tag.value === `${revision}`);
}
