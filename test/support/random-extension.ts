import { NdisStatus } from '../../src/core/status.ts';
import type {
  ExtensionDefinition,
  ExtensionType,
  OidRequest,
  SwitchContext,
  Verdict,
} from '../../src/sdk/extension.ts';
import { extension } from './switch-world.ts';

/** What an extension does with one OID. */
export const BEHAVIOURS = [
  'forward',
  'veto',
  'resources',
  'succeed',
  'pendForward',
  'pendVeto',
  'pendSucceed',
  'pendForEver',
  'completeInside',
  'completeTwice',
  'completeAndThrow',
  'pendAndAnswer',
  'promiseForward',
  'promiseVeto',
  'promiseRejects',
  'throw',
  'nonsense',
  'scribble',
  'reference',
  'leak',
  'ask',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** An extension that takes its behaviour for one OID after the other from `script`, then forwards. */
export function randomExtension(
  type: ExtensionType,
  name: string,
  script: readonly (readonly [Behaviour, delayMs: number])[],
): ExtensionDefinition {
  let next = 0;
  return extension(
    type,
    (sw) => ({
      oidRequest(request) {
        const [behaviour, delayMs] = script[next] ?? ['forward', 0];
        next += 1;
        return behave(sw, request, behaviour, delayMs);
      },
    }),
    name,
  );
}

function behave(sw: SwitchContext, request: OidRequest, what: Behaviour, delayMs: number): Verdict {
  const later = (act: () => void): Verdict => {
    const pended = request.pend();
    sw.after(delayMs, act);
    return pended;
  };
  switch (what) {
    case 'forward':
      return 'forward';
    case 'veto':
      return NdisStatus.DATA_NOT_ACCEPTED;
    case 'resources':
      return NdisStatus.RESOURCES;
    case 'succeed':
      return NdisStatus.SUCCESS;
    case 'pendForward':
      return later(() => request.forward());
    case 'pendVeto':
      return later(() => request.complete(NdisStatus.DATA_NOT_ACCEPTED));
    case 'pendSucceed':
      return later(() => request.complete(NdisStatus.SUCCESS));
    case 'pendForEver':
      return request.pend();
    case 'completeInside': {
      const pended = request.pend();
      request.complete(NdisStatus.RESOURCES);
      return pended;
    }
    case 'completeTwice':
      return later(() => {
        request.forward();
        request.complete(NdisStatus.SUCCESS);
      });
    case 'completeAndThrow':
      request.pend();
      request.complete(NdisStatus.RESOURCES);
      throw new Error('thrown after completing');
    case 'pendAndAnswer':
      void later(() => request.complete(NdisStatus.SUCCESS));
      return NdisStatus.DATA_NOT_ACCEPTED;
    case 'promiseForward':
      return (async () => 'forward' as const)();
    case 'promiseVeto':
      return (async () => NdisStatus.DATA_NOT_ACCEPTED)();
    case 'promiseRejects':
      return (async () => {
        throw new Error('rejected');
      })();
    case 'throw':
      throw new Error('thrown');
    case 'nonsense':
      return 'nonsense' as unknown as Verdict;
    case 'scribble':
      request.bytes.fill(0xee, 8, 12);
      return 'forward';
    default:
      return withPort(sw, request, what, delayMs);
  }
}

/** The behaviours that touch the first port: a reference given back later, one that is not, a query in between. */
function withPort(
  sw: SwitchContext,
  request: OidRequest,
  what: Behaviour,
  delayMs: number,
): Verdict {
  if (what === 'ask') {
    const answer = sw.request('query', 0x10276, new Uint8Array(0), 0);
    if (answer instanceof Promise) answer.catch(() => undefined);
    return 'forward';
  }
  const portId =
    request.property !== undefined && 'portId' in request.property ? request.property.portId : 1;
  if (sw.referencePort(portId) === NdisStatus.SUCCESS && what === 'reference') {
    sw.after(delayMs, () => sw.dereferencePort(portId));
  }
  return 'forward';
}

/** What a well-behaved extension on top knows of ports, NICs and properties: from completions with success only. */
export class Watcher {
  readonly ports = new Set<number>();
  readonly nics = new Set<string>();
  /** Instance id → vendor bytes. */
  readonly properties = new Map<string, string>();
  readonly definition: ExtensionDefinition;

  constructor() {
    this.definition = extension(
      'capture',
      { oidRequestComplete: (request) => this.#completed(request) },
      'watcher',
    );
  }

  #completed(request: OidRequest): void {
    if (request.status !== NdisStatus.SUCCESS) return;
    const { bytes, property } = request;
    const at = (offset: number): number =>
      new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
    switch (request.oidName.slice('OID_SWITCH_'.length)) {
      case 'PORT_CREATE':
        this.ports.add(at(8));
        break;
      case 'PORT_DELETE':
        this.ports.delete(at(8));
        for (const key of [...this.properties.keys()]) {
          if (key.startsWith(`${at(8)}/`)) this.properties.delete(key);
        }
        break;
      case 'NIC_CREATE':
        this.nics.add(`${at(1040)}/${at(1044)}`);
        break;
      case 'NIC_DELETE':
        this.nics.delete(`${at(1040)}/${at(1044)}`);
        break;
      default:
        if (property !== undefined) this.#property(request);
    }
  }

  #property({ oidName, property }: OidRequest): void {
    if (property === undefined) return;
    const owner = 'portId' in property ? property.portId : -1;
    const key = `${owner}/${property.propertyInstanceId}`;
    if (oidName.endsWith('_DELETE')) this.properties.delete(key);
    else this.properties.set(key, property.raw.join());
  }
}
