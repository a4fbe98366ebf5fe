import { createHash } from 'node:crypto';
import type { PortableContent, PortableDocument } from './migration-api.ts';

/*
 * The canonical form of a portable document, over which its checksum goes: JSON without white space, members sorted by
 * their UTF-16 units, numbers as ECMAScript prints them (RFC 8785), bytes as base64 with padding, 64-bit integers as
 * decimal strings. Members that are `undefined` are not there. docs/reference/portable-document.md says the same.
 */

/** The canonical JSON of a value of JSON, bytes and `bigint`. */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'object':
      if (value === null) return 'null';
      if (value instanceof Uint8Array) return JSON.stringify(base64(value));
      if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
      return canonicalObject(value as Readonly<Record<string, unknown>>);
    case 'bigint':
      return `"${value}"`;
    default:
      return JSON.stringify(value) ?? 'null';
  }
}

function canonicalObject(value: Readonly<Record<string, unknown>>): string {
  const parts: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const member = value[name];
    if (member !== undefined) parts.push(`${JSON.stringify(name)}:${canonicalJson(member)}`);
  }
  return `{${parts.join(',')}}`;
}

/** `sha256:` and 64 hexadecimal digits over the canonical form of everything but `checksum`. */
export function checksumOf(content: object): string {
  const { checksum: _checksum, ...rest } = content as { readonly checksum?: unknown };
  return `sha256:${createHash('sha256').update(canonicalJson(rest), 'utf8').digest('hex')}`;
}

/** The document with its checksum. */
export function sealed(content: PortableContent): PortableDocument {
  return { ...content, checksum: checksumOf(content) };
}

/** The document as JSON text that a person can read: members in their order, two spaces, bytes as base64. */
export function portableText(document: PortableDocument): string {
  const text = JSON.stringify(
    document,
    (_name, value: unknown) => (value instanceof Uint8Array ? base64(value) : value),
    2,
  );
  return `${text}\n`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
