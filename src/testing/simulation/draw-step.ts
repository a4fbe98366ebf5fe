import { Rng } from '../../core/rng.ts';
import type { FeatureClass } from '../../mof/feature-class.ts';
import type { FabricInterface } from '../../policy/api.ts';
import { drawMessageRules, drawRules, drawStoreRule } from './draw-rules.ts';
import { drawClassChange, drawRuling, drawWorldChange } from './draw-world.ts';
import { numbersOf } from './policy-id.ts';
import {
  type Atomic,
  BEHAVIOURS,
  type Change,
  type Faults,
  type Move,
  type Revision,
  type Setting,
  type Step,
  type VmVerb,
} from './step.ts';
import { PORT_CLASS, SWITCH_CLASS } from './well-behaved.ts';

const PROFILES = ['ws2012', 'ws2012r2', 'ws2016', 'ws2019', 'ws2022', 'ws2025'] as const;

/** What a seed makes of a world before its first step. */
export function drawSetting(seed: string): Setting {
  const draw = new Draw(new Rng(`setting ${seed}`));
  const hosts = draw.chance(0.6) ? ['h1', 'h2'] : ['h1', 'h2', 'h3'];
  const profile = draw.pick(PROFILES);
  const profiles = draw.chance(0.25) ? { profiles: { h2: draw.pick(PROFILES) } } : {};
  return {
    seed,
    hosts,
    profile,
    ...profiles,
    scheduling: draw.pick(['fifo', 'seeded']),
    behaviour: {
      transientRetries: draw.pick([0, 0, 1]),
      saveOnStop: draw.chance(0.2),
    },
    ...(draw.chance(0.15) ? { verifier: 'enforce' } : {}),
  };
}

export class Draw {
  readonly #rng: Rng;

  constructor(rng: Rng) {
    this.#rng = rng;
  }
  chance(share: number): boolean {
    return this.#rng.float() < share;
  }
  int(count: number): number {
    return Math.floor(this.#rng.float() * count);
  }
  pick<const T>(list: readonly T[]): T {
    return list[this.int(list.length)] as T;
  }
  anyOf<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : this.pick(list);
  }
}

/** Where a seed looks for something to work on. */
export interface Sights {
  readonly hosts: readonly { readonly name: string; readonly fabric: FabricInterface }[];
  /** Names of those that have died and stay away. */
  readonly away: readonly string[];
  /** Classes that whoever simulates has brought. */
  readonly classes: readonly FeatureClass[];
}

const VERBS: Readonly<Record<string, readonly VmVerb[]>> = {
  off: ['start'],
  running: ['stop', 'pause', 'save'],
  paused: ['resume', 'save', 'stop'],
  saved: ['restore', 'restore', 'stop'],
};
const ANY_VERB: readonly VmVerb[] = ['start', 'stop', 'pause', 'resume', 'save', 'restore'];

/** The steps of one seed, each drawn from what is there when its turn comes. */
export class StepDraw {
  readonly #draw: Draw;
  #names = 0;
  /** A snapshot to go back to, and steps until then. */
  #back: { host: string; snapshot: string; steps: number } | undefined;

  constructor(seed: string) {
    this.#draw = new Draw(new Rng(`steps ${seed}`));
  }

  next(sights: Sights): Step {
    const draw = this.#draw;
    const mode = draw.int(100);
    const host = draw.pick(sights.hosts).name;
    const faults = this.#faults(sights);
    const back = this.#comesBack(sights) ?? this.#goBack(sights);
    if (back !== undefined) return back;
    if (mode < 62) return { ...this.#change(sights), ...faults };
    if (mode < 74) return { ...this.#migrate(sights), ...faults };
    if (mode < 82) {
      const steps = Array.from({ length: 2 + draw.int(4) }, () =>
        draw.chance(0.15) ? this.#migrate(sights) : this.#change(sights),
      );
      if (!draw.chance(0.25)) return { do: 'together', steps, ...faults };
      return { do: 'together', steps: [...steps, this.#atomic(sights, host)], ...faults };
    }
    if (mode < 90) return { ...this.#atomic(sights, host), ...faults };
    if (mode < 92) {
      return { do: 'restartHost', host, ...(draw.chance(0.3) ? { withoutGuest: true } : {}) };
    }
    if (mode < 95) return { do: 'crashHost', host, ...this.#away() };
    if (mode < 99) return this.#takeSnapshot(host);
    if (draw.chance(0.3)) return { do: 'resetHost', host };
    return { do: 'wait', ms: draw.pick([10, 1000, 20_000]) };
  }

  #atomic(sights: Sights, host: string): Atomic {
    const draw = this.#draw;
    const steps = Array.from({ length: 1 + draw.int(4) }, () => this.#change(sights, host));
    return { do: 'atomic', host, throws: draw.chance(0.3), steps };
  }

  /** Who dies in the step may stay away for a while. */
  #away(): Faults {
    return this.#draw.chance(0.4) ? { staysAway: true } : {};
  }

  /** A host that is away: it comes back sooner or later, and meanwhile somebody may decide. */
  #comesBack({ away, hosts }: Sights): Step | undefined {
    const draw = this.#draw;
    const host = away[0];
    if (host === undefined) return undefined;
    if (draw.chance(0.2)) return { do: 'hostComesBack', host };
    return draw.chance(0.35) ? drawRuling(draw, hosts) : undefined;
  }

  #faults({ hosts }: Sights): Faults {
    const draw = this.#draw;
    const what = draw.int(100);
    const names = hosts.map(({ name }) => name);
    if (what < 45) return {};
    if (what < 62) return { ...drawRules(draw, names), ...this.#away() };
    if (what < 82) {
      const mischief = Array.from({ length: draw.pick([1, 1, 2]) }, () => ({
        extension: draw.pick(['rogue', 'forwarder'] as const),
        nth: 1 + draw.int(8),
        what: draw.pick(BEHAVIOURS),
        delayMs: draw.pick([0, 1, 5, 20_000]),
      }));
      return { mischief };
    }
    if (what < 92) return { rules: [drawStoreRule(draw, draw.pick(names), 4)], ...this.#away() };
    return { rules: drawMessageRules(draw, names), ...this.#away() };
  }

  /** One that was taken is gone back to soon: when a VM has moved, or the host has died, it is too late. */
  #takeSnapshot(host: string): Step {
    const snapshot = this.#name('T');
    this.#back = { host, snapshot, steps: 1 + this.#draw.int(6) };
    return { do: 'takeSnapshot', host, snapshot };
  }

  /** `undefined`: not yet. */
  #goBack(sights: Sights): Step | undefined {
    if (this.#back === undefined) return undefined;
    this.#back.steps -= 1;
    if (this.#back.steps > 0) return undefined;
    const { host, snapshot } = this.#back;
    const draw = this.#draw;
    this.#back = draw.chance(0.2) ? { host, snapshot, steps: 3 } : undefined;
    if (draw.chance(0.3)) {
      if (!sights.hosts.some(({ name }) => name === host)) return undefined;
      const steps = Array.from({ length: draw.int(4) }, () => this.#change(sights, host));
      return { do: 'forkSnapshot', host, snapshot, steps };
    }
    const isFailing = draw.chance(0.2);
    const faults: Faults = isFailing ? { rules: [drawStoreRule(draw, host, 1)] } : {};
    return { do: 'restoreSnapshot', host, snapshot, ...faults };
  }

  #migrate(sights: Sights): Change | Move {
    const draw = this.#draw;
    const vm = draw.anyOf(vmsOf(sights));
    const others = sights.hosts.filter(({ name }) => name !== vm?.host);
    const to = draw.anyOf(others);
    if (vm === undefined || to === undefined) return this.#newVm(sights);
    return { do: 'migrate', vm: vm.name, to: to.name };
  }

  /** A change that has something to work on, of one host if it is given. */
  #change(sights: Sights, only?: string): Change {
    const hosts = sights.hosts.filter(({ name }) => only === undefined || name === only);
    const some: Sights = { hosts, away: sights.away, classes: sights.classes };
    for (let i = 0; i < 20; i += 1) {
      const change = this.#ofKind(some);
      if (change !== undefined) return change;
    }
    return this.#newVm(some);
  }

  #ofKind(sights: Sights): Change | undefined {
    // A class of somebody else is what it is about.
    switch (this.#draw.int(sights.classes.length > 0 ? 14 : 11)) {
      case 0:
      case 1:
      case 2:
        return this.#ofVm(sights);
      case 3:
      case 4:
      case 5:
        return this.#ofPolicy(sights);
      case 6:
      case 7:
        return this.#ofAdapter(sights);
      case 8:
        return this.#ofSwitch(sights);
      case 9:
        return this.#ofPort(sights);
      default:
        return this.#ofClass(sights) ?? drawWorldChange(this.#draw, sights);
    }
  }

  /** A policy of a class that whoever simulates has brought. */
  #ofClass(sights: Sights): Change | undefined {
    const draw = this.#draw;
    const feature = draw.anyOf(sights.classes);
    if (feature === undefined || draw.chance(0.25)) return undefined;
    this.#names += 1;
    return drawClassChange(draw, sights, feature, this.#names);
  }

  #name(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }

  #newVm({ hosts }: Sights): Change {
    const draw = this.#draw;
    const { name: host, fabric } = draw.pick(hosts);
    const switches = Array.from(fabric.switches.list(), ({ name }) => name);
    const adapters = Array.from({ length: 1 + draw.int(2) }, () =>
      draw.chance(0.85) ? (draw.anyOf(switches) ?? null) : null,
    );
    return { do: 'createVm', host, vm: this.#name('VM'), adapters };
  }

  #ofVm(sights: Sights): Change | undefined {
    const draw = this.#draw;
    const all = vmsOf(sights);
    const vm = draw.anyOf(all);
    if (vm === undefined || (all.length < 6 && draw.chance(0.25))) return this.#newVm(sights);
    const { name, state } = vm;
    if (state === 'off' && draw.chance(0.1)) return { do: 'vm', verb: 'delete', vm: name };
    if (all.length < 6 && draw.chance(0.08)) {
      return { do: 'copyVm', vm: name, to: draw.pick(sights.hosts).name, copy: this.#name('V') };
    }
    const verbs = draw.chance(0.9) ? (VERBS[state] ?? ANY_VERB) : ANY_VERB;
    return { do: 'vm', verb: draw.pick(verbs), vm: name };
  }

  #ofPolicy(sights: Sights): Change | undefined {
    const draw = this.#draw;
    if (draw.chance(0.2)) return this.#ofSwitchPolicy(sights);
    const all = vmsOf(sights).flatMap(({ name: vm, adapters, fabric }) =>
      adapters.map(({ name: adapter }) => {
        const { properties } = fabric.vms.get(vm).adapter(adapter);
        return { place: { vm, adapter }, policies: numbersOf(properties.list(), PORT_CLASS) };
      }),
    );
    // Where policies are, more happens to them.
    const having = all.filter(({ policies }) => policies.length > 0);
    const one = (draw.chance(0.6) ? draw.anyOf(having) : undefined) ?? draw.anyOf(all);
    if (one === undefined) return undefined;
    const { place, policies } = one;
    const policy = draw.anyOf(policies);
    const value = draw.int(1000);
    if (policy === undefined || draw.chance(0.4)) {
      this.#names += 1;
      return { do: 'addPolicy', ...place, policy: this.#names, value };
    }
    const named: { revision?: Revision } = draw.chance(0.2)
      ? { revision: draw.pick(['right', 'right', 'stale']) }
      : {};
    if (draw.chance(0.4)) return { do: 'removePolicy', ...place, policy, ...named };
    return { do: 'updatePolicy', ...place, policy, value, ...named };
  }

  #ofSwitchPolicy({ hosts }: Sights): Change | undefined {
    const draw = this.#draw;
    const { name: host, fabric } = draw.pick(hosts);
    const all = Array.from(fabric.switches.list(), ({ id, name }) => {
      const { properties } = fabric.switches.get(id);
      return { switch: name, policies: numbersOf(properties.list(), SWITCH_CLASS) };
    });
    const having = all.filter(({ policies }) => policies.length > 0);
    const one = (draw.chance(0.6) ? draw.anyOf(having) : undefined) ?? draw.anyOf(all);
    if (one === undefined) return undefined;
    const place = { host, switch: one.switch };
    const policy = draw.anyOf(one.policies);
    const value = draw.int(1000);
    if (policy === undefined || draw.chance(0.3)) {
      this.#names += 1;
      return { do: 'addSwitchPolicy', ...place, policy: this.#names, value };
    }
    if (draw.chance(0.4)) return { do: 'removeSwitchPolicy', ...place, policy };
    return { do: 'updateSwitchPolicy', ...place, policy, value };
  }

  #ofAdapter(sights: Sights): Change | undefined {
    const draw = this.#draw;
    const vm = draw.anyOf(vmsOf(sights));
    if (vm === undefined) return undefined;
    const sw = draw.anyOf([...vm.fabric.switches.list()])?.name ?? 'A';
    const adapter = draw.anyOf(vm.adapters)?.name;
    if (adapter === undefined || (vm.adapters.length < 4 && draw.chance(0.2))) {
      return { do: 'addAdapter', vm: vm.name, adapter: this.#name('n'), switch: sw };
    }
    const place = { vm: vm.name, adapter };
    switch (draw.int(8)) {
      case 6:
        return { do: 'assignVf', ...(withUplink(sights) ?? place) };
      case 7: {
        const held = vm.adapters.find(({ vfAssigned }) => vfAssigned)?.name;
        return { do: 'removeVf', ...place, adapter: held ?? adapter };
      }
      case 0:
        return { do: 'removeAdapter', ...place };
      case 1:
        return { do: 'disconnectAdapter', ...place };
      case 2:
        return { do: 'updateAdapter', ...place, mtu: 1400 + draw.int(100) };
      default:
        return { do: 'connectAdapter', ...place, switch: sw };
    }
  }

  #ofSwitch({ hosts }: Sights): Change | undefined {
    const draw = this.#draw;
    const { name: host, fabric } = draw.pick(hosts);
    const all = [...fabric.switches.list()];
    const sw = draw.anyOf(all);
    if (sw === undefined || (all.length < 4 && draw.chance(0.3))) {
      const type = draw.pick(['private', 'internal', 'external'] as const);
      return { do: 'createSwitch', host, switch: this.#name('S'), type };
    }
    const place = { host, switch: sw.name };
    if (draw.chance(0.15)) return { do: 'deleteSwitch', ...place };
    if (draw.chance(0.35)) return this.#ofHost(fabric, place);
    if (all.length < 4 && draw.chance(0.15)) {
      const to = draw.pick(hosts).name;
      const ids = draw.chance(0.4) ? { keepsIds: true } : {};
      return { do: 'copySwitch', ...place, to, copy: this.#name('S'), ...ids };
    }
    const one = draw.pick(fabric.switches.get(sw.id).extensions.list());
    // The watcher stays: it is who sees that the others are right.
    const extension = one.name === 'watcher' ? 'rogue' : one.name;
    const change = draw.pick([
      { enabled: !one.enabled },
      { enabled: true },
      { order: 0 },
      { required: !one.required },
    ]);
    return { do: 'changeExtension', ...place, extension, ...change };
  }

  /** What the host itself has on a switch. */
  #ofHost(fabric: FabricInterface, place: { host: string; switch: string }): Change {
    const draw = this.#draw;
    const { uplink } = fabric.switches.get(place.switch).host;
    if (draw.chance(0.2)) return { do: 'addInternalNic', ...place, port: this.#name('P') };
    if (uplink === undefined) {
      const team = draw.pick(['none', 'none', 'lbfo', 'switch'] as const);
      const adapters = team === 'switch' ? 2 + draw.int(2) : 1;
      return { do: 'connectUplink', ...place, team, adapters };
    }
    if (draw.chance(0.3)) return { do: 'disconnectUplink', ...place };
    const index = 1 + draw.int(uplink.adapters.length);
    return { do: 'setLink', ...place, index, up: draw.chance(0.5) };
  }

  #ofPort({ hosts }: Sights): Change | undefined {
    const draw = this.#draw;
    const { name: host, fabric } = draw.pick(hosts);
    const sw = draw.anyOf([...fabric.switches.list()]);
    if (sw === undefined) return undefined;
    const place = { host, switch: sw.name };
    const own = [...fabric.switches.get(sw.id).ports.list()].filter(
      ({ names }) => names.vmId === undefined && names.portFriendlyName?.startsWith('P'),
    );
    const port = draw.anyOf(own)?.names.portFriendlyName;
    if (port === undefined || (own.length < 3 && draw.chance(0.3))) {
      return { do: 'createPort', ...place, port: this.#name('P') };
    }
    if (draw.chance(0.1)) return { do: 'renamePort', ...place, port, to: this.#name('P') };
    if (draw.chance(0.15)) return { do: 'updateNic', ...place, port, mtu: 1400 + draw.int(100) };
    const verb = draw.pick(['deletePort', 'connectNic', 'connectNic', 'disconnectNic'] as const);
    return { do: verb, ...place, port };
  }
}

function vmsOf({ hosts }: Sights) {
  return hosts.flatMap(({ name: host, fabric }) =>
    Array.from(fabric.vms.list(), (info) => ({ ...info, host, fabric })),
  );
}

/** An adapter that runs above a physical one, without a virtual function. */
function withUplink(sights: Sights): { vm: string; adapter: string } | undefined {
  for (const { name: vm, adapters, fabric } of vmsOf(sights)) {
    for (const { name: adapter, connected, vfAssigned, switch: sw } of adapters) {
      if (!connected || vfAssigned || sw === undefined) continue;
      if (fabric.switches.get(sw.id).host.uplink?.team === 'none') return { vm, adapter };
    }
  }
  return undefined;
}
