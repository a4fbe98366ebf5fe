import { isErrorStatus } from '../src/core/status.ts';
import type { NicOperations } from './nic-operations.ts';
import type { OidRequest } from './oid-request.ts';
import type { PortOperations } from './port-operations.ts';
import type { NicOptions, Port, PortOptions, PropertyInstance } from './ports.ts';
import type { PropertyOperations, PropertyOutcome } from './property-operations.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import { type MaybePromise, type Steps, settled } from './steps.ts';

/** A port with its policies and NICs, as a VM start or an uplink makes it. */
export interface ConnectionOptions {
  readonly port: PortOptions;
  /** Told in this order (rule E20). */
  readonly properties: readonly PropertyInstance[];
  /** The external NIC before its adapters; none: just the port (rule B14). */
  readonly nics: readonly NicOptions[];
  /** False leaves the NICs created: the guest's stack has not bound yet (rule C26). Default true. */
  readonly connect?: boolean;
}

/** The port, or the request that was refused; then nothing of the connection is left. */
export type ConnectionOutcome =
  | { readonly port: Port; readonly refused?: undefined }
  | {
      readonly port?: undefined;
      readonly refused: OidRequest;
      readonly step: 'port' | 'property' | 'nic';
      readonly property?: PropertyInstance;
    };

interface Operations {
  readonly edge: ProtocolEdge;
  readonly ports: PortOperations;
  readonly nics: NicOperations;
  readonly properties: PropertyOperations;
}

/** Whole connections: the parts of S2, S3, S4, S8 and S12 that belong together, with their rollback. */
export class ConnectionOperations {
  readonly #with: Operations;

  constructor(operations: Operations) {
    this.#with = operations;
  }

  /** S2 steps 2-6, S8 steps 1-6. A veto takes the port away again: PORT_TEARDOWN, PORT_DELETE. */
  *open(options: ConnectionOptions): Steps<ConnectionOutcome> {
    const { ports, nics } = this.#with;
    const { type, isValidationPort = false } = options.port;
    if (options.nics.length > 0) {
      nics.check({ type, isValidationPort, nics: new Map() }, options.nics);
    }
    const { port, request } = yield* ports.create(options.port);
    if (isErrorStatus(request.status)) return { refused: request, step: 'port' };
    for (const property of options.properties) {
      const told = this.#tell(port, property);
      const outcome = told instanceof Promise ? yield* settled(told) : told;
      if (outcome === undefined || !isErrorStatus(outcome.status)) continue;
      yield* ports.remove(port);
      return { refused: outcome, step: 'property', property };
    }
    if (options.nics.length > 0) {
      const opened = yield* nics.open(port, options.nics, options.connect);
      if (opened.refused !== undefined) {
        yield* ports.remove(port);
        return { refused: opened.refused, step: 'nic' };
      }
    }
    return { port };
  }

  /** Rules B44-B47, OP-19: a validation port with the policies, deleted right after the check. */
  *validate(options: Omit<ConnectionOptions, 'nics'>): Steps<ConnectionOutcome> {
    const outcome = yield* this.open({
      ...options,
      port: { ...options.port, isValidationPort: true },
      nics: [],
    });
    if (outcome.port !== undefined) yield* this.#with.ports.remove(outcome.port);
    return outcome;
  }

  /** S3 steps 2-7, S8 step 8. */
  *close(port: Port): Steps<void> {
    yield* this.#with.nics.close(port);
    yield* this.#with.ports.remove(port);
  }

  #tell(port: Port, property: PropertyInstance): MaybePromise<PropertyOutcome> {
    return this.#with.edge.inTurn(() => this.#with.properties.add(port, property, undefined));
  }
}
