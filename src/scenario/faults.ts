import type { NdisStatus } from '../core/status.ts';
import type { RequestType } from '../sdk/extension.ts';

/** What an extension does to an OID in place of its own handlers. */
export interface OidFault {
  readonly effect: 'veto' | 'delay' | 'throw' | 'hang';
  /** Alias of the extension. */
  readonly extension: string;
  readonly oid: string;
  readonly requestType?: RequestType | undefined;
  readonly switch?: string | undefined;
  /** Status of a veto. */
  readonly status: NdisStatus;
  readonly delayMs: number;
  /** The first one that is hit, counted from 1 when the fault is injected. */
  readonly nth: number;
  /** How many are hit, one after the other. */
  readonly times: number;
}

/** The messages between two hosts of a migration. */
export const MESSAGES = [
  'compare',
  'prepare',
  'take',
  'abandon',
  'outcome',
  'supersede',
  'forget',
] as const;
export type MessageName = (typeof MESSAGES)[number];

/** What happens to a message that this host sends: it, or its answer, is lost; or the host dies as it sends it. */
export interface MessageFault {
  readonly effect: 'lostMessage' | 'crash';
  readonly message: MessageName;
  readonly to?: string | undefined;
  /** The other host gets it: only the answer is lost. */
  readonly delivered: boolean;
  readonly nth: number;
  readonly times: number;
}

interface Armed<F extends { readonly nth: number; readonly times: number }> {
  readonly fault: F;
  seen: number;
}

/** A fault of the store: writes are refused as if the disk were full. */
export interface StoreFault {
  readonly nth: number;
  readonly times: number;
}

/** The faults injected into one host, counted down as they are met. */
export class HostFaults {
  #oids: Armed<OidFault>[] = [];
  #writes: Armed<StoreFault>[] = [];
  #messages: Armed<MessageFault>[] = [];

  injectMessage(fault: MessageFault): void {
    this.#messages.push({ fault, seen: 0 });
  }

  injectOid(fault: OidFault): void {
    this.#oids.push({ fault, seen: 0 });
  }

  injectStore(fault: StoreFault): void {
    this.#writes.push({ fault, seen: 0 });
  }

  clear(): void {
    this.#oids = [];
    this.#writes = [];
    this.#messages = [];
  }

  /** The fault that a message to another host meets, if any. */
  meetMessage(message: MessageName, to: string): MessageFault | undefined {
    let met: MessageFault | undefined;
    for (const armed of this.#messages) {
      const { fault } = armed;
      if (fault.message !== message || (fault.to ?? to) !== to) continue;
      if (isHit(armed)) met ??= fault;
    }
    return met;
  }

  /** The fault that this OID of this extension meets, if any. */
  meetOid(
    extension: string,
    sw: string,
    oid: string,
    requestType: RequestType,
  ): OidFault | undefined {
    let met: OidFault | undefined;
    for (const armed of this.#oids) {
      const { fault } = armed;
      if (fault.extension !== extension || fault.oid !== oid) continue;
      if (fault.switch !== undefined && fault.switch !== sw) continue;
      if (fault.requestType !== undefined && fault.requestType !== requestType) continue;
      if (isHit(armed)) met ??= fault;
    }
    return met;
  }

  meetWrite(): boolean {
    let isMet = false;
    for (const armed of this.#writes) isMet = isHit(armed) || isMet;
    return isMet;
  }
}

function isHit(armed: Armed<{ readonly nth: number; readonly times: number }>): boolean {
  armed.seen += 1;
  const { nth, times } = armed.fault;
  return armed.seen >= nth && armed.seen < nth + times;
}
