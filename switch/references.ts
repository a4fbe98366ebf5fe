import { NdisStatus } from '../src/core/status.ts';
import type { Finding, SwitchEnvironment } from './environment.ts';
import type { FilterModule } from './filter-module.ts';
import type { SwitchState } from './switch-state.ts';

/** The reference handlers of the switch (rules B35-B41, C56-C60). Dereference is allowed in every state (OP-22). */
export class References {
  readonly #state: SwitchState;
  readonly #environment: SwitchEnvironment;

  constructor(state: SwitchState, environment: SwitchEnvironment) {
    this.#state = state;
    this.#environment = environment;
  }

  /** Rule B36: SUCCESS only for a created port. */
  referencePort(module: FilterModule, portId: number): NdisStatus {
    const port = this.#state.ports.get(portId);
    if (port?.state !== 'created') return NdisStatus.INVALID_PARAMETER;
    port.references += 1;
    count(module, String(portId), 1);
    return NdisStatus.SUCCESS;
  }

  dereferencePort(module: FilterModule, portId: number): NdisStatus {
    const port = this.#state.ports.get(portId);
    if (port === undefined || !count(module, String(portId), -1)) {
      return this.#unbalanced(module, `port ${portId}`, 'B39');
    }
    port.references -= 1;
    if (port.references === 0) port.onUnreferenced?.();
    return NdisStatus.SUCCESS;
  }

  /** Rule C57, OP-24: SUCCESS only for a connected NIC. */
  referenceNic(module: FilterModule, portId: number, nicIndex: number): NdisStatus {
    const nic = this.#state.ports.get(portId)?.nics.get(nicIndex);
    if (nic?.state !== 'connected') return NdisStatus.INVALID_PARAMETER;
    nic.references += 1;
    count(module, `${portId}/${nicIndex}`, 1);
    return NdisStatus.SUCCESS;
  }

  dereferenceNic(module: FilterModule, portId: number, nicIndex: number): NdisStatus {
    const nic = this.#state.ports.get(portId)?.nics.get(nicIndex);
    if (nic === undefined || !count(module, `${portId}/${nicIndex}`, -1)) {
      return this.#unbalanced(module, `NIC ${portId}/${nicIndex}`, 'C60');
    }
    nic.references -= 1;
    if (nic.references === 0) nic.onUnreferenced?.();
    return NdisStatus.SUCCESS;
  }

  /** Gives back what a detaching module still holds and reports it. */
  releaseAll(module: FilterModule): void {
    for (const [key, held] of [...module.references]) {
      const [port, nic] = key.split('/');
      for (let i = 0; i < held; i += 1) {
        if (nic === undefined) this.dereferencePort(module, Number(port));
        else this.dereferenceNic(module, Number(port), Number(nic));
      }
      this.#find(module, {
        rule: nic === undefined ? 'B39' : 'C60',
        severity: 'error',
        message: `detached with ${held} reference(s) on ${nic === undefined ? 'port' : 'NIC'} ${key}`,
      });
    }
  }

  #unbalanced(module: FilterModule, what: string, rule: string): NdisStatus {
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
    });
  }
}

/** Adds to the module's own count; false when it would fall below zero. */
function count(module: FilterModule, key: string, change: 1 | -1): boolean {
  const held = (module.references.get(key) ?? 0) + change;
  if (held < 0) return false;
  if (held === 0) module.references.delete(key);
  else module.references.set(key, held);
  return true;
}
