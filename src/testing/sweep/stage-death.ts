import { VirtualClock } from '../../core/clock.ts';
import type { BehaviourOptions, FeatureInfo, ProfileName } from '../../policy/api.ts';
import { Fabric } from '../../policy/fabric.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import { WITNESSES } from '../life-cycles/stage.ts';
import { StageDisk } from '../life-cycles/stage-disk.ts';
import { Witness } from '../life-cycles/witness.ts';
import { type Outcome, settle } from '../simulation/patience.ts';
import { checkView } from '../simulation/trace-checks.ts';
import { type Invariant, messageOf } from './breach.ts';
import { survivalOf } from './course.ts';
import { HostWatch } from './host-watch.ts';
import { HOST, type StageDeath, type StageRun } from './stage-run.ts';
import { checkVms, takeAway } from './whole-world.ts';
import { type Hosts, stateOf } from './world-state.ts';

interface Surroundings {
  readonly profile: ProfileName;
  readonly behaviour: BehaviourOptions | undefined;
}

/**
 * A fault has ended the process of a stage's host. The stage cannot go on, for what it held was of that process: a host is opened on
 * the disk, its VMs are stopped and started and everything is taken away, with the extension under test in between.
 */
export async function afterDeath(
  run: StageRun,
  death: StageDeath,
  extension: ExtensionDefinition,
  around: Surroundings,
): Promise<void> {
  death.isOver = false;
  const second = new SecondLife(run, death, extension, around);
  await second.play();
}

class SecondLife {
  readonly #run: StageRun;
  readonly #death: StageDeath;
  readonly #extension: ExtensionDefinition;
  readonly #around: Surroundings;
  readonly #clock = new VirtualClock();
  readonly #memory;
  #watch: HostWatch | undefined;
  #witnesses: readonly Witness[] = [];

  constructor(
    run: StageRun,
    death: StageDeath,
    extension: ExtensionDefinition,
    around: Surroundings,
  ) {
    this.#run = run;
    this.#death = death;
    this.#extension = extension;
    this.#around = around;
    this.#memory = death.disk.memory;
  }

  readonly #bad = (invariant: Invariant, message: string): void =>
    void this.#run.breaches.push({ invariant, severity: 'error', message });

  /** A second fault may kill it in this life too, while it comes up or later: then there is another one. */
  async play(): Promise<void> {
    const { log } = this.#run;
    for (let isFirst = true; ; isFirst = false) {
      const fabric = await this.#opened();
      if (fabric === undefined) return;
      await this.#live(fabric, isFirst);
      const hasDied = log.hasDeath;
      if (!hasDied) log.stop();
      await settle(this.#clock, fabric.close(), () => true);
      if (!hasDied) this.#watch?.end();
      if (!hasDied) return;
    }
  }

  /** `isFirst`: nothing was changed since the stage's own host died. */
  async #live(fabric: Fabric, isFirst: boolean): Promise<void> {
    const hosts: Hosts = new Map([[HOST, fabric]]);
    const watch = this.#watch;
    watch?.gather(fabric);
    const isLossy = watch?.isLossy === true;
    if (!isLossy && isFirst) this.#compare(hosts);
    checkVms(hosts, isLossy, this.#bad);
    if (!isLossy) this.#checkViews(fabric);
    for (const { id, name, state } of [...fabric.vms.list()]) {
      if (state !== 'running') continue;
      const vm = fabric.vms.get(id);
      await this.#settled(`stopping ${name}`, () => vm.stop());
      const again = await this.#settled(`starting ${name} again`, () => vm.start());
      if (this.#run.log.hasDeath) return;
      if (again === undefined || !('error' in again) || isLossy) continue;
      const why = messageOf(again.error);
      this.#bad('again', `after the host had died, ${name} does not start: ${why}`);
    }
    const stores = new Map([[HOST, this.#memory]]);
    await takeAway(hosts, stores, (what, act) => this.#settled(what, act), this.#bad);
    if (!this.#run.log.hasDeath) watch?.gather(fabric);
  }

  /** It is killed once more while it comes up as often as there are faults that do it. */
  async #opened(): Promise<Fabric | undefined> {
    const { log } = this.#run;
    for (;;) {
      log.takeDeath(HOST);
      const met = log.met;
      const outcome = await settle(this.#clock, this.#open(), () => true);
      if (outcome === undefined) {
        this.#bad('ends', 'the host died and is started again: that does not end');
        return undefined;
      }
      if ('value' in outcome && !log.hasDeath) return outcome.value;
      if ('value' in outcome) await settle(this.#clock, outcome.value.close(), () => true);
      else if (log.met === met) {
        this.#bad('durable', `the host died and does not start again: ${messageOf(outcome.error)}`);
        return undefined;
      }
    }
  }

  #open(): Promise<Fabric> {
    const run = this.#run;
    const { profile, behaviour } = this.#around;
    const disk = new StageDisk(this.#memory);
    const watch = new HostWatch(run.chain, (breach) => run.found(breach));
    this.#watch = watch;
    let features: readonly FeatureInfo[] = [];
    const own = (scope: FeatureInfo['scope']): readonly string[] =>
      features
        .filter((each) => !each.builtIn && each.kind === 'setting' && each.scope === scope)
        .map(({ name }) => name);
    const isForwarding = this.#extension.type === 'forward';
    this.#witnesses = [...WITNESSES]
      .filter((_each, i) => i === 0 || !isForwarding)
      .map(([id, name], i) => {
        const type = i === 0 && !isForwarding ? 'capture' : 'filter';
        return new Witness({ id, name, type }, () => ({
          port: own('port'),
          switch: own('switch'),
        }));
      });
    const [above, below] = this.#witnesses;
    const definitions = [above?.definition, this.#extension, below?.definition];
    features = run.featureInfos;
    return Fabric.open({
      clock: this.#clock,
      store: disk,
      seed: 'opened again',
      profile,
      observer: watch.observer,
      faults: { ...run.log.opening(HOST), crash: () => disk.kill() },
      extensions: definitions.flatMap((each) => each ?? []),
      ...(behaviour === undefined ? {} : { behaviour }),
    });
  }

  #compare(hosts: Hosts): void {
    const { change, title, isAcknowledged } = this.#death;
    if (change === undefined) return;
    const { wrong } = survivalOf(change, stateOf(hosts), isAcknowledged);
    if (wrong === undefined) return;
    this.#bad('durable', `${title}: the host died in it and was started again; ${wrong}`);
  }

  #checkViews(fabric: Fabric): void {
    for (const { id, name } of fabric.switches.list()) {
      checkView(
        HOST,
        fabric.switches.get(id),
        (each) => {
          const witness = this.#witnesses.find(({ definition }) => definition.id === each);
          return witness?.blindOn(name) === undefined ? witness : undefined;
        },
        (_invariant, message) => this.#bad('views', message),
      );
    }
  }

  async #settled(what: string, act: () => Promise<unknown>): Promise<Outcome<unknown> | undefined> {
    const { log } = this.#run;
    for (;;) {
      const met = log.met;
      const outcome = await settle(this.#clock, act(), () => true);
      // What a dying process says is no answer, and nothing more can be asked of it.
      if (log.hasDeath) return undefined;
      if (outcome === undefined) this.#bad('ends', `${what} after the host had died does not end`);
      else if ('error' in outcome && log.met > met) continue;
      return outcome;
    }
  }
}
