import { memberAt } from '../../policy/byte-member.ts';
import type { FeatureRegistry } from '../../policy/feature-registry.ts';

/** The first byte that is not the recorded one. */
export interface ByteDifference {
  /** From the start of the buffer. */
  readonly offset: number;
  /** Member it is in, with the way there, as `NDIS_… > PropertyCustom > SettingIntA`; missing in bytes that are no structure. */
  readonly field?: string;
  /** Value of the member, or the byte in hex; `nothing` behind the end. */
  readonly recorded: string;
  readonly replayed: string;
}

/** `undefined`: they are the same. `oid`: what the bytes are the buffer of. */
export function byteDifference(
  registry: FeatureRegistry,
  oid: string,
  recorded: Uint8Array,
  replayed: Uint8Array,
): ByteDifference | undefined {
  const shared = Math.min(recorded.length, replayed.length);
  let offset = 0;
  while (offset < shared && recorded[offset] === replayed[offset]) offset += 1;
  if (offset === recorded.length && offset === replayed.length) return undefined;
  const was = memberAt(registry, oid, recorded, offset);
  const is = memberAt(registry, oid, replayed, offset);
  const path = (was ?? is)?.path.join(' > ');
  // Members that are shown alike differ in a byte that the text does not show.
  const isTold = was !== undefined && is !== undefined && was.path.join() === is.path.join();
  const told = isTold && was.value !== is.value;
  return {
    offset,
    ...(path === undefined ? {} : { field: path }),
    recorded: told ? was.value : byteAt(recorded, offset),
    replayed: told ? is.value : byteAt(replayed, offset),
  };
}

function byteAt(bytes: Uint8Array, offset: number): string {
  const byte = bytes[offset];
  return byte === undefined ? 'nothing' : `0x${byte.toString(16).padStart(2, '0')}`;
}
