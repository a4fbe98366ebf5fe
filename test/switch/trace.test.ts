import fc from 'fast-check';
import t from 'tap';
import type { FilterModule } from '../../switch/filter-module.ts';
import { OidRequest, REQUEST_TYPE } from '../../switch/oid-request.ts';
import { drive, type MaybePromise, type Steps, settled } from '../../switch/steps.ts';
import { TraceRing } from '../../switch/trace.ts';

const PORT_CREATE = 0x10278;
const PORT_ARRAY = 0x10276;

/** A completed request with these bytes. */
function done(input: number, fill: number, output?: number): OidRequest {
  const isSet = output === undefined;
  const bytes = new Uint8Array(Math.max(input, output ?? 0)).fill(fill);
  const request = new OidRequest(
    isSet ? PORT_CREATE : PORT_ARRAY,
    0,
    isSet ? REQUEST_TYPE.set : REQUEST_TYPE.query,
    bytes,
    input,
    output ?? 0,
  );
  request.bytesWritten = output ?? 0;
  request.id = fill;
  request.issuedAt = fill * 10;
  request.status = 0;
  return request;
}

function ring(limit: number, byteLimit: number): TraceRing {
  let seq = 0;
  return new TraceRing(limit, byteLimit, () => {
    seq += 1;
    return seq;
  });
}

t.test('an entry has its numbers, its bytes and its route', (t) => {
  const trace = ring(10, 4096);
  t.equal(trace.firstSeq, 0);
  const request = done(5, 7);
  const module = (id: string): FilterModule => ({ id }) as FilterModule;
  const [a, b, c] = [module('a'), module('b'), module('c')] as const;
  request.modules = [a, b, c];
  request.origin = 0;
  request.stops = [
    { module: b, verdict: 'pend' },
    { module: b, verdict: 'forward' },
    { module: c, verdict: 'pend' },
  ];
  request.completedBy = c;
  request.status = 0xc000021b;
  const announced: number[] = [];
  trace.onRecord = (seq) => announced.push(seq);
  trace.record('sw', request);
  t.same(trace.entries(), [
    {
      seq: 1,
      request: 7,
      time: 70,
      switch: 'sw',
      oid: 'OID_SWITCH_PORT_CREATE',
      requestType: 'set',
      origin: 'a',
      route: [
        { module: 'b', verdict: 'pend' },
        { module: 'b', verdict: 'forward' },
        { module: 'c', verdict: 'pend' },
        { module: 'c', verdict: 'NDIS_STATUS_DATA_NOT_ACCEPTED' },
      ],
      status: 'NDIS_STATUS_DATA_NOT_ACCEPTED',
      input: Uint8Array.of(7, 7, 7, 7, 7),
    },
  ]);
  t.same(announced, [1]);
  t.equal(trace.recorded, 1);
  t.end();
});

t.test('a pend that was ended by the switch shows as pend, then forward', (t) => {
  const trace = ring(10, 4096);
  const request = done(1, 1);
  const module = { id: 'm' } as FilterModule;
  request.modules = [module];
  request.stops = [{ module, verdict: 'pend' }];
  trace.record('sw', request);
  t.same(trace.entries()[0]?.route, [
    { module: 'm', verdict: 'pend' },
    { module: 'm', verdict: 'forward' },
    { module: 'miniportEdge', verdict: 'NDIS_STATUS_SUCCESS' },
  ]);
  t.end();
});

t.test('filters: switch, oid, limit, afterSeq, untilSeq, and all of them', (t) => {
  const trace = ring(100, 8192);
  for (let i = 1; i <= 10; i += 1)
    trace.record(i % 2 === 0 ? 'even' : 'odd', done(1, i, i > 5 ? 1 : undefined));
  const seqs = (filter: Parameters<TraceRing['entries']>[0]): number[] =>
    trace.entries(filter).map(({ seq }) => seq);
  t.same(seqs({}), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  t.same(seqs({ switch: 'even' }), [2, 4, 6, 8, 10]);
  t.same(seqs({ oid: 'OID_SWITCH_PORT_ARRAY' }), [6, 7, 8, 9, 10]);
  t.same(seqs({ limit: 3 }), [8, 9, 10]);
  t.same(seqs({ limit: 0 }), []);
  t.same(seqs({ afterSeq: 8 }), [9, 10]);
  t.same(seqs({ untilSeq: 2 }), [1, 2]);
  t.same(seqs({ afterSeq: 3, untilSeq: 7 }), [4, 5, 6, 7]);
  t.same(seqs({ switch: 'odd', oid: 'OID_SWITCH_PORT_CREATE', untilSeq: 4, limit: 1 }), [3]);
  t.same(seqs({ switch: 'none' }), []);
  trace.clear();
  t.same(seqs({}), []);
  trace.record('odd', done(3, 1));
  t.same(seqs({}), [11]);
  t.equal(trace.recorded, 11);
  t.end();
});

t.test(
  'a payload larger than the ring leaves an entry without bytes, and the others in place',
  (t) => {
    const trace = ring(10, 4096);
    trace.record('sw', done(100, 1));
    trace.record('sw', done(4097, 2));
    trace.record('sw', done(4000, 3, 97));
    t.same(
      trace.entries().map(({ input, output }) => [input.length, output?.length]),
      [
        [100, undefined],
        [0, undefined],
        [0, 0],
      ],
    );
    trace.record('sw', done(4096, 4));
    t.same(
      trace.entries().map(({ seq, input }) => [seq, input.length]),
      [[4, 4096]],
      'one that fills the ring drops all older ones',
    );
    t.end();
  },
);

t.test('limits below one and below a page are raised to them', (t) => {
  const trace = ring(0, 0);
  trace.record('sw', done(1, 1));
  trace.record('sw', done(4096, 2));
  t.same(
    trace.entries().map(({ seq, input }) => [seq, input.length]),
    [[2, 4096]],
  );
  t.end();
});

t.test('bytes taken as words are the same bytes', (t) => {
  const trace = ring(10, 65_536);
  const memory = new ArrayBuffer(4096);
  for (const length of [1, 3, 4, 7, 1023, 1024, 1025, 2000]) {
    const bytes = new Uint8Array(memory);
    bytes.forEach((_, i) => {
      bytes[i] = i * 7;
    });
    const request = new OidRequest(PORT_CREATE, 0, REQUEST_TYPE.set, bytes, length, 0);
    request.words = new Uint32Array(memory).subarray(0, (length + 3) >>> 2);
    trace.record('sw', request);
    t.same(trace.entries({ limit: 1 })[0]?.input, bytes.slice(0, length));
  }
  t.equal(trace.entries().length, 8);
  // Words that are not just the input are not taken for it.
  const bytes = new Uint8Array(memory);
  const request = new OidRequest(PORT_CREATE, 0, REQUEST_TYPE.set, bytes, 100, 0);
  for (const count of [0, 24, 26, 1024]) {
    request.words = new Uint32Array(memory).subarray(0, count);
    trace.record('sw', request);
    t.same(trace.entries({ limit: 1 })[0]?.input, bytes.slice(0, 100));
  }
  t.end();
});

t.test(
  'against a plain array: whatever the sizes, the newest entries are there with their own bytes',
  (t) => {
    const size = fc.oneof(fc.nat(64), fc.nat(1500), fc.constantFrom(0, 1, 7, 8, 4096, 5000));
    fc.assert(
      fc.property(
        fc.array(fc.record({ input: size, output: fc.option(size, { nil: undefined }) }), {
          maxLength: 400,
        }),
        fc.constantFrom(1, 3, 64, 65, 200),
        fc.constantFrom(4096, 5000, 20_000, 50_000),
        (requests, limit, byteLimit) => {
          const trace = ring(limit, byteLimit);
          const roomLimit = Math.max(4096, byteLimit) & ~7;
          const all: { seq: number; input: number; output: number | undefined; fill: number }[] =
            [];
          let bytesHeld = 0;
          requests.forEach(({ input, output }, i) => {
            const fill = (i % 250) + 1;
            trace.record('sw', done(input, fill, output));
            const up8 = (n: number): number => (n + 7) & ~7;
            const isKept = up8(input) + up8(output ?? 0) <= roomLimit;
            all.push({
              seq: i + 1,
              input: isKept ? input : 0,
              output: output === undefined ? undefined : isKept ? output : 0,
              fill,
            });
            bytesHeld += isKept ? Math.max(8, up8(input) + up8(output ?? 0)) : 8;
          });
          const entries = trace.entries();
          // A suffix of what was recorded, the newest always, at most `limit`, everything when it fits.
          const expected = entries.length === 0 ? [] : all.slice(-entries.length);
          const found = entries.map((entry) => ({
            seq: entry.seq,
            input: entry.input.length,
            output: entry.output?.length,
            fill: entry.request,
          }));
          t.strictSame(found, expected);
          if (entries.length > limit) return false;
          if (requests.length > 0 && entries.length === 0) return false;
          if (
            requests.length <= limit &&
            bytesHeld <= roomLimit &&
            entries.length < requests.length
          )
            return false;
          if (trace.firstSeq !== (entries[0]?.seq ?? 0)) return false;
          return entries.every(
            ({ request, input, output }) =>
              input.every((byte) => byte === request) &&
              (output === undefined || output.every((byte) => byte === request)),
          );
        },
      ),
      { numRuns: 60 },
    );
    t.end();
  },
);

// --- steps ---------------------------------------------------------------------------------------------------------

function* adding(values: readonly MaybePromise<number>[]): Steps<number> {
  let sum = 0;
  for (const value of values) sum += yield* settled(value);
  return sum;
}

t.test('steps without a promise are done at once; with one they give a promise', async (t) => {
  t.equal(drive(adding([1, 2, 3])), 6);
  t.equal(drive(adding([])), 0);
  const later = drive(adding([1, Promise.resolve(2), 3, Promise.resolve(4)]));
  t.ok(later instanceof Promise);
  t.equal(await later, 10);
});

t.test(
  'steps that throw throw at once; a rejection arrives inside them and can be caught there',
  async (t) => {
    t.throws(
      () =>
        drive(
          (function* (): Steps<number> {
            if (Date.now() > 0) throw new Error('at once');
            return yield* settled(1);
          })(),
        ),
      /at once/,
    );
    await t.rejects(Promise.resolve(drive(adding([1, Promise.reject(new Error('late'))]))), /late/);
    const caught = drive(
      (function* (): Steps<string> {
        try {
          yield* settled(Promise.reject(new Error('inner')));
        } catch (error) {
          const more = yield* settled(Promise.resolve('!'));
          return `${(error as Error).message}${more}`;
        }
        return 'nothing';
      })(),
    );
    t.equal(await caught, 'inner!');
  },
);
