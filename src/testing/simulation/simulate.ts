import { ExtSwitchError } from '../../core/errors.ts';
import { defineExtension, isExtensionDefinition } from '../../sdk/define.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import type { Breach } from './breach.ts';
import { type PlayReport, play, playSeed } from './play.ts';
import { replayText } from './replay-file.ts';
import { scenarioText } from './scenario-text.ts';
import { type ShrinkOptions, shrink } from './shrink.ts';
import { OWN_IDS } from './simulated-host.ts';
import type { Step } from './step.ts';
import type { MofText } from './user-classes.ts';

/** What {@link simulate} plays. */
export interface SimulateOptions {
  /** How many seeds, from 1; default 200. */
  readonly seeds?: number;
  /** The first of them, from 1; default 1. */
  readonly first?: number;
  /** Steps of a history, from 1; default 40. */
  readonly steps?: number;
  /** Yours: on every switch of every world, beside those the simulation has, watched by the verifier. */
  readonly extensions?: readonly ExtensionDefinition[];
  /** MOF files with classes of yours, beside those that your extensions name: policies of all of them are drawn. */
  readonly mofs?: readonly MofText[];
  /** Histories played at most to shorten one that breaks something, default 2,000; 0: as it was found. */
  readonly shrinkLimit?: number;
  /** Called after each seed. */
  readonly onSeed?: (played: { readonly seed: string; readonly failed: boolean }) => void;
}

/** A seed whose history breaks something. */
export interface SimulationFailure {
  readonly seed: string;
  /** Name of the invariant (docs/reference/simulation.md); `rules`: your extension broke a rule. */
  readonly invariant: string;
  /** What was found, after the shortest history. */
  readonly message: string;
  /** The shortest history found that breaks it. */
  readonly steps: readonly Step[];
  /** A file for `npm run simulate -- --replay`, JSON: it gives the same, byte for byte. */
  readonly replay: string;
  /** The same as a scenario file for policies/scenarios, where extensions of yours are `./<name>.ts`. */
  readonly scenario: string;
  /** What of it no verb of a scenario says: with one of these it may pass. */
  readonly unsaid: readonly string[];
}

export interface SimulateReport {
  readonly seeds: number;
  /** Management calls, with what went wrong on purpose. */
  readonly steps: number;
  /** OID requests that completed. */
  readonly requests: number;
  /** In the order of their seeds; empty: everything held. */
  readonly failures: readonly SimulationFailure[];
}

/**
 * Plays seeded histories of whole worlds (hosts, VMs, policies, migrations, extensions that misbehave, failing disks, hosts that
 * die) and looks after each step whether everything holds that must; what breaks is shortened.
 *
 * ```ts
 * const { failures } = await simulate({ extensions: [filter], seeds: 50 });
 * assert.deepEqual(failures, []);
 * ```
 *
 * Errors: `INVALID_ARGUMENT` for a number out of its range or an extension with an id the simulation has itself;
 * `EXTENSION_INVALID`.
 */
export async function simulate(options: SimulateOptions = {}): Promise<SimulateReport> {
  const { seeds = 200, first = 1, steps = 40, shrinkLimit = 2000, mofs = [], onSeed } = options;
  for (const [member, value] of Object.entries({ seeds, first, steps })) {
    if (!Number.isSafeInteger(value) || value < 1) wrong(member, 'a whole number from 1', value);
  }
  const extensions = simulated(options.extensions ?? []);
  const failures: SimulationFailure[] = [];
  let played = 0;
  let requests = 0;
  for (let i = 0; i < seeds; i += 1) {
    const seed = String(first + i);
    const report = await playSeed(seed, steps, { extensions, mofs });
    played += report.history.steps.length;
    requests += report.requests;
    const { breach } = report;
    if (breach !== undefined)
      failures.push(await failureOf(report, breach, { extensions, mofs, limit: shrinkLimit }));
    onSeed?.({ seed, failed: breach !== undefined });
  }
  return { seeds, steps: played, requests, failures };
}

/** Extensions as a simulated world takes them. Throws what {@link simulate} does. */
export function simulated(extensions: readonly ExtensionDefinition[]): ExtensionDefinition[] {
  return extensions.map((given) => {
    const definition = isExtensionDefinition(given) ? given : defineExtension(given);
    if (OWN_IDS.has(definition.id)) wrong('extensions', 'an id of its own', definition.id);
    return definition;
  });
}

/** Shortens what was found and writes it down. */
export async function failureOf(
  { history }: Pick<PlayReport, 'history'>,
  breach: Breach,
  options: ShrinkOptions & { readonly files?: readonly string[] },
): Promise<SimulationFailure> {
  const { extensions = [], mofs = [], files = [] } = options;
  const shrunk = await shrink(history, breach, options);
  const { setting, steps } = shrunk.history;
  const { results } = await play(shrunk.history, { extensions, mofs });
  const given = extensions.map(({ name, type }, i) => ({
    name,
    type,
    file: files[i] ?? `./${name}.ts`,
  }));
  const { text: scenario, unsaid } = scenarioText(shrunk.history, shrunk.breach, {
    results,
    extensions: given,
  });
  return {
    seed: setting.seed,
    invariant: breach.invariant,
    message: shrunk.breach.message,
    steps,
    replay: replayText(shrunk.history, shrunk.breach),
    scenario,
    unsaid,
  };
}

function wrong(member: string, expected: string, found: unknown): never {
  throw new ExtSwitchError('INVALID_ARGUMENT', `${member}: expected ${expected}, found ${found}`, {
    member,
    expected,
    found: String(found),
  });
}
