/** Addresses a rule matches: all (`any`), or those that share a prefix. */
export interface AddressRange {
  readonly family: 'any' | 'ipv4' | 'ipv6';
  /** Canonical text: `any`, or hexadecimal address with its host bits zero, `/`, prefix length. Equal ranges have equal keys. */
  readonly key: string;
}

const ANY: AddressRange = { family: 'any', key: 'any' };
const IPV4_BITS = 32;
const IPV6_BITS = 128;
const GROUPS = 8;

/**
 * `any` or nothing, an IPv4 or IPv6 address, or either with a prefix length (`10.0.0.0/8`, `fe80::/10`; without one the
 * whole address counts). Host bits below the prefix do not count. `undefined` when the text is none of these.
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === '' || trimmed === 'any') return ANY;
  const slash = trimmed.indexOf('/');
  const address = slash < 0 ? trimmed : trimmed.slice(0, slash);
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const bytes = family === 'ipv6' ? ipv6Bytes(address) : ipv4Bytes(address);
  if (bytes === undefined) return undefined;
  const bits = family === 'ipv6' ? IPV6_BITS : IPV4_BITS;
  const prefix = slash < 0 ? bits : prefixLength(trimmed.slice(slash + 1), bits);
  if (prefix === undefined) return undefined;
  const digits = bytes.map((byte, i) => masked(byte, prefix - i * 8)).join('');
  return { family, key: `${digits}/${prefix}` };
}

/** The byte's first `bits` bits, the rest zero, as two hexadecimal digits. */
function masked(byte: number, bits: number): string {
  const kept = bits >= 8 ? 0xff : bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff;
  return (byte & kept).toString(16).padStart(2, '0');
}

function prefixLength(text: string, bits: number): number | undefined {
  return /^(?:0|[1-9]\d{0,2})$/.test(text) && Number(text) <= bits ? Number(text) : undefined;
}

/** Four decimal numbers. A leading zero is refused: some readers take it for octal. */
function ipv4Bytes(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  if (!parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) {
    return undefined;
  }
  return parts.map(Number);
}

/** RFC 4291, 2.2: eight groups, one run of zeros as `::`, the last four bytes also as an IPv4 address. No zone. */
function ipv6Bytes(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = GROUPS - head.length - tail.length;
  // `::` stands for at least one group.
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}

/** The 16-bit groups of one side of `::`; an IPv4 ending counts as two. */
function groups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const values: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (mayEndInIpv4 && i === parts.length - 1 && part.includes('.')) {
      const bytes = ipv4Bytes(part);
      if (bytes === undefined) return undefined;
      const [a = 0, b = 0, c = 0, d = 0] = bytes;
      values.push((a << 8) | b, (c << 8) | d);
    } else if (/^[0-9a-f]{1,4}$/.test(part)) {
      values.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return values;
}
