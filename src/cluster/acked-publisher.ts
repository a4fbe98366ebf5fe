import { createInbox, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';

/** What became of one message to a stream. */
export type PublishAnswer =
  /** A quorum has it, at this place of the stream. */
  | { readonly kind: 'stored'; readonly revision: number }
  /** The stream refused it: `code` of JetStream's API errors. This sending has no effect. */
  | { readonly kind: 'refused'; readonly code: number; readonly text: string }
  /** Nobody knows: it may be stored, or be stored later. */
  | { readonly kind: 'unanswered' };

export interface Publication {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Refused unless the last message of the subject has this place in the stream; 0: there must be none. */
  readonly expected?: number;
  /** Marks the key as deleted, for readers of key-value buckets. */
  readonly isDelete?: boolean;
}

/** JetStream API error: the last message of the subject is another one. */
export const WRONG_LAST_SEQUENCE = 10071;
/** The same, of newer servers: another message with this expectation is being ordered, and is not to be read yet. */
const IN_FLIGHT = 10164;
/** JetStream API errors for "no room": maximum of bytes or of messages of the stream, storage or memory of the server. */
const NO_ROOM_CODES: ReadonlySet<number> = new Set([10077, 10047, 10028, 10023]);

const SWEEP_MS = 100;

interface Waiting {
  readonly deadline: number;
  readonly onAnswer: (answer: PublishAnswer) => void;
}

/** True for a refusal that ends when something is deleted or limits are raised. */
export function isNoRoom(answer: PublishAnswer): boolean {
  return answer.kind === 'refused' && NO_ROOM_CODES.has(answer.code);
}

/**
 * Sends messages to streams and hears of their answers: one subscription and one timer for all of them, which costs half
 * of what a request each costs. Answers that a lost connection took with it are `unanswered` at once. Never throws.
 */
export class AckedPublisher {
  readonly #connection: NatsConnection;
  readonly #inbox: string;
  readonly #waiting = new Map<string, Waiting>();
  readonly #unsubscribe: () => void;
  #count = 0;
  #isConnected = true;
  #sweeper: NodeJS.Timeout | undefined = undefined;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#inbox = createInbox();
    const subscription = connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#answer(message);
      },
    });
    this.#unsubscribe = () => subscription.unsubscribe();
    void this.#followConnection();
  }

  /** `onAnswer` is called once, later, after `timeoutMs` with `unanswered`. */
  send(
    publication: Publication,
    timeoutMs: number,
    onAnswer: (answer: PublishAnswer) => void,
  ): void {
    const id = String(this.#count++);
    const isSent = this.#isConnected && this.#publish(publication, `${this.#inbox}.${id}`);
    // What cannot be sent now waits for the next sweep: whoever sends it again need not wait by himself.
    const deadline = isSent ? performance.now() + timeoutMs : 0;
    this.#waiting.set(id, { deadline, onAnswer });
    this.#sweeper ??= setTimeout(() => this.#sweep(), SWEEP_MS);
  }

  publish(publication: Publication, timeoutMs: number): Promise<PublishAnswer> {
    return new Promise((resolve) => this.send(publication, timeoutMs, resolve));
  }

  /** Everything under way is `unanswered`. */
  close(): void {
    if (!this.#connection.isClosed()) this.#unsubscribe();
    this.#isConnected = false;
    this.#giveUp();
  }

  #publish(publication: Publication, reply: string): boolean {
    const header = headers();
    if (publication.expected !== undefined) {
      header.set('Nats-Expected-Last-Subject-Sequence', String(publication.expected));
    }
    if (publication.isDelete === true) header.set('KV-Operation', 'DEL');
    try {
      this.#connection.publish(publication.subject, publication.data, { reply, headers: header });
      return true;
    } catch {
      // Closed, or being closed.
      return false;
    }
  }

  #answer(message: Msg): void {
    const id = message.subject.slice(this.#inbox.length + 1);
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.onAnswer(answerOf(message));
  }

  #sweep(): void {
    this.#sweeper = undefined;
    const now = performance.now();
    for (const [id, { deadline, onAnswer }] of this.#waiting) {
      if (deadline > now) continue;
      this.#waiting.delete(id);
      onAnswer({ kind: 'unanswered' });
    }
    if (this.#waiting.size > 0) this.#sweeper ??= setTimeout(() => this.#sweep(), SWEEP_MS);
  }

  #giveUp(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { onAnswer } of waiting) onAnswer({ kind: 'unanswered' });
  }

  async #followConnection(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === 'disconnect') {
        this.#isConnected = false;
        this.#giveUp();
      } else if (type === 'reconnect') {
        this.#isConnected = true;
      }
    }
  }
}

interface AckText {
  readonly seq?: number;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

function answerOf(message: Msg): PublishAnswer {
  // No server takes the subject: the stream has no leader just now. It was not stored, and may be sent again.
  if (message.data.length === 0) return { kind: 'unanswered' };
  const { seq, error } = message.json<AckText>();
  if (error !== undefined) {
    const { err_code: code = 0, description: text = '' } = error;
    return { kind: 'refused', code: code === IN_FLIGHT ? WRONG_LAST_SEQUENCE : code, text };
  }
  return { kind: 'stored', revision: seq ?? 0 };
}
