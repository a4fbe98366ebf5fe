import type { Msg, NatsConnection } from '@nats-io/transport-node';
import t from 'tap';
import { sealEnvelope } from '../../src/cluster/message-envelope.ts';
import { Messages, type MessagesOptions } from '../../src/cluster/messages.ts';
import { ParcelWaits } from '../../src/cluster/parcel-waits.ts';
import { ExtSwitchError } from '../../src/core/errors.ts';

/*
 * Parcels whose servers do not answer: whoever waits for one learns that the other host is gone, or that this one is host no more, long
 * before his own time is over.
 */

const never = new Promise<never>(() => undefined);
const LONG_MS = 600_000;

t.test('a wait gives what comes, what fails, and a timeout', async (t) => {
  const waits = new ParcelWaits();
  const isGone = () => false;
  t.equal(await waits.during(Promise.resolve(7), LONG_MS, isGone, 0), 7);
  await t.rejects(waits.during(Promise.reject(new Error('swept')), LONG_MS, isGone, 0), /swept/);
  await t.rejects(waits.during(never, 1, isGone, 0), { name: 'TimeoutError' });
});

t.test('a wait for a host that goes ends after its grace, others go on', async (t) => {
  const waits = new ParcelWaits();
  let isGone = false;
  let give: (value: string) => void = () => undefined;
  const late = new Promise<string>((resolve) => {
    give = resolve;
  });
  const gone = waits.during(never, LONG_MS, () => isGone, 5);
  const inGrace = waits.during(late, LONG_MS, () => isGone, LONG_MS);
  const other = waits.during(late, LONG_MS, () => false, 0);
  waits.lookAround();
  isGone = true;
  waits.lookAround();
  waits.lookAround();
  await t.rejects(gone, /it went away, and its parcel does not come/);
  give('came');
  t.equal(await inGrace, 'came', 'what was on its way still comes');
  t.equal(await other, 'came');
});

interface Scene {
  readonly messages: Messages;
  readonly epochs: Map<string, number>;
  readonly lost: AbortController;
  /** Hosts came or went. */
  changed(): void;
  /** What this host hears; settles with its answer. */
  hear(service: string, question: Parameters<typeof sealEnvelope>[0]): Promise<string>;
}

/** Host `a` of epoch 1 on a connection to nobody, with servers that neither take nor give a parcel. */
function scene(): Scene {
  const epochs = new Map([['b', 2]]);
  const lost = new AbortController();
  let changed = (): void => undefined;
  let hear: (error: Error | null, message: Msg) => void = () => undefined;
  const connection = {
    info: { max_payload: 16 },
    publish: () => undefined,
    subscribe: (subject: string, { callback }: { callback: typeof hear }) => {
      if (subject.includes('.ask.')) hear = callback;
      return { unsubscribe: () => undefined };
    },
    closed: () => never,
    isClosed: () => false,
  };
  const options: MessagesOptions = {
    connection: connection as unknown as NatsConnection,
    cluster: 'lab',
    host: 'a',
    epoch: 1,
    parcels: { leave: () => never, fetch: () => never, drop: async () => undefined },
    epochOf: (host) => epochs.get(host),
    others: () => [...epochs.keys()],
    subscribe: (listener) => {
      changed = listener;
      return () => undefined;
    },
    isHolding: () => true,
    lost: lost.signal,
    log: () => undefined,
  };
  return {
    messages: new Messages(options),
    ...{ epochs, lost },
    changed: () => changed(),
    hear: (service, question) =>
      new Promise((resolve) => {
        const respond = (answer: Uint8Array) => {
          resolve(new TextDecoder().decode(answer));
          return true;
        };
        const subject = `lab.ask.a.1.${service}`;
        hear(null, { subject, data: sealEnvelope(question), respond } as unknown as Msg);
      }),
  };
}

const LARGE = new Uint8Array(64);

t.test('a question too large for a message, its host goes away: HOST_UNREACHABLE', async (t) => {
  const { messages, epochs, changed } = scene();
  const asked = messages.ask('b', 'echo', LARGE, LONG_MS);
  // It waits for its turn first.
  await new Promise((resolve) => setTimeout(resolve, 1));
  changed();
  epochs.delete('b');
  changed();
  await t.rejects(asked, { code: 'HOST_UNREACHABLE', message: /"b": it went away/ });
  messages.close();
});

t.test('a parcel is being left when this host is host no more, or is closed', async (t) => {
  const first = scene();
  const asked = first.messages.ask('b', 'echo', LARGE, LONG_MS);
  await new Promise((resolve) => setTimeout(resolve, 1));
  first.lost.abort(new ExtSwitchError('LEASE_LOST', 'another process is host "a"'));
  await t.rejects(asked, { code: 'LEASE_LOST' });
  const second = scene();
  const closing = second.messages.ask('b', 'echo', LARGE, LONG_MS);
  await new Promise((resolve) => setTimeout(resolve, 1));
  second.messages.close();
  await t.rejects(closing, { code: 'HOST_UNREACHABLE', message: /this host was closed/ });
});

t.test(
  'a question whose parcel does not come, its asker starts again: nobody is served',
  async (t) => {
    const { messages, epochs, changed, hear } = scene();
    messages.serve('echo', async () => t.fail('served') as never);
    const answered = hear('echo', { from: 'b', epoch: 2, id: 0, open: 0, parcel: 'p' });
    changed();
    epochs.set('b', 3);
    changed();
    t.match(await answered, 'it went away, and its parcel does not come');
    messages.close();
  },
);
