/** Takes no place of its own: marks that join the letter before, joiners, variation selectors. */
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** Shown as a picture, two places wide. */
const PICTURE = /^\p{Emoji_Presentation}$/u;
/** First and last code points of what East Asian Width calls W and F, without pictures. */
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x20000, 0x3fffd],
];

/** How many places a terminal gives a text: names may be of any script, and columns shall stand under each other. */
export function textWidth(text: string): number {
  if (isAscii(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** `text` with spaces behind it up to `width` places. */
export function padBehind(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** `text` with spaces before it up to `width` places. */
export function padBefore(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - textWidth(text))) + text;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7e) return false;
  return true;
}

function characterWidth(character: string): number {
  if (INVISIBLE.test(character)) return 0;
  if (PICTURE.test(character)) return 2;
  const code = character.codePointAt(0) ?? 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
