import { ExtSwitchError } from '../src/core/errors.ts';
import type { NicType, PortType } from '../src/sdk/extension.ts';
import type { NicChange, NicOptions, Port } from './ports.ts';
import type { SwitchState } from './switch-state.ts';

/** Rule C3: indexes of adapters below the external NIC. */
const MAX_NIC_INDEX = 32;

/** Rules B5, B6: the NIC type that fits a port type; generic ports take VM NICs. */
export const NIC_TYPE_OF_PORT: Readonly<Record<PortType, NicType>> = {
  generic: 'synthetic',
  external: 'external',
  synthetic: 'synthetic',
  emulated: 'emulated',
  internal: 'internal',
};

function refuse(message: string, rule: string): never {
  throw new ExtSwitchError('ILLEGAL_TRANSITION', `${message} (rule ${rule})`, { rule });
}

/**
 * Rules A7, C9: external ports on external switches, internal ones not on private switches, which so keep the management OS
 * out (rule A8).
 */
export function checkPortKind(state: SwitchState, type: PortType): void {
  const kind = state.type;
  if (type === 'external' ? kind !== 'external' : type === 'internal' && kind === 'private') {
    const rule = type === 'external' ? 'A7' : 'C9';
    throw new ExtSwitchError(
      'ILLEGAL_TRANSITION',
      `a ${kind} switch has no ${type} port (rule ${rule})`,
      { rule, member: 'type' },
    );
  }
}

/** What decides which NICs a port takes. */
export type NicPlace = Pick<Port, 'type' | 'isValidationPort' | 'nics'>;

/**
 * Whether NICs may be created on a port, together and in this order (rules B6, B43, C2, C3, C8, C52, OP-36). Throws
 * `ILLEGAL_TRANSITION` naming the rule.
 */
export function checkNics(
  state: SwitchState,
  port: NicPlace,
  wanted: readonly NicOptions[],
  internalNics: number,
): void {
  const indexes = new Set(port.nics.keys());
  for (const options of wanted) {
    checkPlace(port, options);
    const { index } = options;
    if (index > 0 && !indexes.has(0)) {
      refuse('the external NIC (index 0) comes before its adapters', 'C52');
    }
    if (indexes.has(index)) refuse(`NIC index ${index} is taken`, 'C3');
    indexes.add(index);
    if (index === 0) checkCount(state, port, options.type, internalNics);
  }
}

function checkPlace(port: NicPlace, { index, type }: NicOptions): void {
  if (port.isValidationPort) refuse('a validation port takes no NIC', 'B43');
  if (NIC_TYPE_OF_PORT[port.type] !== type) {
    refuse(`a ${type} NIC does not fit a ${port.type} port`, 'B6');
  }
  if (index > MAX_NIC_INDEX || index < 0) {
    refuse(`NIC indexes run from 0 to ${MAX_NIC_INDEX}`, 'C3');
  }
  if (index > 0 && port.type !== 'external') {
    refuse('only the external port has adapters below its NIC', 'C2');
  }
}

/** Rules C8, OP-36. */
function checkCount(state: SwitchState, port: NicPlace, type: NicType, internalNics: number): void {
  if (type !== 'external' && type !== 'internal') return;
  let others = 0;
  for (const other of state.ports.values()) {
    if (other !== port && other.type === port.type && other.nics.size > 0) others += 1;
  }
  if (type === 'external' && others > 0) refuse('the switch has its external NIC already', 'C8');
  if (type === 'internal' && others >= internalNics) {
    const count = `${internalNics} internal NIC${internalNics === 1 ? '' : 's'}`;
    refuse(`the switch takes ${count} and has ${others}`, 'OP-36');
  }
}

/** Members that only NICs of VMs have, and the rule that says so. */
const OF_VMS = { vmMac: 'C14', numaNodeId: 'C13', vfAssigned: 'C16' } as const;

/** Whether a NIC of this type has what `change` sets (rules C12-C14, C16). Throws `ILLEGAL_TRANSITION` naming the rule. */
export function checkNicChange(type: NicType, change: NicChange): void {
  if (type === 'synthetic' || type === 'emulated') {
    if (change.netCfgInstanceId !== undefined) {
      refuse('only external and internal NICs have a NetCfgInstanceId', 'C12');
    }
    return;
  }
  for (const member of ['vmMac', 'numaNodeId', 'vfAssigned'] as const) {
    if (change[member] !== undefined) refuse(`an ${type} NIC has no ${member}`, OF_VMS[member]);
  }
}
