import { decodePayload } from '../abi/index.ts';
import { isExtSwitchError } from '../core/errors.ts';
import { settingsToJson } from '../mof/settings.ts';
import type { TraceEntry } from './api.ts';
import type { FeatureRegistry, RegisteredFeature } from './feature-registry.ts';

/**
 * The structures in an entry's buffer as it was at completion (a method's answer overwrites its question): members by
 * their NDIS names, custom data by the registered class of its id.
 */
export function decodeTrace(
  registry: FeatureRegistry,
  entry: TraceEntry,
): Readonly<Record<string, unknown>> {
  return decodePayload(entry.oid, bufferOf(entry), {
    custom: (_scope, kind, id, _version, data) => {
      const registered = registry.byId(kind, id);
      return registered === undefined ? undefined : customValues(registered, data);
    },
  });
}

/** The question as far as the answer did not overwrite it: an owner may write less than the room it was given. */
function bufferOf({ input, output }: TraceEntry): Uint8Array {
  if (output === undefined || output.length === 0) return input;
  if (output.length >= input.length) return output;
  const buffer = input.slice();
  buffer.set(output);
  return buffer;
}

/** Bytes that do not fit the class now registered stay bytes; the structures around them are readable all the same. */
function customValues(
  { feature, layout }: RegisteredFeature,
  data: Uint8Array,
): Readonly<Record<string, unknown>> | undefined {
  try {
    return settingsToJson(feature, layout.decode(data));
  } catch (error) {
    if (isExtSwitchError(error)) return undefined;
    throw error;
  }
}
