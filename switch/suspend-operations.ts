import { FLAGS, ndisHas, OIDS } from '../src/abi/index.ts';
import { ExtSwitchError } from '../src/core/errors.ts';
import type { SwitchEnvironment } from './environment.ts';
import { NIC_PARAMETERS, NIC_STATE_CODE, writeNic } from './parameters.ts';
import type { Nic, Port } from './ports.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import { type Steps, settled } from './steps.ts';
import type { SwitchState } from './switch-state.ts';

export type SuspendStep =
  | 'suspend'
  | 'resume'
  | 'migrationSourceStarted'
  | 'migrationSourceFinished';

interface StepRow {
  readonly oid: number;
  readonly since: '6.50' | '6.80';
  /** Flag of NDIS_SWITCH_NIC_PARAMETERS that the request carries (OP-39). */
  readonly flag: number;
  /** The flag holds from now on, or no longer. */
  readonly begins: boolean;
}

const SUSPENDED = FLAGS.NDIS_SWITCH_NIC_FLAGS_NIC_SUSPENDED;
const SUSPENDED_LM = FLAGS.NDIS_SWITCH_NIC_FLAGS_NIC_SUSPENDED_LM;

const STEPS: Readonly<Record<SuspendStep, StepRow>> = {
  suspend: {
    oid: OIDS.OID_SWITCH_NIC_SUSPEND.code,
    since: '6.50',
    flag: SUSPENDED,
    begins: true,
  },
  resume: {
    oid: OIDS.OID_SWITCH_NIC_RESUME.code,
    since: '6.50',
    flag: SUSPENDED,
    begins: false,
  },
  migrationSourceStarted: {
    oid: OIDS.OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_STARTED.code,
    since: '6.80',
    flag: SUSPENDED_LM,
    begins: true,
  },
  migrationSourceFinished: {
    oid: OIDS.OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_FINISHED.code,
    since: '6.80',
    flag: SUSPENDED_LM,
    begins: false,
  },
};

/** The suspend family, which only the header documents (rules G44, C18, OP-39): optional, never vetoable. */
export class SuspendOperations {
  readonly #state: SwitchState;
  readonly #edge: ProtocolEdge;
  readonly #environment: SwitchEnvironment;

  constructor(state: SwitchState, edge: ProtocolEdge, environment: SwitchEnvironment) {
    this.#state = state;
    this.#edge = edge;
    this.#environment = environment;
  }

  /** False when the switch does not use the family or its NDIS version lacks the OID: nothing is sent then. */
  *change(port: Port, nic: Nic, step: SuspendStep): Steps<boolean> {
    const { oid, since, flag, begins } = STEPS[step];
    if (!this.#environment.behaviour.suspendOids || !ndisHas(this.#state.ndis, since)) return false;
    const isSet = (nic.suspension & flag) !== 0;
    if (nic.state !== 'connected' || isSet === begins) {
      const now = nic.state === 'connected' && isSet ? 'suspended' : nic.state;
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `NIC ${nic.portId}/${nic.index} is ${now}: ${step} is not allowed (rule G44)`,
        { rule: 'G44' },
      );
    }
    const bytes = new Uint8Array(NIC_PARAMETERS.sizeof(this.#state.ndis));
    writeNic(NIC_PARAMETERS.view(bytes), nic, NIC_STATE_CODE.connected, flag, this.#state.ndis);
    yield* settled(
      this.#edge.send(this.#edge.set(oid, bytes), () => {
        nic.suspension ^= flag;
      }),
    );
    this.#environment.stateChange(this.#state.name, {
      event: `nic${step.charAt(0).toUpperCase()}${step.slice(1)}`,
      portId: port.portId,
      port: port.name,
      nicIndex: nic.index,
      nic: nic.name,
    });
    return true;
  }
}
