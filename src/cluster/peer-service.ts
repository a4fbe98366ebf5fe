import { ExtSwitchError } from '../core/errors.ts';
import type { Guid } from '../core/guid.ts';
import type { RestoreReport, VmInfo } from '../policy/api.ts';
import type {
  CompatibilityReport,
  MigrationDocument,
  MigrationMapping,
  MigrationPeer,
  PortableRecord,
  SupersededCopy,
} from '../policy/migration-api.ts';
import type { StoreValue } from '../store/store.ts';
import { decodeValue, encodeValue } from '../store/value-codec.ts';

/** Service of {@link Cluster.ask} that migrations go by. */
export const PEER_SERVICE = 'migration';

/** The calls of a `MigrationPeer` as they travel. Records by adapter are pairs, since a map has no bytes of its own. */
export type PeerCall =
  | {
      readonly call: 'compare';
      readonly document: MigrationDocument;
      readonly switches: MigrationMapping;
    }
  | {
      readonly call: 'prepare';
      readonly migration: Guid;
      readonly document: MigrationDocument;
      readonly switches: MigrationMapping;
    }
  | {
      readonly call: 'take';
      readonly migration: Guid;
      readonly records: readonly (readonly [Guid, readonly PortableRecord[]])[];
      readonly state: VmInfo['state'];
    }
  | { readonly call: 'abandon' | 'outcome' | 'supersede' | 'forget'; readonly migration: Guid };

export type PeerAnswer = CompatibilityReport | RestoreReport | SupersededCopy | string | null;

export function encodePeerCall(call: PeerCall): Uint8Array {
  return encodeValue('migration', call as unknown as StoreValue);
}

export function decodePeerAnswer(bytes: Uint8Array): PeerAnswer {
  return decodeValue(bytes, bytes.length) as unknown as PeerAnswer;
}

/** Answers the calls that {@link encodePeerCall} makes, with what `peer` says. Throws what it throws. */
export async function answerPeerCall(peer: MigrationPeer, bytes: Uint8Array): Promise<Uint8Array> {
  const answer = await called(peer, decodePeerCall(bytes));
  return encodeValue('migration', answer as unknown as StoreValue);
}

function decodePeerCall(bytes: Uint8Array): PeerCall {
  let value: StoreValue;
  try {
    value = decodeValue(bytes, bytes.length);
  } catch (cause) {
    throw new ExtSwitchError('MALFORMED', 'a message of a migration cannot be read', {}, { cause });
  }
  const isCall = typeof value === 'object' && value !== null && 'call' in value;
  if (!isCall) throw new ExtSwitchError('MALFORMED', 'a message of a migration is no call');
  return value as unknown as PeerCall;
}

async function called(peer: MigrationPeer, call: PeerCall): Promise<PeerAnswer> {
  switch (call.call) {
    case 'compare':
      return peer.compare(call.document, call.switches);
    case 'prepare':
      return peer.prepare(call.migration, call.document, call.switches);
    case 'take':
      return peer.take(call.migration, new Map(call.records), call.state);
    case 'outcome':
      return peer.outcome(call.migration);
    case 'supersede':
      return peer.supersede(call.migration);
    case 'abandon':
      await peer.abandon(call.migration);
      return null;
    case 'forget':
      await peer.forget(call.migration);
      return null;
    default: {
      const { call: found } = call as { readonly call: unknown };
      throw new ExtSwitchError(
        'MALFORMED',
        `this version knows no call ${JSON.stringify(found)} of a migration`,
        { found: String(found) },
      );
    }
  }
}
