import t from 'tap';
import { IdempotencyCache, requestFingerprint } from '../../src/http/idempotency.ts';
import type { Result } from '../../src/http/route.ts';

t.test('the same key and request is answered once and replayed with its types', async (t) => {
  const cache = new IdempotencyCache();
  let calls = 0;
  const execute = (): Result => {
    calls += 1;
    return {
      status: 201,
      etag: 4,
      location: '/x',
      body: { n: 2n ** 60n, bytes: Uint8Array.of(9) },
    };
  };
  const first = await cache.run('k', 'f', execute);
  const second = await cache.run('k', 'f', execute);
  t.equal(calls, 1);
  t.equal(first.replayed, false);
  t.equal(second.replayed, true);
  t.match(second.result, { status: 201, etag: 4, location: '/x', body: { n: 2n ** 60n } });
  t.strictSame([...(second.result.body as { bytes: Uint8Array }).bytes], [9]);
});

t.test('the same key with another request is refused', async (t) => {
  const cache = new IdempotencyCache();
  await cache.run('k', 'f', () => ({ status: 204 }));
  await t.rejects(
    cache.run('k', 'g', () => ({ status: 204 })),
    { code: 'IDEMPOTENCY_MISMATCH' },
  );
});

t.test('a duplicate waits for the first, also when the first fails', async (t) => {
  const cache = new IdempotencyCache();
  let finish: (result: Result) => void = () => undefined;
  const slow = new Promise<Result>((resolve) => {
    finish = resolve;
  });
  const first = cache.run('k', 'f', () => slow);
  const second = cache.run('k', 'f', () => {
    throw new Error('must not run');
  });
  await t.rejects(
    cache.run('k', 'other', () => slow),
    { code: 'IDEMPOTENCY_MISMATCH' },
  );
  finish({ status: 409, body: { title: 'vetoed' } });
  t.strictSame((await first).result, { status: 409, body: { title: 'vetoed' } });
  t.strictSame(await second, {
    result: { status: 409, body: { title: 'vetoed' } },
    replayed: true,
  });
  const broken = cache.run('b', 'f', () => Promise.reject(new Error('store is gone')));
  const waiting = cache.run('b', 'f', () => ({ status: 200 }));
  await t.rejects(broken, /store is gone/);
  await t.rejects(waiting, /store is gone/);
  t.equal((await cache.run('b', 'f', () => ({ status: 200 }))).replayed, false, 'nothing was kept');
});

t.test('"try again" answers are not kept', async (t) => {
  const cache = new IdempotencyCache();
  for (const status of [500, 503, 429]) {
    await cache.run('k', 'f', () => ({ status }));
    t.equal((await cache.run('k', 'f', () => ({ status }))).replayed, false, `${status}`);
  }
  t.equal(cache.size, 0);
});

t.test('keys of the wrong form are refused', async (t) => {
  const cache = new IdempotencyCache();
  for (const key of ['', 'x'.repeat(256), 'a\u0007', 'ü']) {
    await t.rejects(
      cache.run(key, 'f', () => ({ status: 200 })),
      { code: 'MALFORMED' },
    );
  }
  t.equal((await cache.run('x'.repeat(255), 'f', () => ({ status: 200 }))).replayed, false);
});

t.test('the least recently used answers are forgotten first', async (t) => {
  const cache = new IdempotencyCache();
  for (let i = 0; i < 1_000; i += 1) await cache.run(`k${i}`, 'f', () => ({ status: 200 }));
  await cache.run('k0', 'f', () => ({ status: 500 }));
  await cache.run('new', 'f', () => ({ status: 200 }));
  t.equal(cache.size, 1_000);
  t.equal((await cache.run('k0', 'f', () => ({ status: 200 }))).replayed, true, 'used lately');
  t.equal((await cache.run('k1', 'f', () => ({ status: 200 }))).replayed, false, 'oldest');
});

t.test('kept bodies are bounded in bytes', async (t) => {
  const cache = new IdempotencyCache();
  const megabytes = (n: number): Result => ({ status: 200, body: 'x'.repeat(n * 1024 * 1024) });
  await cache.run('a', 'f', () => megabytes(10));
  await cache.run('b', 'f', () => megabytes(10));
  t.equal(cache.size, 1, 'the second pushed the first out');
  await cache.run('huge', 'f', () => megabytes(17));
  t.equal((await cache.run('huge', 'f', () => megabytes(0))).replayed, false, 'too large to keep');
  t.equal((await cache.run('b', 'f', () => megabytes(0))).replayed, true);
});

t.test('clearing while a request runs forgets its answer', async (t) => {
  const cache = new IdempotencyCache();
  const running = cache.run('k', 'f', async () => {
    cache.clear();
    return { status: 200 };
  });
  t.equal((await running).result.status, 200);
  t.equal(cache.size, 0);
});

t.test('a fingerprint tells method, path and body apart, not representations', (t) => {
  const one = requestFingerprint('POST', '/v1/x', { a: 1 });
  t.equal(requestFingerprint('POST', '/v1/x', { a: 1 }), one);
  t.not(requestFingerprint('PUT', '/v1/x', { a: 1 }), one);
  t.not(requestFingerprint('POST', '/v1/y', { a: 1 }), one);
  t.not(requestFingerprint('POST', '/v1/x', { a: 2 }), one);
  t.not(requestFingerprint('POST', '/v1/x', undefined), one);
  t.end();
});
