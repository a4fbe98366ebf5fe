import { Rng } from '../../src/core/rng.ts';
import { isErrorStatus, NdisStatus } from '../../src/core/status.ts';
import type {
  ExtensionDefinition,
  ExtensionType,
  OidRequest,
  SwitchContext,
  Verdict,
} from '../../src/sdk/extension.ts';
import type { SwitchBehaviour } from '../../switch/environment.ts';
import type { Nic, Port, PropertyInstance, PropertyOwner } from '../../switch/ports.ts';
import type { SaveRecord } from '../../switch/save-record.ts';
import { Switch } from '../../switch/switch.ts';
import { TraceRing } from '../../switch/trace.ts';
import { viewer } from './extension-view.ts';
import {
  extension,
  nicOptions,
  PORT_STATUS,
  portOptions,
  portProperty,
  type SwitchWorld,
  switchProperty,
  switchWorld,
} from './switch-world.ts';

/** A world whose trace keeps everything a test does. */
function roomyWorld(seed: string, behaviour: Partial<SwitchBehaviour>): SwitchWorld {
  const world = switchWorld('6.85', seed, behaviour);
  let seq = 0;
  const trace = new TraceRing(20_000, 1 << 26, () => {
    seq += 1;
    return seq;
  });
  return { ...world, trace, environment: { ...world.environment, trace } };
}

const VETOABLE = /_(PORT_CREATE|NIC_CREATE|PROPERTY_(ADD|UPDATE|DELETE))$/;
const RUN_TIME_DATA = /_NIC_(SAVE|RESTORE)/;

/**
 * A lawful extension that takes its time: it pends OIDs of the protocol edge for random virtual times, vetoes some, takes
 * references for a while, asks for restarts of the stack and refuses some; while everything is calm it only forwards.
 */
function dawdler(
  type: ExtensionType,
  name: string,
  rng: Rng,
  isCalm: () => boolean,
): ExtensionDefinition {
  return extension(
    type,
    (sw) => {
      let isRunning = false;
      const held = new Set<() => void>();
      return {
        oidRequest: (request) => {
          if (isCalm()) return 'forward';
          // Rule A51: not while it pauses or restarts.
          if (isRunning && rng.float() < 0.04) sw.restartStack();
          return dawdle(sw, type, rng, request, held);
        },
        // Rules B39, C60: nothing is held for ever.
        detach: () => {
          for (const release of held) release();
        },
        pause: () => {
          isRunning = false;
          return wait(sw, rng);
        },
        restart: () => {
          // Rule A50: it is detached then, and comes back with the next change that wants it.
          if (!isCalm() && rng.float() < 0.05) throw new Error('not now');
          const done = wait(sw, rng);
          if (done === undefined) isRunning = true;
          return done?.then(() => {
            isRunning = true;
          });
        },
      };
    },
    name,
  );
}

function wait(sw: SwitchContext, rng: Rng): Promise<void> | undefined {
  if (rng.float() < 0.7) return undefined;
  const delay = Math.floor(rng.float() * 40);
  return new Promise((resolve) => sw.after(delay, resolve));
}

function dawdle(
  sw: SwitchContext,
  type: ExtensionType,
  rng: Rng,
  request: OidRequest,
  held: Set<() => void>,
): Verdict {
  const roll = rng.float();
  if (/_(ARRAY|PARAMETERS|ENUM)$/.test(request.oidName)) return 'forward';
  const portId = 1 + Math.floor(rng.float() * 6);
  const hold = (release: () => void): void => {
    const once = (): void => {
      if (held.delete(once)) release();
    };
    held.add(once);
    sw.after(rng.float() * 60, once);
  };
  if (roll > 0.9 && sw.referencePort(portId) === NdisStatus.SUCCESS) {
    hold(() => sw.dereferencePort(portId));
  }
  if (roll > 0.94 && sw.referenceNic(portId, 0) === NdisStatus.SUCCESS) {
    hold(() => sw.dereferenceNic(portId, 0));
  }
  const mayVeto = type !== 'capture' && VETOABLE.test(request.oidName);
  const verdict = mayVeto && rng.float() < 0.15 ? NdisStatus.DATA_NOT_ACCEPTED : undefined;
  if (rng.float() < 0.6 || RUN_TIME_DATA.test(request.oidName)) return verdict ?? 'forward';
  const pended = request.pend();
  sw.after(rng.float() * 50, () => {
    if (verdict === undefined) request.forward();
    else request.complete(verdict);
  });
  return pended;
}

const OPERATIONS = [
  'createPort',
  'open',
  'openUnbound',
  'validate',
  'deletePort',
  'updatePort',
  'connectNic',
  'closeNics',
  'disconnectNic',
  'bindNic',
  'updateNic',
  'save',
  'restore',
  'addProperty',
  'updateProperty',
  'deleteProperty',
  'addToSwitch',
  'status',
  'stackLess',
  'stackMore',
  'stackTurned',
  'join',
] as const;
export type Operation = (typeof OPERATIONS)[number];

export type Outcome = 'done' | 'refused' | 'failed';

/** A switch under operations that a seed picks, several at once. */
export class Interleaving {
  readonly world: SwitchWorld;
  readonly machine: Switch;
  readonly rng: Rng;
  /** Knows from listening alone; never restarted without having been there from the beginning. */
  readonly listener = viewer('capture', 'listener', { asks: false });
  /** OIDs of the protocol edge that were in flight while another one was sent. */
  readonly overlaps: string[] = [];
  readonly #watch: ExtensionDefinition;
  readonly #dawdlers: readonly ExtensionDefinition[];
  #joined: ReturnType<typeof viewer> | undefined;
  readonly #stack: readonly ExtensionDefinition[];
  #made = 0;
  #isCalm = false;
  #records: readonly SaveRecord[] = [];

  constructor(seed: string, behaviour: Partial<SwitchBehaviour>) {
    this.world = roomyWorld(seed, behaviour);
    this.rng = new Rng(`operations of ${seed}`);
    this.#watch = extension('capture', { oidRequest: (request) => this.#sent(request) }, 'watch');
    const isCalm = (): boolean => this.#isCalm;
    this.#dawdlers = [
      dawdler('filter', 'f1', this.rng, isCalm),
      dawdler('filter', 'f2', this.rng, isCalm),
      dawdler('forward', 'w', this.rng, isCalm),
    ];
    this.#stack = [this.#watch, this.listener.definition, ...this.#dawdlers];
    const id = '5a5a5a5a-0000-0000-0000-000000000001';
    this.machine = new Switch({ id, name: 'sw', type: 'external' }, this.world.environment);
  }

  /** The extension that joined the switch last, if it still runs. */
  get joined(): ReturnType<typeof viewer> | undefined {
    return this.machine.modules.some(({ definition }) => definition === this.#joined?.definition)
      ? this.#joined
      : undefined;
  }

  /** The switch with its stack and some connections on it. */
  async start(): Promise<void> {
    this.#isCalm = true;
    await this.finish(Promise.resolve(this.machine.start(this.#stack)));
    for (let i = 0; i < 4; i += 1) {
      await this.finish(Promise.resolve(this.#start(i === 0 ? 'openUnbound' : 'open')));
    }
    this.#isCalm = false;
  }

  #sent(request: OidRequest): void {
    for (const other of this.machine.pipeline.inFlight.values()) {
      if (other.origin < 0) this.overlaps.push(`${request.oidName} during ${other.oid}`);
    }
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.rng.float() * from.length)];
  }

  /** Asks for `count` operations at once and waits for all; what each came to. */
  async round(count: number): Promise<readonly string[]> {
    const asked = Array.from({ length: count }, () => {
      const operation = this.#pick(OPERATIONS) as Operation;
      return this.#begin(operation).then((outcome) => `${operation} ${outcome}`);
    });
    const outcomes = await this.finish(Promise.all(asked));
    // References and restarts that were asked for end as well.
    this.#isCalm = true;
    for (let at = this.world.clock.nextAt(); at !== undefined; at = this.world.clock.nextAt()) {
      this.world.clock.advanceTo(at);
      await longSettle();
    }
    await this.finish(Promise.resolve(this.machine.queryStatus(-1, PORT_STATUS, undefined)));
    this.#isCalm = false;
    return outcomes;
  }

  /** Moves the clock until `waited` has settled; throws when that takes more virtual time than any sequence can. */
  async finish<T>(waited: Promise<T>): Promise<T> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    waited.then(over, over);
    for (let i = 0; i < 20_000; i += 1) {
      await longSettle();
      if (isOver) return waited;
      const next = this.world.clock.nextAt();
      if (next === undefined) break;
      this.world.clock.advanceTo(next);
    }
    throw new Error('an operation never ended');
  }

  async #begin(operation: Operation): Promise<Outcome> {
    try {
      return outcomeOf(await this.#start(operation));
    } catch (error) {
      if ((error as { code?: string }).code === undefined) throw error;
      return 'refused';
    }
  }

  #port(): Port | undefined {
    return this.#pick([...this.machine.state.ports.values()]);
  }

  #nic(): { port: Port; nic: Nic } | undefined {
    const all = [...this.machine.state.ports.values()].flatMap((port) =>
      [...port.nics.values()].map((nic) => ({ port, nic })),
    );
    return this.#pick(all);
  }

  #property(): { owner: PropertyOwner; property: PropertyInstance } | undefined {
    const { state } = this.machine;
    const all = [state, ...state.ports.values()].flatMap((owner: PropertyOwner) =>
      [...owner.properties.values()].map((property) => ({ owner, property })),
    );
    return this.#pick(all);
  }

  #start(operation: Operation): unknown {
    const { machine, world } = this;
    this.#made += 1;
    const name = `p${this.#made}`;
    const id = `00000000-0000-0000-0000-${String(this.#made).padStart(12, '0')}`;
    const own = (): PropertyInstance => portProperty(world, { A: this.#made, B: 1n }, id);
    const held = (): { owner: PropertyOwner; property: PropertyInstance; check: () => void } => {
      const found = this.#property();
      if (found === undefined) throw Object.assign(new Error('none'), { code: 'NONE' });
      const check = (): void => {
        if (found.owner.properties.get(found.property.id) === found.property) return;
        throw Object.assign(new Error('gone'), { code: 'GONE' });
      };
      return { ...found, check };
    };
    const port = this.#port();
    const at = this.#nic();
    switch (operation) {
      case 'createPort':
        return machine.createPort(portOptions('synthetic', name));
      case 'open':
      case 'openUnbound':
        return machine.openConnection({
          port: portOptions('synthetic', name),
          properties: [own()],
          nics: [nicOptions({ name })],
          connect: operation === 'open',
        });
      case 'validate':
        return machine.validateConnection({
          port: portOptions('synthetic', name),
          properties: [own()],
        });
      case 'deletePort':
        return port && machine.deletePort(port);
      case 'updatePort':
        return port && machine.updatePort(port, { friendlyName: name });
      case 'connectNic':
        return port && machine.connectNic(port, nicOptions({ name }));
      case 'closeNics':
        return port && machine.closeNics(port);
      case 'disconnectNic':
        return at && machine.disconnectNic(at.port, at.nic);
      case 'bindNic':
        return at && machine.bindNic(at.port, at.nic);
      case 'updateNic':
        return at && machine.updateNic(at.port, at.nic, { mtu: 1000 + this.#made });
      case 'save':
        return at && this.#save(at);
      case 'restore':
        return at && machine.restoreNic(at.port, at.nic, this.#records);
      case 'addProperty':
        return port && machine.addProperty(port, own());
      case 'addToSwitch':
        return machine.addProperty(machine.state, switchProperty(world, { Limit: this.#made }, id));
      case 'updateProperty': {
        const { owner, property, check } = held();
        const settings =
          'Limit' in property.settings ? { Limit: this.#made } : { A: this.#made, B: 2n };
        return machine.updateProperty(owner, property, settings, { check });
      }
      case 'deleteProperty': {
        const { owner, property, check } = held();
        return machine.deleteProperty(owner, property, { check });
      }
      case 'status':
        return port && machine.queryStatus(port.portId, PORT_STATUS, undefined);
      default:
        return this.#changeStack(operation);
    }
  }

  async #save({ port, nic }: { port: Port; nic: Nic }): Promise<unknown> {
    const outcome = await this.machine.saveNic(port, nic);
    if (outcome.refused === undefined) this.#records = outcome.records;
    return outcome;
  }

  #changeStack(operation: 'stackLess' | 'stackMore' | 'stackTurned' | 'join'): unknown {
    const fixed = [this.#watch, this.listener.definition];
    const [f1, f2, w] = this.#dawdlers as [
      ExtensionDefinition,
      ExtensionDefinition,
      ExtensionDefinition,
    ];
    const others = {
      stackLess: [f2],
      stackMore: [f1, f2, w],
      stackTurned: [f2, f1, w],
      join: [f1, w],
    }[operation];
    if (operation === 'join') this.#joined = viewer('capture', 'joined', { asks: true });
    const joined = this.#joined === undefined ? [] : [this.#joined.definition];
    return this.machine.changeStack([...fixed, ...joined, ...others]);
  }
}

/** Until no microtask follows another, also through the turns of seeded scheduling. */
function longSettle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function outcomeOf(value: unknown): Outcome {
  if (Array.isArray(value) && value.length > 0) return 'failed';
  const { request, refused, status } = (value ?? {}) as {
    request?: { status: number };
    refused?: unknown;
    status?: number;
  };
  const code = request?.status ?? status;
  return refused !== undefined || (code !== undefined && isErrorStatus(code)) ? 'failed' : 'done';
}
