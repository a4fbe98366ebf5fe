import type { FeatureInfo } from '../../policy/api.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { Witness } from '../life-cycles/witness.ts';
import type { Breach } from './breach.ts';
import type { SweptExtension } from './effects.ts';
import type { SweepFault } from './fault.ts';
import { type Reference, ScenarioJudge } from './scenario-judge.ts';
import { ScenarioRun } from './scenario-run.ts';
import type { Played, SweepSubject } from './subject.ts';

const WITNESS_ID = '3f1d7c52-8a64-4b09-9e2b-5c0f6a71e310';
const WITNESS_NAME = 'witness';

/** A scenario with a witness on top of each switch, to be played any number of times. */
export class ScenarioSubject implements SweepSubject {
  readonly name: string;
  readonly title: string;
  readonly seed: string;
  readonly #scenario: Scenario;
  /** Classes that its hosts have, by GUID. */
  readonly #features = new Map<string, string>();
  #reference: Reference | undefined;

  /** `name`: cell of the matrix, empty when there is one. */
  constructor(scenario: Scenario, name: string) {
    this.name = name;
    this.title = name === '' ? scenario.name : `${scenario.name}, ${name}`;
    this.seed = scenario.seed;
    this.#scenario = scenario;
  }

  called(id: string): string {
    const feature = this.#features.get(id);
    if (feature !== undefined) return feature;
    if (id === WITNESS_ID) return WITNESS_NAME;
    const known = [...this.#scenario.extensions].find(([, each]) => each.id === id);
    return known?.[0] ?? id;
  }

  extension(idOrName: string): SweptExtension | undefined {
    if (idOrName === WITNESS_ID || idOrName === WITNESS_NAME) {
      return { type: 'capture', isWitness: true };
    }
    const all = [...this.#scenario.extensions.values()];
    const known = all.find(({ id, name }) => id === idOrName || name === idOrName);
    return known && { type: known.type, isWitness: false };
  }

  async play(chain: readonly SweepFault[]): Promise<Played> {
    const breaches: Breach[] = [];
    const complain = (breach: Breach): void => void breaches.push(breach);
    const reorder = chain.find((fault) => fault.effect === 'reorder');
    const played: Scenario =
      reorder === undefined
        ? this.#scenario
        : {
            ...this.#scenario,
            scheduling: 'seeded',
            seed: `${this.#scenario.seed}/${reorder.seed}`,
          };
    const features = (host: string): readonly FeatureInfo[] => run.featuresOf(host);
    const { scenario, witnesses } = withWitnesses(played, features);
    const run: ScenarioRun = new ScenarioRun(scenario, chain, this.#reference, complain);
    await run.play();
    const { passed, met } = run.log;
    for (const { id, name } of run.features()) this.#features.set(id, name);
    if (!run.hasHung) {
      const judge = new ScenarioJudge(run, scenario, complain, (host, id) =>
        id === WITNESS_ID ? witnesses.get(host) : undefined,
      );
      const isFirst = this.#reference === undefined;
      this.#reference = await judge.judge(this.#reference);
      if (isFirst) this.#reference = await this.#withStatuses(this.#reference);
    }
    await run.close();
    const places = chain.filter(({ effect }) => effect !== 'reorder').length;
    return { passed, met: met >= places, breaches };
  }

  /** They are asked in a run of their own: it shifts the numbers of places. What it breaks the first run has broken. */
  async #withStatuses(reference: Reference): Promise<Reference> {
    if (reference.statuses.size === 0) return reference;
    const run = new ScenarioRun(this.#scenario, [], reference, () => undefined, true);
    await run.play();
    await run.close();
    return run.statuses === undefined ? reference : { ...reference, statusesBefore: run.statuses };
  }
}

/** The same with a witness of its own on every host, on top of its switches. */
function withWitnesses(
  scenario: Scenario,
  features: (host: string) => readonly FeatureInfo[],
): { readonly scenario: Scenario; readonly witnesses: ReadonlyMap<string, Witness> } {
  const witnesses = new Map<string, Witness>();
  const extensions = new Map(scenario.extensions);
  const hosts = scenario.hosts.map((spec) => {
    const own = (scope: FeatureInfo['scope']): readonly string[] =>
      features(spec.name)
        .filter((each) => !each.builtIn && each.kind === 'setting' && each.scope === scope)
        .map(({ name }) => name);
    const witness = new Witness({ id: WITNESS_ID, name: WITNESS_NAME, type: 'capture' }, () => ({
      port: own('port'),
      switch: own('switch'),
    }));
    const alias = `${WITNESS_NAME} of ${spec.name}`;
    witnesses.set(spec.name, witness);
    extensions.set(alias, witness.definition);
    const switches = spec.switches.map((sw) => ({ ...sw, extensions: [alias, ...sw.extensions] }));
    return { ...spec, switches };
  });
  return { scenario: { ...scenario, hosts, extensions }, witnesses };
}
