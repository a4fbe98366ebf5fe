import { randomUUID } from 'node:crypto';
import { type JetStreamClient, StorageType } from '@nats-io/jetstream';
import { Objm } from '@nats-io/obj';
import { nanos } from '@nats-io/transport-node';
import { ExtSwitchError } from '../core/errors.ts';
import { ObjectBytes } from './object-bytes.ts';

/** What nobody fetched goes away by itself after this long, in milliseconds. */
const KEPT_MS = 60 * 60 * 1000;
const ATTEMPTS = 4;
const RETRY_MS = 50;
/** Until the servers have answered an attempt. */
const ATTEMPT_MS = 10_000;

/**
 * Bodies too large for a message: left in an object store of their own, fetched once and removed. A store of its own, since the server
 * sweeps what was never fetched, and parts that were left behind.
 */
export class Parcels {
  readonly #jetStream: JetStreamClient;
  readonly #bucket: string;
  readonly #replicas: number;
  #opened: Promise<ObjectBytes> | undefined;

  constructor(jetStream: JetStreamClient, cluster: string, replicas: number) {
    this.#jetStream = jetStream;
    this.#bucket = `${cluster}-parcels`;
    this.#replicas = replicas;
  }

  /** Leaves a copy of `bytes`; gives the name to fetch it by. */
  async leave(bytes: Uint8Array): Promise<string> {
    const name = randomUUID();
    const store = await this.#store();
    await store.put(name, name, bytes, ATTEMPT_MS);
    return name;
  }

  /** Throws `HOST_UNREACHABLE` when it is not there (any more), or does not come. */
  async fetch(name: string): Promise<Uint8Array> {
    let why = 'the other host has given up, or left it more than an hour ago';
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      try {
        const store = await this.#store();
        const bytes = await store.get(name, performance.now() + ATTEMPT_MS);
        if (bytes !== undefined) return bytes;
      } catch (error) {
        why = String(error);
      }
      await new Promise((resolve) => setTimeout(resolve, attempt * RETRY_MS));
    }
    throw new ExtSwitchError(
      'HOST_UNREACHABLE',
      `parcel ${name} cannot be fetched from ${this.#bucket}: ${why}`,
      { found: name },
    );
  }

  /** Never throws: what stays is swept by the server. */
  async drop(name: string): Promise<void> {
    try {
      await (await this.#store()).remove(name, name);
    } catch {
      // Swept.
    }
  }

  #store(): Promise<ObjectBytes> {
    if (this.#opened !== undefined) return this.#opened;
    const opened = this.#open();
    this.#opened = opened;
    opened.catch(() => {
      this.#opened = undefined;
    });
    return opened;
  }

  async #open(): Promise<ObjectBytes> {
    const objects = new Objm(this.#jetStream);
    try {
      await objects.open(this.#bucket);
    } catch {
      await objects.create(this.#bucket, {
        description: 'extswitch: large messages between hosts',
        ttl: nanos(KEPT_MS),
        storage: StorageType.File,
        replicas: this.#replicas,
      });
    }
    const manager = await this.#jetStream.jetstreamManager(false);
    return new ObjectBytes(this.#jetStream, manager, this.#bucket);
  }
}
