import { ExtSwitchError } from '../core/errors.ts';
import type { PageQuery } from './page.ts';
import type { Here } from './route.ts';

/** Query of a list of all hosts. */
export interface HostPageQuery extends PageQuery {
  /** Only what this host has. */
  readonly host?: string;
}

/** An object as it is shown: in a cluster with the host that has it. */
export function shown<T extends object>(info: T, here: Here): T & { readonly host?: string } {
  return here.isCluster ? { ...info, host: here.host } : info;
}

/** Throws `NOT_FOUND` when a list is asked for another host than the one that gives it. */
export function assertThisHost({ host }: HostPageQuery, here: Here): void {
  if (host === undefined || host === here.host) return;
  throw new ExtSwitchError(
    'NOT_FOUND',
    `there is no host ${JSON.stringify(host)} here: this is host ${JSON.stringify(here.host)}`,
    { member: 'host', expected: here.host, found: host },
  );
}
