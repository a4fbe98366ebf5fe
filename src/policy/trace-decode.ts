import { decodePayload } from '../abi/index.ts';
import { isExtSwitchError } from '../core/errors.ts';
import { settingsToJson } from '../mof/settings.ts';
import type { TraceEntry } from './api.ts';
import type { FeatureRegistry } from './feature-registry.ts';

/**
 * The structures in an entry's buffer as it was at completion (a method's answer overwrites its question): members by
 * their NDIS names, custom data by the registered class of its id.
 */
export function decodeTrace(
  registry: FeatureRegistry,
  entry: TraceEntry,
): Readonly<Record<string, unknown>> {
  const answered = entry.output !== undefined && entry.output.length > 0;
  try {
    return decodePayload(entry.oid, answered ? (entry.output as Uint8Array) : entry.input, {
      custom: (_scope, kind, id, _version, data) => {
        const registered = registry.byId(kind, id);
        if (registered === undefined) return undefined;
        return settingsToJson(registered.feature, registered.layout.decode(data));
      },
    });
  } catch (error) {
    return { error: isExtSwitchError(error) ? error.message : String(error) };
  }
}
