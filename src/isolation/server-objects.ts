import type { NdisStatus } from '../core/status.ts';
import type {
  FeatureStatusQuery,
  NicOidRequest,
  NicRestoreState,
  NicSaveState,
  NicStatusIndication,
  OidRequest,
  Pended,
  PortProperty,
  SwitchContext,
  SwitchProperty,
} from '../sdk/extension.ts';
import { Answer } from './channel.ts';
import type { ExposedBytes } from './exposed-bytes.ts';
import type {
  ArgumentFacts,
  BytesFacts,
  IndicationFacts,
  RequestFacts,
  RequestState,
  ViewFacts,
} from './facts.ts';
import { compact } from './wire.ts';

type Property = PortProperty | SwitchProperty;

/** What of the server a worker may call, by number. */
type ServerObject =
  | { readonly kind: 'context'; readonly instance: number; readonly context: SwitchContext }
  | { readonly kind: 'request'; readonly key: string; readonly handle: OidRequest }
  | { readonly kind: 'statusQuery'; readonly view: FeatureStatusQuery }
  | { readonly kind: 'saveState'; readonly view: NicSaveState }
  | { readonly kind: 'restoreState'; readonly view: NicRestoreState }
  | { readonly kind: 'nicRequest'; readonly view: NicOidRequest }
  | { readonly kind: 'property'; readonly view: Property };

export interface ServerObjectsOptions {
  readonly bytes: ExposedBytes;
  /** A timer of instance `instance` fires. */
  fire(instance: number, timer: number): unknown;
  /** A request was pended by its handle. */
  pended(key: string, token: Pended): void;
  /** A request that may have been pended was completed or forwarded. */
  ended(key: string): void;
}

/** The objects of one worker's extension that live where the switch is, and what it asks of them. */
export class ServerObjects {
  readonly #options: ServerObjectsOptions;
  readonly #objects = new Map<number, ServerObject>();
  readonly #timers = new Map<number, { cancel(): void }>();
  #last = 0;
  #lastTimer = 0;
  #lastIndication = 0;

  constructor(options: ServerObjectsOptions) {
    this.#options = options;
  }

  #add(object: ServerObject): number {
    this.#last += 1;
    this.#objects.set(this.#last, object);
    return this.#last;
  }

  /** The worker's extension has let go of them. */
  release(targets: readonly number[]): void {
    for (const target of targets) this.#objects.delete(target);
  }

  context(instance: number, context: SwitchContext): number {
    return this.#add({ kind: 'context', instance, context });
  }

  // --- what a handler gets -------------------------------------------------------------------------------------------

  request(instance: number, handle: OidRequest): RequestFacts {
    const { oid, oidName, requestType, id } = handle;
    const key = `${instance}:${id}`;
    const target = this.#add({ kind: 'request', key, handle });
    return { kind: 'request', target, key, oid, oidName, requestType, id, state: stateOf(handle) };
  }

  property(instance: number, view: Property): ViewFacts {
    const { feature, propertyId, propertyInstanceId, propertyVersion } = view;
    const { serializationVersion, propertyType, settings } = view;
    const values = {
      ...('portId' in view ? { portId: view.portId } : {}),
      ...{ feature, propertyId, propertyInstanceId, propertyVersion },
      ...{ serializationVersion, propertyType, settings },
    };
    return this.#view('property', { kind: 'property', view }, values, instance, view.request);
  }

  statusQuery(instance: number, view: FeatureStatusQuery): ViewFacts {
    const { featureStatusId, feature, featureStatusInstanceId, capacityBytes } = view;
    const values = {
      ...('portId' in view ? { portId: view.portId } : {}),
      ...{ featureStatusId, feature, featureStatusInstanceId, capacityBytes },
    };
    return this.#view('statusQuery', { kind: 'statusQuery', view }, values, instance, view.request);
  }

  saveState(instance: number, view: NicSaveState): ViewFacts {
    const { portId, nicIndex, capacityBytes } = view;
    const values = { portId, nicIndex, capacityBytes };
    return this.#view('saveState', { kind: 'saveState', view }, values, instance, view.request);
  }

  restoreState(instance: number, view: NicRestoreState): ViewFacts {
    const { portId, nicIndex, extensionId, extensionFriendlyName, featureClassId, isMine } = view;
    const values = { portId, nicIndex, extensionId, extensionFriendlyName, featureClassId, isMine };
    const object = { kind: 'restoreState', view } as const;
    return this.#view('restoreState', object, values, instance, view.request);
  }

  nicRequest(instance: number, view: NicOidRequest): ViewFacts {
    const { source, destination, requestType, oid, oidName } = view;
    const values = { source, destination, requestType, oid, oidName };
    return this.#view('nicRequest', { kind: 'nicRequest', view }, values, instance, view.request);
  }

  #view(
    kind: ViewFacts['kind'],
    object: ServerObject,
    values: ViewFacts['values'],
    instance: number,
    request: OidRequest,
  ): ViewFacts {
    return { kind, target: this.#add(object), values, request: this.request(instance, request) };
  }

  /** Its bytes go with it: an indication lives only as long as the handler runs. */
  indication(view: NicStatusIndication): IndicationFacts {
    const { source, destination, statusCode, statusName } = view;
    const { bytes, data } = view;
    this.#lastIndication += 1;
    const key = `indication:${this.#lastIndication}`;
    const copy = Uint8Array.from(bytes);
    this.#options.bytes.add(key, () => view.bytes, copy);
    return {
      kind: 'indication',
      key,
      values: { source, destination, statusCode, statusName },
      bytes: copy,
      dataOffset: data.byteOffset - bytes.byteOffset,
      dataLength: data.length,
    };
  }

  // --- what the worker asks ------------------------------------------------------------------------------------------

  serve(target: number, name: string, args: readonly unknown[]): unknown {
    const object = this.#objects.get(target);
    if (object === undefined) throw new Error(`the worker asked for ${name} of nothing`);
    switch (object.kind) {
      case 'context':
        return this.#ofContext(object.instance, object.context, name, args);
      case 'request':
        return this.#ofRequest(object.key, object.handle, name, args);
      case 'statusQuery':
        return name === 'respond'
          ? object.view.respond(args[0] as object)
          : object.view.respondRaw(args[0] as Uint8Array, args[1] as number | undefined);
      case 'saveState':
        return object.view.save(args[0] as Uint8Array, args[1] as string | undefined);
      case 'restoreState':
        return new Answer(object.view.data);
      case 'nicRequest': {
        const { data } = object.view;
        const { byteOffset } = object.view.request.bytes;
        return new Answer({ offset: data.byteOffset - byteOffset, length: data.length });
      }
      case 'property':
        throw new Error(`the worker asked for ${name} of a property`);
    }
  }

  #ofContext(
    instance: number,
    context: SwitchContext,
    name: string,
    args: readonly unknown[],
  ): unknown {
    if (name === 'after') return this.#after(instance, context, args[0] as number);
    if (name === 'cancel') {
      this.#timers.get(args[0] as number)?.cancel();
      this.#timers.delete(args[0] as number);
      return undefined;
    }
    if (!CONTEXT_CALLS.has(name)) throw new Error(`the worker asked for ${name} of a switch`);
    const method = context[name as 'now'] as (...given: readonly unknown[]) => unknown;
    const result = method.apply(context, [...args]);
    return result instanceof Promise
      ? result.then((late) => new Answer(compact(late)))
      : new Answer(compact(result));
  }

  #after(instance: number, context: SwitchContext, delayMs: number): number {
    this.#lastTimer += 1;
    const number = this.#lastTimer;
    const timer = context.after(delayMs, () => {
      this.#timers.delete(number);
      return this.#options.fire(instance, number) as undefined;
    });
    this.#timers.set(number, timer);
    return number;
  }

  #ofRequest(key: string, handle: OidRequest, name: string, args: readonly unknown[]): unknown {
    switch (name) {
      case 'state':
        return new Answer(stateOf(handle));
      case 'bytes':
        return new Answer(this.#expose(key, handle, handle.bytes));
      case 'raw':
        return new Answer(this.#expose(key, handle, (handle.property as Property).raw));
      case 'settings':
        // Read for what it may throw.
        return void handle.property?.settings;
      case 'property': {
        const { property } = handle;
        const instance = Number.parseInt(key, 10);
        return new Answer(property === undefined ? undefined : this.property(instance, property));
      }
      case 'set':
        handle[args[0] as 'bytesRead' | 'bytesWritten' | 'bytesNeeded'] = args[1] as number;
        return undefined;
      case 'pend':
        this.#options.pended(key, handle.pend());
        return undefined;
      case 'complete':
        this.#options.ended(key);
        handle.complete(args[0] as NdisStatus);
        return undefined;
      case 'forward':
        this.#options.ended(key);
        handle.forward();
        return undefined;
      default:
        throw new Error(`the worker asked for ${name} of a request`);
    }
  }

  #expose(key: string, handle: OidRequest, part: Uint8Array): BytesFacts {
    const all = handle.bytes;
    const copy = Uint8Array.from(all);
    if (!this.#options.bytes.has(key)) this.#options.bytes.add(key, () => handle.bytes, copy);
    return { bytes: copy, offset: part.byteOffset - all.byteOffset, length: part.length };
  }
}

const CONTEXT_CALLS: ReadonlySet<string> = new Set([
  'now',
  'random',
  'log',
  'parameters',
  'ports',
  'nics',
  'portProperties',
  'switchProperties',
  'referencePort',
  'dereferencePort',
  'referenceNic',
  'dereferenceNic',
  'request',
  'nicRequest',
  'indicateNicStatus',
  'restartStack',
]);

function stateOf({ status, bytesRead, bytesWritten, bytesNeeded }: OidRequest): RequestState {
  return { status, bytesRead, bytesWritten, bytesNeeded };
}

/** Values that are plain already: decoded parameters, addresses, events. */
export function plainFacts(value: unknown): ArgumentFacts {
  return { kind: 'plain', value, isFrozen: Object.isFrozen(value) };
}
