import { lowerAdapters } from '../../switch/external-port.ts';
import type { OidRequest } from '../../switch/oid-request.ts';
import { NdisStatus } from '../core/status.ts';
import { uplinkPort } from './uplink-port.ts';
import type { Cause } from './veto.ts';
import type { SwitchEntry } from './world.ts';

/** Why the hardware below a switch gave no virtual function; `undefined` when an extension decided, or nothing is known. */
export function vfRefusal(entry: SwitchEntry, request: OidRequest): Cause | undefined {
  if (request.completedBy !== undefined) return undefined;
  const port = uplinkPort(entry);
  const lower = port === undefined ? [] : lowerAdapters(port);
  const [only] = lower;
  if (lower.length > 1) {
    if (request.status !== NdisStatus.INVALID_PARAMETER) return undefined;
    return {
      reason: `below switch ${entry.name} is a team of ${lower.length} adapters, each with an index of its own; which one gives the virtual function is chosen by a teaming provider extension, and none did (rules C4, D32)`,
      rule: 'D32',
    };
  }
  if (only === undefined) return undefined;
  const { name, virtualFunctions } = only.adapter;
  if (request.status === NdisStatus.NOT_SUPPORTED) {
    return { reason: `adapter ${name} has no virtual functions` };
  }
  if (request.status !== NdisStatus.RESOURCES) return undefined;
  return { reason: `all ${virtualFunctions} virtual functions of adapter ${name} are in use` };
}
