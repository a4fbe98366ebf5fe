import { tryParseGuid } from '../core/guid.ts';
import { PORTABLE_LIMITS as MAX } from './portable-check.ts';
import {
  dictionary,
  flag,
  integer,
  list,
  oneOf,
  record,
  type Shape,
  text,
  wrongAt,
} from './portable-shape.ts';

/*
 * The dump that policies/hyperv/Export-ExtSwitchDocument.ps1 writes on a Hyper-V host: what its cmdlets say, with as little
 * done to it as possible. GUIDs in any case, with braces or not; MAC addresses with separators or not.
 */

const name = text(256);

const anyGuid: Shape<string> = (value, path) => {
  const found = typeof value === 'string' ? tryParseGuid(value) : undefined;
  if (found !== undefined) return found;
  throw wrongAt(path, 'a GUID', value);
};

/** As portable documents write it; all zero while Hyper-V has given none. */
const anyMac: Shape<string> = (value, path) => {
  const digits = typeof value === 'string' ? value.replaceAll(/[-:]/g, '').toLowerCase() : '';
  if (/^[0-9a-f]{12}$/.test(digits)) return digits.replaceAll(/(..)(?=.)/g, '$1-');
  throw wrongAt(path, 'a MAC address of 12 hexadecimal digits', value);
};

/** What ConvertTo-Json makes of a property: 64-bit integers and datetimes as text, NULL as null. */
const value: Shape<unknown> = (given, path) => {
  const plain = ['boolean', 'number', 'bigint', 'string'];
  if (given === null || plain.includes(typeof given)) return given;
  if (Array.isArray(given)) return list(value, MAX.elements)(given, path);
  throw wrongAt(path, 'a value of a WMI property', given);
};

const feature = record({
  featureId: anyGuid,
  name,
  className: name,
  instanceId: text(1_024),
  settings: dictionary(value, MAX.members),
});
const features = list(feature, MAX.properties);

const dump = record({
  format: oneOf('extswitch-hyperv-dump'),
  version: oneOf(1),
  host: name,
  build: integer(0, 0x7fff_ffff),
  classes: list(record({ name, featureId: anyGuid, mof: text(MAX.mof, 1) }), MAX.features),
  switches: list(
    record({
      id: anyGuid,
      name,
      type: oneOf('Private', 'Internal', 'External'),
      isTeam: flag,
      adapters: list(
        record({ name, description: name, mac: anyMac, id: anyGuid, pnpId: name }),
        32,
      ),
      extensions: list(record({ id: anyGuid, name, version: name, enabled: flag }), MAX.extensions),
      features,
      externalFeatures: features,
      internal: list(record({ name, mac: anyMac, features }), MAX.ports),
    }),
    MAX.switches,
  ),
  vms: list(
    record({
      id: anyGuid,
      name,
      state: name,
      adapters: list(
        record(
          {
            id: anyGuid,
            name,
            isLegacy: flag,
            isDynamicMac: flag,
            mac: anyMac,
            requiredFeatures: list(anyGuid, MAX.features),
            features,
          },
          { switchId: anyGuid, switchName: name },
        ),
        MAX.adapters,
      ),
    }),
    MAX.vms,
  ),
});

export type HyperVDump = ReturnType<typeof dump>;
export type HyperVFeature = ReturnType<typeof feature>;

/** Whether a value says that it is such a dump. */
export function isHyperVDump(given: unknown): boolean {
  const head = given as { readonly format?: unknown } | null;
  return typeof given === 'object' && head?.format === 'extswitch-hyperv-dump';
}

/** The dump, checked member by member; throws `INVALID_ARGUMENT` naming the path. */
export function checkHyperVDump(given: unknown): HyperVDump {
  return dump(given, '');
}
