import type { Rng } from '../../src/core/rng.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type {
  ExtensionHandlers,
  ExtensionType,
  OidRequest,
  SwitchContext,
  Verdict,
} from '../../src/sdk/extension.ts';

/** Draws of one seeded run. */
export class Draw {
  readonly #rng: Rng;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  chance(share: number): boolean {
    return this.#rng.float() < share;
  }
  /** 0 to `count` - 1. */
  int(count: number): number {
    return Math.floor(this.#rng.float() * count);
  }
  pick<T>(list: readonly T[]): T {
    const one = list[this.int(list.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  }
}

/** What all extensions of a world do beside their duty; the run turns it on and off. */
export class Mischief {
  readonly draw: Draw;
  readonly vetoShare: number;
  readonly pendShare: number;
  isOn = false;
  /** Nobody refuses: what is undone can be undone exactly. */
  noVeto = false;
  /** References held on ports and NICs. */
  held = 0;

  constructor(draw: Draw) {
    this.draw = draw;
    this.vetoShare = draw.pick([0.03, 0.1]);
    this.pendShare = draw.pick([0.1, 0.3]);
  }

  /** Handlers for an extension of this type; a capture extension never refuses (rules D18, G10). */
  handlers(type: ExtensionType): (sw: SwitchContext) => ExtensionHandlers {
    return (sw) => {
      const saved = new Map<number, number>();
      const references = new Set<() => void>();
      const dropReferences = (): void => {
        for (const giveBack of [...references]) giveBack();
      };
      const linger = (): Promise<void> | undefined =>
        this.isOn && this.draw.chance(this.pendShare)
          ? new Promise<void>((done) => void sw.after(this.draw.int(5), done))
          : undefined;
      return {
        oidRequest: (request) => this.#decide(type, sw, request),
        oidRequestComplete: (request) => {
          if (this.isOn && !isQuestion(request) && this.draw.chance(0.1)) {
            this.#refer(sw, references);
          }
        },
        saveNic: (state) => {
          const count = saved.get(state.portId) ?? 0;
          if (type === 'capture' || count >= state.portId % 3) return 'forward';
          const status = state.save(new Uint8Array(10 + count * 300).fill(count + 1));
          if (status === NdisStatus.SUCCESS) saved.set(state.portId, count + 1);
          return status;
        },
        saveNicComplete: ({ portId }) => {
          saved.delete(portId);
        },
        restoreNic: ({ isMine }) => (isMine && type !== 'capture' ? NdisStatus.SUCCESS : 'forward'),
        restart: linger,
        pause: () => {
          dropReferences();
          return linger();
        },
        detach: dropReferences,
      };
    };
  }

  #decide(type: ExtensionType, sw: SwitchContext, request: OidRequest): Verdict {
    if (!this.isOn || isQuestion(request)) return 'forward';
    const { draw } = this;
    const mayRefuse = type !== 'capture' && !this.noVeto && VETOABLE.test(request.oidName);
    if (mayRefuse && draw.chance(this.vetoShare)) return refuse(draw, sw, request);
    return draw.chance(this.pendShare) ? forwardLater(draw, sw, request) : 'forward';
  }

  /** Rules B36, C57: a reference on a port or NIC, for a while. */
  #refer(sw: SwitchContext, references: Set<() => void>): void {
    const { draw } = this;
    const id = 1 + draw.int(6);
    const delayMs = draw.int(10);
    const isPort = draw.chance(0.5);
    const status = isPort ? sw.referencePort(id) : sw.referenceNic(id, 0);
    if (status !== NdisStatus.SUCCESS) return;
    this.held += 1;
    const giveBack = (): void => {
      if (!references.delete(giveBack)) return;
      this.held -= 1;
      if (isPort) sw.dereferencePort(id);
      else sw.dereferenceNic(id, 0);
    };
    references.add(giveBack);
    sw.after(delayMs, giveBack);
  }
}

const VETOABLE = /_(PORT_CREATE|NIC_CREATE|PROPERTY_ADD|PROPERTY_UPDATE|PROPERTY_DELETE|NIC_SAVE)$/;

function isQuestion({ requestType, oidName }: OidRequest): boolean {
  return requestType === 'query' || /_ENUM|_ARRAY|PARAMETERS/.test(oidName);
}

function refuse(draw: Draw, sw: SwitchContext, request: OidRequest): Verdict {
  const { DATA_NOT_ACCEPTED, RESOURCES, FAILURE } = NdisStatus;
  const status = draw.pick([DATA_NOT_ACCEPTED, RESOURCES, FAILURE]);
  switch (draw.int(4)) {
    case 0:
      sw.after(draw.int(5), () => request.complete(status));
      return request.pend();
    case 1:
      return Promise.resolve(status);
    case 2: {
      const pended = request.pend();
      request.complete(status);
      return pended;
    }
    default:
      return status;
  }
}

function forwardLater(draw: Draw, sw: SwitchContext, request: OidRequest): Verdict {
  const pended = request.pend();
  if (draw.chance(0.3)) queueMicrotask(() => request.forward());
  else sw.after(draw.int(6), () => request.forward());
  return pended;
}
