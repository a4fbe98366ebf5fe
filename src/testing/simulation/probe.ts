import { OIDS, structure } from '../../abi/index.ts';
import { isErrorStatus, NdisStatus, statusName } from '../../core/status.ts';
import { defineExtension } from '../../sdk/define.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  NicParameters,
  OidRequest,
  SwitchContext,
} from '../../sdk/extension.ts';
import type { Planted } from './plants.ts';
import type { Place, StackLog } from './stack-log.ts';
import type { Complain } from './trace-checks.ts';

/** Where the MTU stands in NDIS_SWITCH_NIC_PARAMETERS, and what it is lowered to a multiple of (rule C19). */
const MTU_AT = 2104;
const MTU_STEP = 64;
/** Virtual milliseconds after which a request is asked about that is still under way. */
const ASK_MS = 1;
/** Of a timer that outlives most modules. */
const LATE_MS = 5_000;
/** What the first module says it needs of these; whoever completes the request says it anew (rule D5). */
const NEEDED = 8;
const ADD = 'OID_SWITCH_PORT_PROPERTY_ADD';
const NIC_CREATE = 'OID_SWITCH_NIC_CREATE';
const MAY_FAIL = /_CREATE$|_PROPERTY_(?:ADD|UPDATE)$/;
const NIC = structure('NDIS_SWITCH_NIC_PARAMETERS');
const { SUCCESS } = NdisStatus;

export interface ProbeOptions {
  readonly place: Place;
  readonly log: StackLog;
  readonly complain: Complain;
  /** What an extension said first of a request it ended itself: `switch id/number` → status. */
  readonly firstWords: ReadonlyMap<string, NdisStatus>;
  readonly planted: Planted;
}

/** Looks, from inside its handlers, at what the switch promises there; else it does as `definition` does. */
export function probed(
  definition: ExtensionDefinition,
  options: ProbeOptions,
): ExtensionDefinition {
  return defineExtension({
    ...definition,
    attach(sw) {
      options.log.add(sw.name, options.place, 'attach');
      const handlers = definition.attach(sw);
      return { ...handlers, ...new Probe(sw, options, handlers).handlers() };
    },
  });
}

const nicKey = ({ portId, index }: NicParameters): string => `${portId}/${index}`;

/** A NIC below the external one may not (rule book D.3: NIC_CREATE, veto for index 0). */
const mayFail = ({ oidName, bytes }: OidRequest): boolean =>
  MAY_FAIL.test(oidName) && (oidName !== NIC_CREATE || NIC.view(bytes).NicIndex === 0);

class Probe {
  readonly #sw: SwitchContext;
  readonly #options: ProbeOptions;
  readonly #inner: ExtensionHandlers;
  /** MTU that each NIC has, by what has completed. */
  readonly #mtus = new Map<string, number>();
  /** MTU that each NIC was lowered to. */
  readonly #lowered = new Map<string, number>();
  readonly #asking = new Map<number, { cancel(): void }>();
  #isGone = false;
  #lastId = 0;
  #outstanding = 0;

  constructor(sw: SwitchContext, options: ProbeOptions, inner: ExtensionHandlers) {
    this.#sw = sw;
    this.#options = options;
    this.#inner = inner;
  }

  handlers(): ExtensionHandlers {
    const { place, log } = this.#options;
    const sw = this.#sw;
    const inner = this.#inner;
    return {
      oidRequest: (request) => {
        this.#arrives(request);
        return inner.oidRequest?.(request);
      },
      oidRequestComplete: (request) => {
        this.#returns(request);
        inner.oidRequestComplete?.(request);
      },
      createNic: (nic, request) => {
        if (place === 'middle') this.#lower(nic, request);
        return inner.createNic?.(nic, request);
      },
      connectNic: (nic, request) => {
        this.#connects(nic);
        return inner.connectNic?.(nic, request);
      },
      updateNic: (nic, request) => {
        this.#updates(nic);
        return inner.updateNic?.(nic, request);
      },
      deleteNic: (nic, request) => {
        const key = nicKey(nic);
        this.#mtus.delete(key);
        this.#lowered.delete(key);
        this.#refersToTheDead(nic);
        if (place === 'middle') this.#refersTwice(nic.portId);
        return inner.deleteNic?.(nic, request);
      },
      netPnPEvent: ({ event, stack }) => {
        const isLie = this.#options.planted.strikes('toldUpsideDown');
        log.add(sw.name, place, event, isLie ? stack.toReversed() : stack);
      },
      restart: () => {
        log.add(sw.name, place, 'restart');
        this.#setTimers();
        return inner.restart?.();
      },
      pause: () => {
        log.add(sw.name, place, 'pause');
        return inner.pause?.();
      },
      detach: () => {
        log.add(sw.name, place, 'detach');
        this.#isGone = true;
        if (this.#outstanding > 0) {
          this.#bad(`detached while ${this.#outstanding} of its requests were under way (A63)`);
        }
        inner.detach?.();
      },
    };
  }

  #bad(message: string): void {
    const { place, complain } = this.#options;
    complain('handlers', `${place} of switch ${this.#sw.name}: ${message}`);
  }

  #arrives(request: OidRequest): void {
    const { id, requestType, oidName } = request;
    if (this.#options.place === 'top') {
      // Nobody is above it: what comes is what the protocol edge sends, one after the other (rule D1).
      if (id <= this.#lastId) this.#bad(`request ${id} came after request ${this.#lastId} (D1)`);
      this.#lastId = id;
      if (oidName === ADD) request.bytesNeeded = NEEDED;
      return;
    }
    if (requestType !== 'set') return;
    const timer = this.#sw.after(ASK_MS, () => this.#ask());
    this.#asking.set(id, timer);
  }

  #returns(request: OidRequest): void {
    const { id, status, bytesNeeded, oidName } = request;
    this.#asking.get(id)?.cancel();
    this.#asking.delete(id);
    const said = this.#options.firstWords.get(`${this.#sw.id}/${id}`);
    // What may not fail comes back with success whatever they say (OP-28).
    if (said !== undefined && said !== status && mayFail(request)) {
      const names = `${statusName(status)}, who ended it said ${statusName(said)}`;
      this.#bad(`${oidName} (${id}) came back with ${names} (NdisOidDoubleComplete)`);
    }
    // Who else ends a request may leave what it needs as it is.
    if (this.#options.place !== 'top' || said !== undefined || status !== SUCCESS) return;
    if (oidName !== ADD) return;
    if (bytesNeeded === 0 && !this.#options.planted.strikes('needsMore')) return;
    this.#bad(`${oidName} (${id}) succeeded and needs ${bytesNeeded} more bytes`);
  }

  /** Two questions while something is under way: they queue, and are answered in order (rule D1). */
  #ask(): void {
    const { code } = OIDS.OID_SWITCH_PARAMETERS;
    let answered = 0;
    for (const number of [1, 2]) {
      this.#outstanding += 1;
      const end = (): void => {
        this.#outstanding -= 1;
        answered += 1;
        if (answered !== number) this.#bad(`question ${number} was answered as number ${answered}`);
      };
      const result = this.#sw.request('query', code, new Uint8Array(0), 1_100);
      if (result instanceof Promise) result.then(end, end);
      else end();
    }
  }

  /** Rules C19, C20: while the NIC initializes, down to a multiple of 64; whoever is below may not raise it again. */
  #lower(nic: NicParameters, request: OidRequest): void {
    const lower = nic.mtu - (nic.mtu % MTU_STEP);
    const view = new DataView(request.bytes.buffer, request.bytes.byteOffset);
    const isInitializing = (view.getUint32(4, true) & 1) === 1;
    if (!isInitializing || lower === nic.mtu) return;
    view.setUint32(MTU_AT, lower, true);
    this.#lowered.set(nicKey(nic), lower);
  }

  #connects(nic: NicParameters): void {
    const key = nicKey(nic);
    this.#mtus.set(key, nic.mtu);
    const lowered = this.#lowered.get(key);
    this.#lowered.delete(key);
    if (lowered !== undefined && nic.mtu > lowered) {
      this.#bad(`NIC ${key} connects with MTU ${nic.mtu}, lowered to ${lowered} (C20)`);
    }
  }

  /** Rule C29: until NIC_UPDATED has completed everybody who asks is told what was. */
  #updates(nic: NicParameters): void {
    if (this.#options.place !== 'top') return;
    const key = nicKey(nic);
    const was = this.#mtus.get(key);
    this.#mtus.set(key, nic.mtu);
    if (was === undefined || was === nic.mtu) return;
    let shown: NicParameters | undefined;
    try {
      shown = this.#sw.nics().find((each) => nicKey(each) === key);
    } catch {
      // A module below keeps the question.
      return;
    }
    if (shown !== undefined && shown.mtu === nic.mtu) {
      this.#bad(`NIC ${key} has MTU ${shown.mtu} before NIC_UPDATED has completed (C29)`);
    }
  }

  /** Rule C59: no reference on a NIC that is disconnected. */
  #refersToTheDead({ portId, index }: NicParameters): void {
    if (this.#sw.referenceNic(portId, index) !== SUCCESS) return;
    this.#sw.dereferenceNic(portId, index);
    this.#bad(`NIC ${portId}/${index} can be referenced although it is disconnected (C59)`);
  }

  /** Rules B36, B39: a port is referenced, given back, and that was all. */
  #refersTwice(portId: number): void {
    const sw = this.#sw;
    if (sw.referencePort(portId) !== SUCCESS) return;
    sw.dereferencePort(portId);
    if (!isErrorStatus(sw.dereferencePort(portId))) {
      this.#bad(`port ${portId} was given back twice after one reference (B39)`);
    }
  }

  #setTimers(): void {
    let fired = 0;
    for (const number of [1, 2]) {
      this.#sw.after(ASK_MS, () => {
        fired += 1;
        if (fired !== number) this.#bad(`timer ${number} of one moment fired as number ${fired}`);
      });
    }
    this.#sw.after(LATE_MS, () => {
      if (this.#isGone) this.#bad('a timer fired after its module was detached');
    });
  }
}
