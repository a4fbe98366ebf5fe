import type { Cluster } from '../../cluster/api.ts';
import { ExtSwitchError } from '../../core/errors.ts';
import {
  type Claim,
  decodeMessage,
  encodeMessage,
  type WhoseAnswer,
  type WhoseQuestion,
} from './messages.ts';
import { type Subject, subjectName } from './subject.ts';

/** Owners that are remembered; the least lately used are forgotten first. */
const MAX_KNOWN = 10_000;
/** Milliseconds a host has to say whether it has something: it looks into its memory. */
const WHOSE_MS = 3_000;

/** What a search found. */
export interface Found {
  /** `undefined`: none of the hosts that answered. */
  readonly owner: string | undefined;
  /** Hosts that did not answer: what nobody else has may be theirs. */
  readonly silent: readonly string[];
}

/** Which host has what: asked of all hosts, and remembered until it is wrong. */
export class Owners {
  readonly #cluster: Cluster;
  readonly #answerHere: (question: WhoseQuestion) => WhoseAnswer;
  readonly #known = new Map<string, string>();

  constructor(cluster: Cluster, answerHere: (question: WhoseQuestion) => WhoseAnswer) {
    this.#cluster = cluster;
    this.#answerHere = answerHere;
  }

  /** The host that had it last. */
  recall(subject: Subject): string | undefined {
    const key = keyOf(subject);
    const host = this.#known.get(key);
    if (host === undefined) return undefined;
    this.#known.delete(key);
    this.#known.set(key, host);
    return host;
  }

  remember(subject: Subject, host: string): void {
    this.#known.set(keyOf(subject), host);
    if (this.#known.size <= MAX_KNOWN) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }

  forget(subject: Subject): void {
    this.#known.delete(keyOf(subject));
  }

  /**
   * Asks all hosts, this one included, who has it; one that remembers an answer under the Idempotency-Key comes first.
   * Throws `AMBIGUOUS_NAME` when several have one.
   */
  async find(subject: Subject, key?: string): Promise<Found> {
    const question = { ...subject, ...(key === undefined ? {} : { key }) };
    // Twice: a VM on its way may have been asked for where it was not yet, then where it was no more.
    for (let round = 0; ; round += 1) {
      const { owner, silent } = await this.#ask(subject, question);
      if (owner !== undefined) {
        if (owner !== this.#cluster.host) this.remember(subject, owner);
        return { owner, silent };
      }
      if (round === 1) return { owner, silent };
    }
  }

  async #ask(subject: Subject, question: WhoseQuestion): Promise<Found> {
    const cluster = this.#cluster;
    const asked = await cluster.askAll('http.whose', encodeMessage(question), WHOSE_MS);
    const answers = new Map<string, WhoseAnswer>();
    for (const [host, bytes] of asked.answers) {
      answers.set(host, decodeMessage<WhoseAnswer>(bytes, `the answer of host ${host}`));
    }
    // Last, so that what came here while the others were asked is seen.
    answers.set(cluster.host, this.#answerHere(question));
    const silent = silentHosts(cluster, asked.silent);
    for (const [host, { remembers }] of answers) if (remembers) return { owner: host, silent };
    return { owner: ownerOf(subject, answers), silent };
  }
}

/** Hosts whose things nobody can ask for now: those without an answer, without a sign of life, and those that left. */
export function silentHosts(cluster: Cluster, unanswered: readonly string[]): readonly string[] {
  const silent = new Set(unanswered);
  for (const { host, state, isSelf } of cluster.members()) {
    if (!isSelf && state !== 'alive') silent.add(host);
  }
  return [...silent].sort();
}

/** The one host. What is in two places while it travels is the destination's (decision 0010). */
function ownerOf(subject: Subject, answers: ReadonlyMap<string, WhoseAnswer>): string | undefined {
  const all: { host: string; claim: Claim }[] = [];
  for (const [host, { claims }] of answers) for (const claim of claims) all.push({ host, claim });
  const arrived = new Set(all.filter(({ claim }) => !claim.isLeaving).map(({ claim }) => claim.id));
  const left = all.filter(({ claim }) => !claim.isLeaving || !arrived.has(claim.id));
  if (new Set(left.map(({ host }) => host)).size <= 1) return left[0]?.host;
  left.sort((a, b) => (a.host < b.host ? -1 : 1));
  const places = left.map(({ host, claim }) => `host ${JSON.stringify(host)} (id ${claim.id})`);
  throw new ExtSwitchError(
    'AMBIGUOUS_NAME',
    `${subjectName(subject)} is on ${places.join(' and on ')}: use its id, or name the host: /hosts/${left[0]?.host}/v1/…`,
    {
      found: subject.text.slice(0, 256),
      problems: left.map(({ host, claim }) => ({ host, id: claim.id })),
    },
  );
}

function keyOf({ kind, text }: Subject): string {
  return `${kind}/${text}`;
}
