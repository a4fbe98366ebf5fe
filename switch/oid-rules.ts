import { OID_LIST, type OidName } from '../src/abi/index.ts';

/**
 * Who may end an OID on its way down (rule book D.3). Rule D20: the rows `veto` and `property` are the vetoable set.
 *
 * - `never`: must be forwarded; a completion by an extension is a violation of `rule` (OP-28).
 * - `veto`: an error status refuses it; success by an extension is a violation of `rule`.
 * - `property`: refused by an error status, or completed with success by the owner (OP-1).
 * - `owner`: the owner answers it, with success or an error.
 */
export interface EndRule {
  readonly by: 'never' | 'veto' | 'property' | 'owner';
  readonly rule: string;
}

const RULES: Readonly<Partial<Record<OidName, EndRule>>> = {
  OID_SWITCH_PORT_CREATE: { by: 'veto', rule: 'B28' },
  OID_SWITCH_PORT_UPDATED: { by: 'never', rule: 'B24' },
  OID_SWITCH_PORT_TEARDOWN: { by: 'never', rule: 'B24' },
  OID_SWITCH_PORT_DELETE: { by: 'never', rule: 'B24' },
  OID_SWITCH_NIC_CREATE: { by: 'veto', rule: 'C38' },
  OID_SWITCH_NIC_CONNECT: { by: 'never', rule: 'C40' },
  OID_SWITCH_NIC_UPDATED: { by: 'never', rule: 'C40' },
  OID_SWITCH_NIC_DISCONNECT: { by: 'never', rule: 'C40' },
  OID_SWITCH_NIC_DELETE: { by: 'never', rule: 'C40' },
  OID_SWITCH_PORT_PROPERTY_ADD: { by: 'property', rule: 'E36' },
  OID_SWITCH_PORT_PROPERTY_UPDATE: { by: 'property', rule: 'E36' },
  OID_SWITCH_PORT_PROPERTY_DELETE: { by: 'property', rule: 'E36' },
  OID_SWITCH_PROPERTY_ADD: { by: 'property', rule: 'E36' },
  OID_SWITCH_PROPERTY_UPDATE: { by: 'property', rule: 'E36' },
  OID_SWITCH_PROPERTY_DELETE: { by: 'property', rule: 'E36' },
  OID_SWITCH_PORT_PROPERTY_ENUM: { by: 'never', rule: 'E47' },
  OID_SWITCH_PROPERTY_ENUM: { by: 'never', rule: 'E47' },
  OID_SWITCH_PARAMETERS: { by: 'never', rule: 'J15' },
  OID_SWITCH_PORT_ARRAY: { by: 'never', rule: 'J15' },
  OID_SWITCH_NIC_ARRAY: { by: 'never', rule: 'J15' },
  OID_SWITCH_PORT_FEATURE_STATUS_QUERY: { by: 'owner', rule: 'F7' },
  OID_SWITCH_FEATURE_STATUS_QUERY: { by: 'owner', rule: 'F7' },
  OID_SWITCH_NIC_SAVE: { by: 'owner', rule: 'G13' },
  OID_SWITCH_NIC_SAVE_COMPLETE: { by: 'never', rule: 'G20' },
  OID_SWITCH_NIC_RESTORE: { by: 'owner', rule: 'G31' },
  OID_SWITCH_NIC_RESTORE_COMPLETE: { by: 'never', rule: 'G34' },
  OID_SWITCH_NIC_SUSPEND: { by: 'never', rule: 'G45' },
  OID_SWITCH_NIC_RESUME: { by: 'never', rule: 'G45' },
  OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_STARTED: { by: 'never', rule: 'G45' },
  OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_FINISHED: { by: 'never', rule: 'G45' },
};

/** An OID the switch does not know must be forwarded (rule D13). */
const UNKNOWN: EndRule = { by: 'never', rule: 'D13' };

const BY_INDEX: readonly EndRule[] = OID_LIST.map((oid) => RULES[oid.name] ?? UNKNOWN);

/** Rule for a dense OID index; -1 and anything else unknown: forward only. */
export function endRule(oidIndex: number): EndRule {
  return BY_INDEX[oidIndex] ?? UNKNOWN;
}
