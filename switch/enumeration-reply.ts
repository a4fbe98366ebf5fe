import {
  customSize,
  enumEntrySize,
  enumParametersSize,
  type Scope,
  writeCustom,
  writeEnumEntry,
  writeEnumReplyHead,
} from '../src/abi/index.ts';
import { NdisStatus } from '../src/core/status.ts';
import type { OidRequest } from './oid-request.ts';
import type { PropertyInstance } from './ports.ts';

/** sizeof both …_PROPERTY_ENUM_INFO structures: the property stands right behind (rule E42). */
const INFO_SIZE = enumEntrySize(0);

/**
 * Answers PORT_PROPERTY_ENUM or PROPERTY_ENUM in place: parameters with NumProperties, then per property an info entry, the
 * property, padding to 8 (rules E41, E42, E43). Too little room: INVALID_LENGTH with BytesNeeded (rule E44).
 */
export function replyToEnum(
  request: OidRequest,
  scope: Scope,
  found: readonly PropertyInstance[],
  isCustom: boolean,
): NdisStatus {
  const lengths = found.map(({ codec, settings }) => {
    const length = codec.size(settings);
    return isCustom ? customSize(length) : length;
  });
  let needed = enumParametersSize(scope);
  for (const length of lengths) needed += enumEntrySize(length);
  if (request.outputLength < needed) {
    request.bytesNeeded = needed;
    return NdisStatus.INVALID_LENGTH;
  }
  const bytes = request.buffer;
  let at = writeEnumReplyHead(scope, bytes, 0, found.length);
  found.forEach(({ id, codec, settings }, i) => {
    const head = { propertyVersion: codec.version, propertyInstanceId: id };
    const length = lengths[i] ?? 0;
    const propertyAt = at + INFO_SIZE;
    at = writeEnumEntry(scope, bytes, at, head, length);
    const dataAt = isCustom
      ? writeCustom(scope, bytes, propertyAt, length - customSize(0))
      : propertyAt;
    codec.write(settings, bytes, dataAt);
  });
  request.bytesRead = request.inputLength;
  request.bytesWritten = needed;
  return NdisStatus.SUCCESS;
}
