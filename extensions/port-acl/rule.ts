import type { Settings } from '../../src/sdk/index.ts';
import { parseAddressRange } from './address.ts';

/** Values of the class member Action. */
const ACTION = { allow: 1, deny: 2 } as const;
/** Values of the class member Direction, seen from the port's NIC. */
const DIRECTION = { inbound: 1, outbound: 2 } as const;

/** IP protocols whose header starts with source and destination port (IANA): TCP, UDP, DCCP, SCTP, UDP-Lite. */
const PROTOCOLS_WITH_PORTS: readonly number[] = [6, 17, 33, 132, 136];
const ANY_PROTOCOL = 0;
const PORT_MAX = 65_535;

/** One rule as the extension keeps it. */
export interface AclRule {
  readonly action: 'allow' | 'deny';
  /** What it matches and its weight: two rules with equal keys and different actions contradict each other. */
  readonly key: string;
}

/** A rule, or why the values are none. */
export type ParsedRule = { readonly rule: AclRule } | { readonly malformed: string };

/**
 * Reads the settings of ExtSwitch_PortAclRuleSettingData. Members it does not know are left alone: a newer minor version
 * of the class may have some (rule E51).
 */
export function parseRule(settings: Settings): ParsedRule {
  const action = integer(settings, 'Action');
  if (action !== ACTION.allow && action !== ACTION.deny) {
    return malformed('Action', '1 (allow) or 2 (deny)', action);
  }
  const direction = integer(settings, 'Direction');
  if (direction !== DIRECTION.inbound && direction !== DIRECTION.outbound) {
    return malformed('Direction', '1 (inbound) or 2 (outbound)', direction);
  }
  const weight = integer(settings, 'Weight');
  if (weight === undefined) return malformed('Weight', 'a number', settings['Weight']);
  const protocol = integer(settings, 'Protocol');
  if (protocol === undefined || protocol > 255) {
    return malformed('Protocol', '0 (any) to 255', settings['Protocol']);
  }
  const addresses = parseAddresses(settings);
  if ('malformed' in addresses) return addresses;
  const ports = parsePorts(settings, protocol);
  if ('malformed' in ports) return ports;
  return {
    rule: {
      action: action === ACTION.allow ? 'allow' : 'deny',
      key: `${weight} ${direction} ${protocol} ${addresses.key} ${ports.key}`,
    },
  };
}

function parseAddresses(settings: Settings): { readonly key: string } | { malformed: string } {
  const local = parseAddressRange(String(settings['LocalAddress'] ?? ''));
  if (local === undefined) return notAnAddress('LocalAddress', settings);
  const remote = parseAddressRange(String(settings['RemoteAddress'] ?? ''));
  if (remote === undefined) return notAnAddress('RemoteAddress', settings);
  const mixed = local.family !== 'any' && remote.family !== 'any' && local.family !== remote.family;
  if (mixed) {
    return malformed(
      'RemoteAddress',
      `of the family of LocalAddress (${local.family})`,
      remote.family,
    );
  }
  return { key: `${local.key} ${remote.key}` };
}

function notAnAddress(member: string, settings: Settings): { malformed: string } {
  return malformed(
    member,
    'any, or an IPv4 or IPv6 address with or without a prefix length',
    settings[member],
  );
}

function parsePorts(
  settings: Settings,
  protocol: number,
): { readonly key: string } | { malformed: string } {
  const keys: string[] = [];
  for (const side of ['Local', 'Remote']) {
    const first = integer(settings, `${side}PortFirst`);
    const last = integer(settings, `${side}PortLast`);
    if (first === undefined || last === undefined || last > PORT_MAX || first > last) {
      return malformed(`${side}PortLast`, `${side}PortFirst to ${PORT_MAX}`, last);
    }
    const all = first === 0 && last === PORT_MAX;
    if (!all && !PROTOCOLS_WITH_PORTS.includes(protocol)) {
      const what = protocol === ANY_PROTOCOL ? 'any protocol' : `protocol ${protocol}`;
      return malformed(`${side}PortFirst`, `0 to ${PORT_MAX} for ${what}`, `${first} to ${last}`);
    }
    keys.push(`${first}-${last}`);
  }
  return { key: keys.join(' ') };
}

/** A whole number that is not negative. */
function integer(settings: Settings, member: string): number | undefined {
  const value = settings[member];
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

function malformed(member: string, expected: string, found: unknown): { malformed: string } {
  return { malformed: `${member} must be ${expected}, found ${String(found)}` };
}
