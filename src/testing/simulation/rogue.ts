import { NdisStatus } from '../../core/status.ts';
import { defineExtension } from '../../sdk/define.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  NicSaveState,
  OidRequest,
  SwitchContext,
  Verdict,
} from '../../sdk/extension.ts';
import { Planted } from './plants.ts';
import type { Mischief } from './step.ts';

/** Virtual milliseconds a reference is held at most. */
const REFERENCE_MS = 5_000;
/** Where the MTU stands in NDIS_SWITCH_NIC_PARAMETERS; the value it tries to undo. */
const MTU_AT = 2104;
/** Where the data begins in the shortest NDIS_SWITCH_NIC_SAVE_STATE. */
const SAVE_DATA_AT = 568;
const LOWERED_MTU = 1408;
const { DATA_NOT_ACCEPTED, RESOURCES, SUCCESS } = NdisStatus;

/** What the misbehaving extensions of all hosts do in one step. */
export class MischiefList {
  #armed: readonly Mischief[] = [];
  #seen = new Map<string, number>();
  /** References on ports that are held now. */
  held = 0;
  /** What they said first of a request that they ended: `switch id/number` → status. */
  readonly firstWords = new Map<string, NdisStatus>();
  readonly planted: Planted;

  /** Who breaks a rule is not taken at its word. */
  readonly #isEnforced: boolean;

  constructor(planted = new Planted(), isEnforced = false) {
    this.planted = planted;
    this.#isEnforced = isEnforced;
  }

  /** Gives the status that an extension has said first of a request. */
  said(where: string, status: NdisStatus): NdisStatus {
    if (!this.#isEnforced) this.firstWords.set(where, status);
    return status;
  }

  arm(armed: readonly Mischief[] = []): void {
    this.#armed = armed;
    this.#seen = new Map();
    this.firstWords.clear();
  }

  /** What the next request of this extension meets. */
  meet(extension: string): Mischief | undefined {
    if (this.#armed.length === 0) return undefined;
    const seen = (this.#seen.get(extension) ?? 0) + 1;
    this.#seen.set(extension, seen);
    return this.#armed.find(
      (each) => each.extension === extension && each.nth === seen && !isLasting(each),
    );
  }

  /** Whether it does this all through the step. */
  lasts(extension: string, what: 'endlessSaves' | 'restartThrows'): boolean {
    return this.#armed.some((each) => each.extension === extension && each.what === what);
  }
}

const isLasting = ({ what }: Mischief): boolean =>
  what === 'endlessSaves' || what === 'restartThrows';

export const isQuestion = ({ requestType, oidName }: OidRequest): boolean =>
  requestType === 'query' || /_ENUM|_ARRAY|PARAMETERS/.test(oidName);

/** An extension that misbehaves where a step says so, and forwards everything else. */
export function rogueExtension(
  name: Mischief['extension'],
  type: 'filter' | 'forward',
  id: string,
  list: MischiefList,
): ExtensionDefinition {
  return defineExtension({
    id,
    name,
    vendor: 'extswitch',
    version: '1.0',
    type,
    attach: (sw) => handlersOf(name, sw, list),
  });
}

function handlersOf(
  name: Mischief['extension'],
  sw: SwitchContext,
  list: MischiefList,
): ExtensionHandlers {
  const references = new Set<() => void>();
  // It goes without giving them back: the switch has to (rules B39, C60).
  const forgetAll = (): void => {
    list.held -= references.size;
    references.clear();
  };
  const saved = new Set<number>();
  const saveNic = (state: NicSaveState): Verdict => {
    if (list.lasts(name, 'endlessSaves')) return state.save(new Uint8Array(16).fill(7));
    if (saved.has(state.portId)) return 'forward';
    saved.add(state.portId);
    const { bytes } = state.request;
    const status = state.save(new Uint8Array([state.portId & 0xff, saved.size, 7, 7, 7]));
    // What it writes when the request has completed is in nobody's record (rules G13, G35).
    queueMicrotask(() => bytes.fill(0xdd, SAVE_DATA_AT));
    return status;
  };
  return {
    oidRequest(request) {
      if (isQuestion(request)) return 'forward';
      const mischief = list.meet(name);
      if (mischief === undefined) return 'forward';
      if (mischief.what !== 'reference') return misbehave(sw, request, mischief, list);
      refer(sw, request, mischief.delayMs, references, list);
      return 'forward';
    },
    createNic: (nic, request) => {
      // Rule C20: what was lowered above it is not to be raised again.
      if (name === 'forwarder' && nic.mtu === LOWERED_MTU) {
        new DataView(request.bytes.buffer, request.bytes.byteOffset).setUint32(MTU_AT, 1500, true);
      }
    },
    saveNic,
    saveNicComplete: ({ portId }) => void saved.delete(portId),
    restoreNic: ({ isMine }) => (isMine ? SUCCESS : 'forward'),
    restart() {
      if (list.lasts(name, 'restartThrows')) throw new Error('it does not want to run');
    },
    detach: forgetAll,
  };
}

/** Rule B36: a reference on the port of the request, for a while. */
function refer(
  sw: SwitchContext,
  { property }: OidRequest,
  delayMs: number,
  references: Set<() => void>,
  list: MischiefList,
): void {
  const portId = property !== undefined && 'portId' in property ? property.portId : 1;
  if (sw.referencePort(portId) !== SUCCESS) return;
  if (list.planted.strikes('keepsReference')) return;
  list.held += 1;
  const giveBack = (): void => {
    if (!references.delete(giveBack)) return;
    list.held -= 1;
    sw.dereferencePort(portId);
  };
  references.add(giveBack);
  // The switch waits for it as long as for an OID, 12 seconds.
  sw.after(Math.min(delayMs, REFERENCE_MS), giveBack);
}

function misbehave(
  sw: SwitchContext,
  request: OidRequest,
  { what, delayMs }: Mischief,
  list: MischiefList,
): Verdict {
  const says = (status: NdisStatus): NdisStatus => list.said(`${sw.id}/${request.id}`, status);
  const later = (act: () => void): Verdict => {
    const pended = request.pend();
    sw.after(delayMs, act);
    return pended;
  };
  const waited = (): Promise<void> => new Promise((done) => void sw.after(delayMs, done));
  switch (what) {
    case 'veto':
      return DATA_NOT_ACCEPTED;
    case 'resources':
      return RESOURCES;
    case 'succeed':
      return says(SUCCESS);
    case 'throw':
      throw new Error('the extension fell over');
    case 'nonsense':
      return 'nonsense' as unknown as Verdict;
    case 'scribble':
      request.bytes.fill(0xee, 8, 12);
      return 'forward';
    case 'pendForward':
      return later(() => request.forward());
    case 'pendVeto':
      return later(() => request.complete(DATA_NOT_ACCEPTED));
    case 'pendForEver':
      return request.pend();
    case 'completeInside': {
      const pended = request.pend();
      request.complete(says(RESOURCES));
      // A second word, which must not count.
      request.complete(SUCCESS);
      return pended;
    }
    case 'completeTwice':
      return later(() => {
        request.forward();
        request.complete(SUCCESS);
      });
    case 'pendAndAnswer':
      void later(() => request.complete(SUCCESS));
      return DATA_NOT_ACCEPTED;
    case 'promiseForward':
      return waited().then(() => 'forward');
    case 'promiseVeto':
      return waited().then(() => DATA_NOT_ACCEPTED);
    case 'promiseRejects':
      return waited().then(() => {
        throw new Error('the promise was rejected');
      });
    default:
      return 'forward';
  }
}
