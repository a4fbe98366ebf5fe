/*
 * A MessagePack map around bytes that are MessagePack already: a document of a file goes to the server as it is, neither
 * decoded nor copied member by member (msgpack.org specification, formats fixmap, map 16, str 8, str 16).
 */

/** What a member may be: text, members of text, or bytes of one MessagePack value. */
export type MapMember = string | Readonly<Record<string, string>> | Uint8Array;

/** The bytes of a map with these members, at most 65,535 of them, texts at most 65,535 bytes. */
export function messagePackMap(members: Readonly<Record<string, MapMember>>): Buffer {
  const entries = Object.entries(members);
  const parts: Uint8Array[] = [head(entries.length, 0x80, 15, 0xde)];
  for (const [name, value] of entries) {
    parts.push(text(name));
    if (value instanceof Uint8Array) parts.push(value);
    else if (typeof value === 'string') parts.push(text(value));
    else parts.push(messagePackMap(value));
  }
  return Buffer.concat(parts);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([head(bytes.length, 0xa0, 31, 0xda), bytes]);
}

/** The length in the format byte up to `max`, else in the two bytes behind `wide`. */
function head(length: number, fixed: number, max: number, wide: number): Uint8Array {
  return length <= max ? Uint8Array.of(fixed | length) : Uint8Array.of(wide, length >> 8, length);
}
