/** `yyyymmddhhmmss.mmmmmm±UUU`: width, smallest and largest value of each field of a point in time. */
const FIELDS: readonly (readonly [string, number, number, number])[] = [
  ['year', 4, 0, 9999],
  ['month', 2, 1, 12],
  ['day', 2, 1, 31],
  ['hour', 2, 0, 23],
  ['minute', 2, 0, 59],
  ['second', 2, 0, 59],
];
/** `ddddddddhhmmss.mmmmmm:000`. */
const INTERVAL_FIELDS: readonly (readonly [string, number, number, number])[] = [
  ['days', 8, 0, 99_999_999],
  ['hours', 2, 0, 23],
  ['minutes', 2, 0, 59],
  ['seconds', 2, 0, 59],
];

const SHAPE = /^[0-9*]{14}\.(?:[0-9]{6}|\*{6})(?:[+-](?:[0-9]{3}|\*{3})|:000)$/;

/**
 * Says what is wrong with a CIM datetime: 25 characters, a point in time `yyyymmddhhmmss.mmmmmm±UUU` or an interval
 * `ddddddddhhmmss.mmmmmm:000`, where whole fields may be asterisks (management.md 1.2). `undefined` when it is right.
 */
export function datetimeProblem(text: string): string | undefined {
  if (!SHAPE.test(text)) return 'yyyymmddhhmmss.mmmmmm±UUU or ddddddddhhmmss.mmmmmm:000';
  let at = 0;
  for (const [name, width, low, high] of text[21] === ':' ? INTERVAL_FIELDS : FIELDS) {
    const field = text.slice(at, at + width);
    at += width;
    if (field === '*'.repeat(width)) continue;
    const value = field.includes('*') ? Number.NaN : Number(field);
    if (!(value >= low && value <= high)) {
      return `a datetime with ${name} ${String(low).padStart(width, '0')}..${high} or asterisks`;
    }
  }
  return undefined;
}
