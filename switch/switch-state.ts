import type { NdisVersion } from '../src/abi/index.ts';
import type { Guid } from '../src/core/guid.ts';
import type { Port, PropertyInstance, PropertyOwner } from './ports.ts';
import type { SwitchLifeState } from './states.ts';

export type SwitchType = 'private' | 'internal' | 'external';

/** What a switch knows about itself: the tables the miniport edge answers from. */
export class SwitchState implements PropertyOwner {
  readonly id: Guid;
  readonly name: string;
  readonly type: SwitchType;
  readonly ndis: NdisVersion;
  life: SwitchLifeState = 'created';
  /** IsActive of NDIS_SWITCH_PARAMETERS (rule A67). */
  isActive = false;
  /** Set by `Switch.stop`: nothing waits for extensions any more. */
  isStopping = false;
  readonly ports = new Map<number, Port>();
  readonly properties = new Map<Guid, PropertyInstance>();
  /** As a property owner the switch is no port. */
  readonly portId = -1;

  constructor(id: Guid, name: string, type: SwitchType, ndis: NdisVersion) {
    this.id = id;
    this.name = name;
    this.type = type;
    this.ndis = ndis;
  }
}
