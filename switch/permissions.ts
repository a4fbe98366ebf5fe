import type { Nic, Port } from './ports.ts';

/** Rows of the matrix: how far a port and one NIC connection on it have come. */
export type PermissionState =
  | 'portNotCreated'
  | 'portCreated'
  | 'nicCreated'
  | 'nicConnected'
  | 'nicDisconnected'
  | 'nicDeleted'
  | 'portTearingDown';

/** Columns: `ext…` is what an extension originates or redirects; forwarding what the switch issued is always allowed. */
export interface Permissions {
  readonly referenceSwitchPort: boolean;
  readonly referenceSwitchNic: boolean;
  readonly switchOidsToPort: boolean;
  readonly extOidsToPort: boolean;
  readonly switchOidsToNic: boolean;
  readonly extOidsToNic: boolean;
  readonly switchPackets: boolean;
  readonly extPackets: boolean;
}

function row(
  referenceSwitchPort: boolean,
  referenceSwitchNic: boolean,
  switchOidsToPort: boolean,
  extOidsToPort: boolean,
  switchOidsToNic: boolean,
  extOidsToNic: boolean,
  switchPackets: boolean,
  extPackets: boolean,
): Permissions {
  return {
    referenceSwitchPort,
    referenceSwitchNic,
    switchOidsToPort,
    extOidsToPort,
    switchOidsToNic,
    extOidsToNic,
    switchPackets,
    extPackets,
  };
}

const no = false;
const yes = true;

/**
 * Rule book C.6 (hyper-v-extensible-switch-port-and-network-adapter-states.md). Dereferencing is allowed in every state
 * (OP-22); what an extension guards by a reference taken earlier stays allowed until it gives it back (OP-23).
 */
export const PERMISSIONS: Readonly<Record<PermissionState, Permissions>> = {
  portNotCreated: row(no, no, no, no, no, no, no, no),
  portCreated: row(yes, no, yes, yes, no, no, no, no),
  nicCreated: row(yes, no, yes, yes, yes, no, yes, no),
  nicConnected: row(yes, yes, yes, yes, yes, yes, yes, yes),
  nicDisconnected: row(yes, no, yes, yes, yes, no, yes, no),
  nicDeleted: row(yes, no, yes, yes, no, no, no, no),
  portTearingDown: row(no, no, yes, no, no, no, no, no),
};

/** What is allowed now for a port, and for one NIC on it when `nic` is given. */
export function permissionsOf(port: Port | undefined, nic?: Nic): Permissions {
  return PERMISSIONS[permissionState(port, nic)];
}

/** The row that a port and a NIC on it stand in. */
export function permissionState(port: Port | undefined, nic?: Nic): PermissionState {
  if (port === undefined || port.state === 'notCreated') return 'portNotCreated';
  if (port.state === 'tearingDown') return 'portTearingDown';
  switch (nic?.state) {
    case 'created':
      return 'nicCreated';
    case 'connected':
      return 'nicConnected';
    case 'disconnected':
      return 'nicDisconnected';
    case 'deleted':
      return 'nicDeleted';
    default:
      return 'portCreated';
  }
}
