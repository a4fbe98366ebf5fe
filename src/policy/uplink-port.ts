import type { Port } from '../../switch/ports.ts';
import type { SwitchEntry } from './world.ts';

/** The external port of a switch, once it has a NIC. */
export function uplinkPort(entry: SwitchEntry): Port | undefined {
  for (const port of entry.ports.values()) {
    if (port.type === 'external' && port.nics.size > 0) return port;
  }
  return undefined;
}
