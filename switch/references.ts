import { NdisStatus } from '../src/core/status.ts';
import type { Finding, SwitchEnvironment } from './environment.ts';
import { type FailingCall, injectedMark } from './fault-points.ts';
import type { FilterModule } from './filter-module.ts';
import { permissionsOf } from './permissions.ts';
import { Nic, Port } from './ports.ts';
import type { SwitchState } from './switch-state.ts';

/** The reference handlers of the switch (rules B35-B41, C56-C60). Dereference is allowed in every state (OP-22). */
export class References {
  readonly #state: SwitchState;
  readonly #environment: SwitchEnvironment;

  constructor(state: SwitchState, environment: SwitchEnvironment) {
    this.#state = state;
    this.#environment = environment;
  }

  /** Rule B36, by the permission matrix: SUCCESS only for a created port. */
  referencePort(module: FilterModule, portId: number): NdisStatus {
    const failed = this.#failed(module, 'referencePort', { portId });
    if (failed !== undefined) return failed;
    const port = this.#state.ports.get(portId);
    const isFree = port !== undefined && permissionsOf(port).referenceSwitchPort;
    return this.#take(module, { portId }, isFree ? port : undefined);
  }

  dereferencePort(module: FilterModule, portId: number): NdisStatus {
    const port = heldBy(
      module,
      this.#state.ports.get(portId),
      (held) => held instanceof Port && held.portId === portId,
    );
    return port === undefined
      ? this.#unbalanced(module, `port ${portId}`, 'B39')
      : this.#giveBack(module, port);
  }

  /** Rule C57, OP-24, by the permission matrix: SUCCESS only for a connected NIC. */
  referenceNic(module: FilterModule, portId: number, nicIndex: number): NdisStatus {
    const failed = this.#failed(module, 'referenceNic', { portId, nicIndex });
    if (failed !== undefined) return failed;
    const port = this.#state.ports.get(portId);
    const nic = port?.nics.get(nicIndex);
    const isFree = nic !== undefined && permissionsOf(port, nic).referenceSwitchNic;
    return this.#take(module, { portId, nicIndex }, isFree ? nic : undefined);
  }

  dereferenceNic(module: FilterModule, portId: number, nicIndex: number): NdisStatus {
    const nic = heldBy(
      module,
      this.#state.ports.get(portId)?.nics.get(nicIndex),
      (held) => held instanceof Nic && held.portId === portId && held.index === nicIndex,
    );
    return nic === undefined
      ? this.#unbalanced(module, `NIC ${portId}/${nicIndex}`, 'C60')
      : this.#giveBack(module, nic);
  }

  /** A fault that was injected: no reference, and the status that says so. */
  #failed(
    module: FilterModule,
    call: FailingCall,
    address: { readonly portId: number; readonly nicIndex?: number },
  ): NdisStatus | undefined {
    const failed = this.#environment.faults?.call(this.#state.name, module, call, address);
    if (failed !== undefined) this.#take(module, address, undefined);
    return failed;
  }

  /** A module that is not (or no longer) attached gets no reference: nobody would give it back. */
  #take(
    module: FilterModule,
    address: { readonly portId: number; readonly nicIndex?: number },
    object: Port | Nic | undefined,
  ): NdisStatus {
    const taken = module.state === 'detached' ? undefined : object;
    this.#environment.observer?.referenced(this.#state.name, module, address, taken);
    if (address.nicIndex === undefined) {
      module.refusedPort = taken === undefined ? address.portId : undefined;
    }
    if (taken === undefined) return NdisStatus.INVALID_PARAMETER;
    module.references.set(taken, (module.references.get(taken) ?? 0) + 1);
    taken.references += 1;
    return NdisStatus.SUCCESS;
  }

  #giveBack(module: FilterModule, object: Port | Nic): NdisStatus {
    this.#environment.observer?.dereferenced(this.#state.name, module, object);
    return giveBack(module, object);
  }

  /** Gives back what a detaching module still holds and reports it. */
  releaseAll(module: FilterModule): void {
    for (const [held, count] of [...module.references]) {
      for (let i = 0; i < count; i += 1) giveBack(module, held);
      const isPort = held instanceof Port;
      this.#find(module, {
        rule: isPort ? 'B39' : 'C60',
        severity: 'error',
        message: `detached with ${count} reference(s) on ${
          isPort ? `port ${held.portId}` : `NIC ${held.portId}/${held.index}`
        }`,
      });
    }
  }

  #unbalanced(module: FilterModule, what: string, rule: string): NdisStatus {
    this.#environment.observer?.dereferenced(this.#state.name, module, undefined);
    this.#find(module, {
      rule,
      severity: 'error',
      message: `dereferenced ${what}, which it does not reference`,
    });
    return NdisStatus.INVALID_PARAMETER;
  }

  #find(module: FilterModule, finding: Omit<Finding, 'extensionId'>): void {
    this.#environment.finding(this.#state.name, {
      ...finding,
      message: `${module.name} ${finding.message}`,
      extensionId: module.id,
      ...injectedMark(undefined, module),
    });
  }
}

function giveBack(module: FilterModule, object: Port | Nic): NdisStatus {
  const left = (module.references.get(object) ?? 0) - 1;
  if (left === 0) module.references.delete(object);
  else module.references.set(object, left);
  object.references -= 1;
  if (object.references === 0) object.onUnreferenced?.();
  return NdisStatus.SUCCESS;
}

/** The living object when the module holds it, else a deleted one of the same name that it still holds. */
function heldBy(
  module: FilterModule,
  living: Port | Nic | undefined,
  sameName: (held: Port | Nic) => boolean,
): Port | Nic | undefined {
  if (living !== undefined && module.references.has(living)) return living;
  return [...module.references.keys()].find(sameName);
}
