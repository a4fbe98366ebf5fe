/*
 * Store keys as subjects of NATS: `/` becomes `.`, a segment becomes one token of letters, digits, `_` and `-`. Every
 * other character, and `=` itself, is `=` and two hexadecimal digits; an empty segment is `=` alone. So no two keys share
 * a subject, and the subject gives back the key: `switch/a b` ↔ `switch.a=20b`.
 */

const ESCAPED = /[^A-Za-z0-9_-]/g;
const UNESCAPED = /=([0-9A-F]{2})/g;

/** Part of a subject for a store key (1 to 512 printable ASCII characters). */
export function subjectOfKey(key: string): string {
  return key.split('/').map(tokenOf).join('.');
}

/** The store key that {@link subjectOfKey} made `subject` of. */
export function keyOfSubject(subject: string): string {
  return subject.split('.').map(segmentOf).join('/');
}

function tokenOf(segment: string): string {
  if (segment === '') return '=';
  return segment.replace(ESCAPED, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase();
    return `=${code.padStart(2, '0')}`;
  });
}

function segmentOf(token: string): string {
  if (token === '=') return '';
  return token.replace(UNESCAPED, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}
