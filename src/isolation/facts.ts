import type { RequestType } from '../sdk/extension.ts';

/*
 * What an extension's worker is told of the objects its handlers get: what cannot change, and the number by which it asks for the
 * rest. `target` is that number.
 */

export interface ContextFacts {
  readonly target: number;
  readonly id: string;
  readonly name: string;
  readonly ndisVersion: string;
}

/** What of a request changes while it is under way. */
export interface RequestState {
  readonly status: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly bytesNeeded: number;
}

export interface RequestFacts {
  readonly kind: 'request';
  readonly target: number;
  /** The same for all handles of one request at one extension. */
  readonly key: string;
  readonly oid: number;
  readonly oidName: string;
  readonly requestType: RequestType;
  readonly id: number;
  readonly state: RequestState;
}

/** A view with plain members and the request it is of. */
export interface ViewFacts {
  readonly kind: 'property' | 'statusQuery' | 'saveState' | 'restoreState' | 'nicRequest';
  readonly target: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly request: RequestFacts;
}

export interface IndicationFacts {
  readonly kind: 'indication';
  readonly key: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly bytes: Uint8Array;
  /** Where `data` stands in `bytes`. */
  readonly dataOffset: number;
  readonly dataLength: number;
}

/** Decoded parameters of a port or NIC, an address, an event. */
export interface PlainFacts {
  readonly kind: 'plain';
  readonly value: unknown;
  readonly isFrozen: boolean;
}

export type ArgumentFacts = PlainFacts | RequestFacts | ViewFacts | IndicationFacts;

/** What `attach` returned: its members by name, told by what they are. */
export interface HandlersFacts {
  /** It is a plain object, where an unknown function is a slip of the pen. */
  readonly isPlain: boolean;
  readonly members: readonly (readonly [name: string, value: MemberFacts])[];
}
export type MemberFacts =
  | { readonly is: 'function' }
  | { readonly is: 'object' }
  | { readonly is: 'value'; readonly value: unknown };

/** Bytes of a request, or a part of them. */
export interface BytesFacts {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
}
