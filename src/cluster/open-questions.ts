import {
  createInbox,
  type Msg,
  type NatsConnection,
  NoRespondersError,
  type Subscription,
  TimeoutError,
} from '@nats-io/transport-node';
import { type Envelope, openEnvelope, sealEnvelope } from './message-envelope.ts';

export interface Question {
  readonly host: string;
  /** Of the process that is asked. */
  readonly epoch: number;
  readonly subject: string;
  /** `body` or `parcel`. */
  readonly content: Envelope;
  readonly timeoutMs: number;
}

interface Open extends Question {
  /** Of `performance.now`. */
  readonly deadline: number;
  readonly settle: (outcome: Envelope | Error) => void;
  timer: NodeJS.Timeout | undefined;
  sent: number;
  isHeard: boolean;
}

/** Milliseconds without a sign of a question after which it is asked again: longer than a client takes to connect to another server. */
const AGAIN_MS = 1_000;
/** Twice as long each time, up to this. */
const AGAIN_MOST_MS = 5_000;
/** Status of the message that a server sends in place of an answer where nobody listens (NATS, ADR-4). */
const NO_RESPONDERS = 503;

/**
 * Questions of this host that wait for answers. NATS delivers at most once, and a server that is killed takes what was on its way with
 * it: a question or its answer, while both hosts live. So a question is asked again under the same number until it is answered; the
 * other host takes each number once (heard-questions.ts).
 */
export class OpenQuestions {
  readonly #connection: NatsConnection;
  readonly #from: { readonly from: string; readonly epoch: number };
  readonly #againMs: number;
  readonly #inbox = createInbox();
  readonly #subscription: Subscription;
  /** In the order of their numbers. */
  readonly #open = new Map<number, Open>();
  #count = 0;
  #ended: Error | undefined;

  constructor(connection: NatsConnection, host: string, epoch: number, againMs = AGAIN_MS) {
    this.#connection = connection;
    this.#againMs = againMs;
    this.#from = { from: host, epoch };
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#heard(message);
      },
    });
    void connection.closed().then(() => this.end(new Error('the connection was closed')));
  }

  /**
   * The answer; its `error` is not thrown. Rejects with `TimeoutError`, with `NoRespondersError` when it is certain that nobody heard
   * it, or as {@link giveUp} and {@link end} say. Without an answer it may have been heard.
   */
  ask(question: Question): Promise<Envelope> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const id = this.#count++;
      const open: Open = {
        ...question,
        deadline: performance.now() + question.timeoutMs,
        settle: (outcome) => {
          clearTimeout(open.timer);
          this.#open.delete(id);
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        },
        timer: undefined,
        sent: 0,
        isHeard: false,
      };
      this.#open.set(id, open);
      this.#send(id, open);
    });
  }

  /** Those that `isOver` no longer wait. */
  giveUp(error: Error, isOver: (question: Question) => boolean): void {
    for (const open of [...this.#open.values()]) if (isOver(open)) open.settle(error);
  }

  /** None waits, and none is asked, any more. */
  end(error: Error): void {
    this.#ended ??= error;
    this.giveUp(error, () => true);
  }

  close(error: Error): void {
    this.end(error);
    if (!this.#connection.isClosed()) this.#subscription.unsubscribe();
  }

  #send(id: number, open: Open): void {
    const [lowest = id] = this.#open.keys();
    const content = open.isHeard ? {} : open.content;
    const question = sealEnvelope({ ...this.#from, id, open: lowest, ...content });
    try {
      this.#connection.publish(open.subject, question, { reply: `${this.#inbox}.${id}` });
    } catch (cause) {
      open.settle(cause instanceof Error ? cause : new Error(String(cause)));
      return;
    }
    const againMs = Math.min(this.#againMs * 2 ** open.sent, AGAIN_MOST_MS);
    open.sent += 1;
    const leftMs = open.deadline - performance.now();
    open.timer = setTimeout(() => this.#due(id, open), Math.max(0, Math.min(againMs, leftMs)));
  }

  #due(id: number, open: Open): void {
    if (performance.now() >= open.deadline) open.settle(new TimeoutError());
    else this.#send(id, open);
  }

  #heard(message: Msg): void {
    const open = this.#open.get(Number(message.subject.slice(this.#inbox.length + 1)));
    if (open === undefined) return;
    if (message.headers?.code === NO_RESPONDERS) {
      // One that was sent before may have been heard, and its answer is to be had when the host is connected again.
      if (open.sent === 1) open.settle(new NoRespondersError(open.subject));
      return;
    }
    const answer = openEnvelope(message.data);
    if (answer === undefined) open.settle(new Error('the answer cannot be read'));
    else if (answer.from !== open.host || answer.epoch !== open.epoch) {
      const { from, epoch } = answer;
      open.settle(new Error(`the answer is of epoch ${epoch} of host ${JSON.stringify(from)}`));
    } else if (answer.isHeard === true) open.isHeard = true;
    else open.settle(answer);
  }
}
