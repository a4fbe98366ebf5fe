import { ExtSwitchError } from '../core/errors.ts';
import { tryParseGuid } from '../core/guid.ts';

/** The one object that an id or a unique name stands for; `NOT_FOUND` or `AMBIGUOUS_NAME` otherwise. */
export function findOne<T>(
  what: string,
  idOrName: string,
  byId: (id: string) => T | undefined,
  all: Iterable<T>,
  nameOf: (object: T) => string,
): T {
  const id = tryParseGuid(idOrName);
  const known = id === undefined ? undefined : byId(id);
  if (known !== undefined) return known;
  let found: T | undefined;
  for (const object of all) {
    if (nameOf(object) !== idOrName) continue;
    if (found !== undefined) {
      throw new ExtSwitchError(
        'AMBIGUOUS_NAME',
        `more than one ${what} is named ${JSON.stringify(idOrName)}: use its id`,
        { found: idOrName },
      );
    }
    found = object;
  }
  if (found === undefined) {
    throw new ExtSwitchError(
      'NOT_FOUND',
      `no ${what} has the id or name ${JSON.stringify(idOrName)}`,
      {
        found: idOrName,
      },
    );
  }
  return found;
}

/** A name a person gives: 1-256 UTF-16 units (IF_COUNTED_STRING), no control characters, no lone surrogates. */
export function checkName(name: string, what: string): string {
  const wrong = faultOfName(name);
  if (wrong === undefined) return name;
  throw new ExtSwitchError('INVALID_ARGUMENT', `${what} name: expected ${wrong}`, {
    member: 'name',
    expected: wrong,
  });
}

/** What a name should be and is not; who calls from JavaScript may give anything. */
function faultOfName(name: unknown): string | undefined {
  if (typeof name !== 'string') return `text, found ${name === null ? 'null' : typeof name}`;
  if (name.length === 0 || name.length > 256) return `1 to 256 characters, found ${name.length}`;
  if (hasControlCharacter(name)) return 'no control characters';
  return name.isWellFormed() ? undefined : 'well-formed text, found a lone surrogate';
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}
