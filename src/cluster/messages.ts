import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { ExtSwitchError } from '../core/errors.ts';
import type { Answer, Cluster } from './api.ts';
import { errorFromWire, errorToWire } from './error-wire.ts';
import { type Heard, HeardQuestions, type QuestionNumber } from './heard-questions.ts';
import { type Envelope, openEnvelope, sealEnvelope } from './message-envelope.ts';
import { OpenQuestions } from './open-questions.ts';
import type { Parcels } from './parcel.ts';
import { ParcelWaits } from './parcel-waits.ts';
import { Slots } from './slots.ts';
import { asUnreachable, unreachable } from './unreachable.ts';

/** Milliseconds an answer is waited for. */
const TIMEOUT_MS = 10_000;
/** Questions of this host under way at a time; more wait for their turn, inside their time. */
const ASKED_AT_ONCE = 256;
/** Questions of others under way at a time; more are refused at once. */
const SERVED_AT_ONCE = 1024;
/** Milliseconds a question's parcel may take: longer than whatever fetches it tries. */
const FETCH_MOST_MS = 60_000;
/** Milliseconds a parcel of a host that is gone may still take: its servers have it, when they answer. */
const GONE_MS = 2_000;
/** May be several parts of the subject. */
const SERVICE = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$/;

export interface MessagesOptions {
  readonly connection: NatsConnection;
  readonly cluster: string;
  readonly host: string;
  /** Of this process: part of the subject, so that one that is the host no more is not reached. */
  readonly epoch: number;
  readonly parcels: Pick<Parcels, 'leave' | 'fetch' | 'drop'>;
  /** Of a host that is alive. */
  epochOf(host: string): number | undefined;
  /** The other hosts that are alive. */
  others(): readonly string[];
  /** Called when {@link epochOf} may say something else. */
  subscribe(listener: () => void): () => void;
  isHolding(): boolean;
  readonly lost: AbortSignal;
  /** Milliseconds without an answer after which a question is asked again, for tests. */
  readonly againMs?: number;
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void;
}

type Handler = Parameters<Cluster['serve']>[1];

/**
 * Questions and answers between hosts, on `<cluster>.ask.<host>.<epoch>.<service>`. A question is asked until it is answered, and taken
 * once; one that got no answer in time may have been taken. What handlers throw is thrown at the one who asked.
 */
export class Messages {
  readonly #options: MessagesOptions;
  readonly #handlers = new Map<string, Handler>();
  readonly #asking = new Slots(ASKED_AT_ONCE);
  readonly #open: OpenQuestions;
  readonly #heard = new HeardQuestions();
  readonly #waits = new ParcelWaits();
  readonly #subscription: Subscription;
  readonly #unsubscribe: () => void;
  readonly #onLost = (): void => this.#end(this.#options.lost.reason);
  #serving = 0;
  #isClosed = false;

  constructor(options: MessagesOptions) {
    this.#options = options;
    const { connection, host, epoch } = options;
    this.#open = new OpenQuestions(connection, host, epoch, options.againMs);
    this.#subscription = connection.subscribe(this.#subject(host, epoch, '>'), {
      callback: (error, message) => {
        if (error === null) void this.#answer(message);
        else options.log('error', 'questions of other hosts are not heard', { error });
      },
    });
    this.#unsubscribe = options.subscribe(() => this.#lookAround());
    options.lost.addEventListener('abort', this.#onLost, { once: true });
  }

  #subject(host: string, epoch: number, service: string): string {
    return `${this.#options.cluster}.ask.${host}.${epoch}.${service}`;
  }

  // --- asking -------------------------------------------------------------------------------------------------------------

  async ask(
    host: string,
    service: string,
    body: Uint8Array,
    timeoutMs = TIMEOUT_MS,
  ): Promise<Answer> {
    this.#mustBeHost();
    if (host === this.#options.host) return this.#handled(service, body, host);
    const until = performance.now() + timeoutMs;
    const what = `${JSON.stringify(service)} of host ${JSON.stringify(host)}`;
    const free = await this.#asking.take(timeoutMs);
    if (free === undefined) {
      throw unreachable(host, `${what} was not asked: ${ASKED_AT_ONCE} questions wait for answers`);
    }
    try {
      // It has waited for its turn.
      this.#mustBeHost();
      return await this.#question(host, service, body, until, what);
    } finally {
      free();
    }
  }

  async #question(
    host: string,
    service: string,
    body: Uint8Array,
    until: number,
    what: string,
  ): Promise<Answer> {
    const { parcels, epochOf } = this.#options;
    const left = (): number => Math.max(1, Math.ceil(until - performance.now()));
    let parcel: string | undefined;
    try {
      if (this.#isLarge(body)) {
        const isGone = (): boolean => epochOf(host) === undefined;
        parcel = await this.#waits.during(parcels.leave(body), left(), isGone, 0);
      }
      const epoch = epochOf(host);
      if (epoch === undefined) throw unreachable(host, `${what}: the host is not alive`);
      const content = parcel === undefined ? { body } : { parcel };
      const subject = this.#subject(host, epoch, service);
      const question = { host, epoch, subject, content, timeoutMs: left() };
      const answer = await this.#open.ask(question);
      if (answer.error !== undefined) throw errorFromWire(answer.error, host);
      if (answer.parcel === undefined) return answer.body ?? new Uint8Array(0);
      const isGone = (): boolean => epochOf(host) !== epoch;
      const fetched = parcels.fetch(answer.parcel);
      const bytes = await this.#waits.during(fetched, left(), isGone, GONE_MS);
      void parcels.drop(answer.parcel);
      return bytes;
    } catch (error) {
      throw asUnreachable(error, host, what);
    } finally {
      if (parcel !== undefined) void parcels.drop(parcel);
    }
  }

  /** Nobody waits for a process that is not there any more, however long the answer may take. */
  #lookAround(): void {
    this.#open.giveUp(
      new Error('it went away before it had answered'),
      ({ host, epoch }) => this.#options.epochOf(host) !== epoch,
    );
    this.#waits.lookAround();
  }

  /** Nothing that this host has asked is waited for any more. */
  #end(error: Error): void {
    this.#open.end(error);
    this.#waits.end(error);
  }

  async askAll(
    service: string,
    body: Uint8Array,
    timeoutMs?: number,
  ): ReturnType<Cluster['askAll']> {
    this.#mustBeHost();
    const answers = new Map<string, Answer>();
    const silent: string[] = [];
    const ask = async (host: string): Promise<void> => {
      try {
        answers.set(host, await this.ask(host, service, body, timeoutMs));
      } catch (error) {
        silent.push(host);
        this.#options.log('warn', `host ${host} did not answer ${service}`, {
          error: String(error),
        });
      }
    };
    await Promise.all(this.#options.others().map(ask));
    return { answers, silent: silent.sort() };
  }

  // --- answering ----------------------------------------------------------------------------------------------------------

  serve(service: string, handler: Handler): () => void {
    if (!SERVICE.test(service)) {
      throw new ExtSwitchError(
        'INVALID_ARGUMENT',
        `service ${JSON.stringify(service)}: expected lower case letters, digits, "-" and "."`,
        { member: 'service', found: service },
      );
    }
    if (this.#handlers.has(service)) {
      throw new ExtSwitchError('ALREADY_EXISTS', `service ${service} is served already`, {
        found: service,
      });
    }
    this.#handlers.set(service, handler);
    return () => {
      if (this.#handlers.get(service) === handler) this.#handlers.delete(service);
    };
  }

  /** Answers whatever comes, and never throws. */
  async #answer(message: Msg): Promise<void> {
    let reply: Uint8Array;
    this.#serving += 1;
    try {
      reply = await this.#reply(message);
    } catch (error) {
      reply = this.#envelope({ error: errorToWire(error) });
    } finally {
      this.#serving -= 1;
    }
    try {
      message.respond(reply);
    } catch (error) {
      this.#options.log('warn', `an answer on ${message.subject} could not be sent`, {
        error: String(error),
      });
    }
  }

  async #reply(message: Msg): Promise<Uint8Array> {
    const { host, epoch } = this.#options;
    const service = message.subject.slice(this.#subject(host, epoch, '').length);
    this.#mustHold(service);
    const question = openEnvelope(message.data);
    const number = numberOf(question);
    if (question === undefined || number === undefined) {
      throw new ExtSwitchError('MALFORMED', `host ${JSON.stringify(host)} was asked nothing`);
    }
    const heard = this.#heard.look(number, this.#options.epochOf(number.from));
    if (heard.kind !== 'new') return this.#again(heard, service);
    if (this.#serving > SERVED_AT_ONCE) {
      throw unreachable(host, `host ${JSON.stringify(host)} answers ${SERVED_AT_ONCE} others now`);
    }
    this.#heard.take(number);
    const answer = await this.#taken(question, service, number).catch((error: unknown) =>
      this.#envelope({ error: errorToWire(error) }),
    );
    this.#heard.answered(number, answer);
    // Nothing is said from memory by one that may be the host no more.
    this.#mustHold(service);
    return answer;
  }

  /** A question that was taken before. */
  #again(heard: Exclude<Heard, { kind: 'new' }>, service: string): Uint8Array {
    if (heard.kind === 'answered') return heard.answer;
    if (heard.kind === 'working') return this.#envelope({ isHeard: true });
    const { host } = this.#options;
    throw unreachable(
      host,
      `host ${JSON.stringify(host)} has answered ${service} before, and does not know any more what`,
    );
  }

  async #taken(question: Envelope, service: string, asker: QuestionNumber): Promise<Uint8Array> {
    const { parcels } = this.#options;
    const body =
      question.parcel === undefined
        ? (question.body ?? new Uint8Array(0))
        : await this.#fetched(question.parcel, asker);
    const answer = await this.#handled(service, body, asker.from);
    if (!this.#isLarge(answer)) return this.#envelope({ body: answer });
    return this.#envelope({ parcel: await parcels.leave(answer) });
  }

  /** What a question came with. The parcels give up by themselves; nobody waits for the answer when the asker is gone. */
  #fetched(parcel: string, { from, epoch }: QuestionNumber): Promise<Uint8Array> {
    const { parcels, epochOf } = this.#options;
    // One that has just come may be unknown still.
    const wasKnown = epochOf(from) === epoch;
    const isGone = (): boolean => {
      const now = epochOf(from);
      return now === undefined ? wasKnown : now !== epoch;
    };
    return this.#waits.during(parcels.fetch(parcel), FETCH_MOST_MS, isGone, 0);
  }

  async #handled(service: string, body: Uint8Array, from: string): Promise<Answer> {
    const { host } = this.#options;
    const handler = this.#handlers.get(service);
    if (handler === undefined) {
      throw unreachable(host, `host ${JSON.stringify(host)} does not serve ${service} now`);
    }
    const answer: unknown = await handler(body, from);
    if (answer instanceof Uint8Array) return answer;
    throw new Error(`the handler of ${service} gave no bytes`);
  }

  #mustHold(service: string): void {
    this.#mustBeHost();
    const { isHolding, host } = this.#options;
    if (isHolding()) return;
    throw unreachable(
      host,
      `host ${JSON.stringify(host)} does not answer ${service}: it has not reached the cluster for the length of its lease`,
    );
  }

  #mustBeHost(): void {
    const { lost, host } = this.#options;
    if (lost.aborted) throw lost.reason;
    if (this.#isClosed) {
      throw new ExtSwitchError('SHUTTING_DOWN', `host ${JSON.stringify(host)} is closed`);
    }
  }

  #isLarge(body: Uint8Array): boolean {
    const { connection } = this.#options;
    return body.length > (connection.info?.max_payload ?? 1024 * 1024) / 2;
  }

  #envelope(envelope: Envelope): Uint8Array {
    const { host: from, epoch } = this.#options;
    return sealEnvelope({ from, epoch, ...envelope });
  }

  /** Nothing is asked or answered any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handlers.clear();
    this.#unsubscribe();
    this.#options.lost.removeEventListener('abort', this.#onLost);
    const closed = new Error('this host was closed');
    this.#waits.end(closed);
    this.#open.close(closed);
    this.#subscription.unsubscribe();
  }
}

function numberOf(question: Envelope | undefined): QuestionNumber | undefined {
  const { from, epoch, id, open } = question ?? {};
  if (from === undefined || epoch === undefined || id === undefined || open === undefined) {
    return undefined;
  }
  return { from, epoch, id, open };
}
