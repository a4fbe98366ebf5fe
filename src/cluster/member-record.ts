import type { StoreValue } from '../store/store.ts';

/** What a host says of itself in its lease: JSON, so that `nats kv get` shows it to people. */
export interface MemberRecord {
  /** Of the process: two processes of one name are told apart by it. */
  readonly incarnation: string;
  /** 0 until the store is open. */
  readonly epoch: number;
  readonly profile: string;
  readonly version: string;
  /** ISO 8601, by its own clock. */
  readonly since: string;
  readonly url?: string;
  /** Its world is there: VMs can be migrated to it. */
  readonly isOpen: boolean;
}

/** Letters, digits, `_`, `-`: what may stand as one part of a subject and of a key. */
export const HOST_NAME = /^[A-Za-z0-9_-]{1,63}$/;

export function encodeMember(record: MemberRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** `undefined` for what is no record of a host: another program's key, or a version we do not know. */
export function decodeMember(bytes: Uint8Array): MemberRecord | undefined {
  let value: StoreValue;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as StoreValue;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { incarnation, epoch, profile, version, since, url, isOpen } = value as Readonly<
    Record<string, StoreValue>
  >;
  if (typeof incarnation !== 'string' || typeof epoch !== 'number') return undefined;
  if (!Number.isSafeInteger(epoch) || epoch < 0) return undefined;
  const text = (one: StoreValue | undefined): string => (typeof one === 'string' ? one : '');
  return {
    incarnation,
    epoch,
    profile: text(profile),
    version: text(version),
    since: text(since),
    ...(typeof url === 'string' ? { url } : {}),
    isOpen: isOpen === true,
  };
}
