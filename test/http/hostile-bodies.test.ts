import fc from 'fast-check';
import t from 'tap';
import { problemOf } from '../../src/http/problem.ts';
import { EXTENSION, MOF, openPlane, withPort } from './plane.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const PROPERTIES = '/v1/switches/s/ports/p/properties';

t.test('bodies too large are refused: 1 MiB, and 8 MiB for MOF and batches', async (t) => {
  const { call } = await openPlane(t);
  const huge = (bytes: number): string => JSON.stringify({ name: 'x'.repeat(bytes) });
  const refused = await call('POST', '/v1/switches', huge(1024 * 1024), JSON_TYPE);
  t.equal(refused.status, 413);
  t.equal(refused.body.type, 'urn:extswitch:error:TOO_LARGE');
  const mof = await call('POST', '/v1/features', '/'.repeat(8 * 1024 * 1024 + 1), {
    'content-type': 'text/plain',
  });
  t.equal(mof.status, 413);
  const nested = await call('POST', '/v1/features', '{'.repeat(5_000_000), {
    'content-type': 'text/plain',
  });
  t.equal(nested.status, 422, '5 MB of nesting reaches the compiler');
  t.equal(nested.body.type, 'urn:extswitch:error:MOF_INVALID');
});

t.test('UTF-16 MOF with BOM is taken as bytes', async (t) => {
  const { call } = await openPlane(t);
  const bytes = Buffer.from(`\ufeff${MOF}`, 'utf16le');
  const answer = await call('POST', '/v1/features?source=utf16.mof', bytes, {
    'content-type': 'text/plain; charset=utf-16',
  });
  t.equal(answer.status, 201);
  t.equal(answer.body.features.length, 4);
});

t.test('a rate limit answers 429 with Retry-After', async (t) => {
  const { call } = await openPlane(t, { rateLimit: { perSecond: 0.001, burst: 2 } });
  t.equal((await call('GET', '/v1/switches')).status, 200);
  t.equal((await call('GET', '/v1/switches')).status, 200);
  const refused = await call('GET', '/v1/switches');
  t.equal(refused.status, 429);
  t.equal(refused.headers['retry-after'], '1');
});

t.test(
  'an unexpected error is a 500 with an id that the log has, and nothing else of it',
  async (t) => {
    const plane = await openPlane(t);
    Object.defineProperty(plane.fabric, 'pending', {
      value: () => {
        throw new Error('the secret inside');
      },
    });
    const answer = await plane.call('GET', '/v1/sim/pending');
    t.equal(answer.status, 500);
    t.notMatch(JSON.stringify(answer.body), 'secret inside');
    t.match(answer.body, { type: 'urn:extswitch:error:INTERNAL', errorId: /.+/ });
    const line = plane.log.find((text) => text.includes(answer.body.errorId));
    t.match(line, 'the secret inside');
    const batch = await plane.call('POST', '/v1/batch', {
      operations: [{ method: 'GET', path: '/v1/sim/pending' }],
    });
    t.equal(batch.body.items[0].status, 500);
  },
);

t.test('an error of another copy of the package keeps its code; odd ones become 500', (t) => {
  const odd: unknown[] = [];
  const other = Object.assign(new Error('x'), { name: 'ExtSwitchError', code: 'NO_SUCH_CODE' });
  t.equal(problemOf(other, 'id', (error) => odd.push(error)).status, 500);
  t.equal(problemOf('text', 'id', (error) => odd.push(error)).status, 500);
  t.equal(odd.length, 2);
  const broken = Object.assign(new Error('aborted'), { statusCode: 400 });
  t.equal(problemOf(broken, 'id', () => t.fail('known')).status, 400);
  t.end();
});

t.test('requests are logged at debug without body and token', async (t) => {
  const plane = await openPlane(t, { logLevel: 'debug', token: 'hidden-token' });
  await plane.call(
    'POST',
    '/v1/switches',
    { name: 'hidden-name' },
    { authorization: 'Bearer hidden-token' },
  );
  const line = JSON.parse(plane.log.at(-1) ?? '{}');
  t.match(line, { method: 'POST', route: '/v1/switches', status: 201, msg: 'request' });
  t.notMatch(plane.log.join(''), 'hidden');
});

t.test('law: no body, path or query of any shape gives a 500', async (t) => {
  const plane = await openPlane(t);
  await withPort(plane);
  const routes = plane.app.plane.compiled.filter(({ route }) => route.produces === undefined);
  const word = fc.oneof(
    fc.constantFrom(
      's',
      'p',
      '0',
      '1',
      'default',
      EXTENSION,
      'Test_PortSetting',
      'Test_PortStatus',
    ),
    fc.string({ maxLength: 12 }),
  );
  const known = fc.constantFrom(
    'name',
    'type',
    'featureId',
    'feature',
    'settings',
    'id',
    'enabled',
    'order',
    'mof',
    'uint16',
    'operations',
    'atomic',
    'method',
    'path',
    'body',
    'index',
    'mac',
    'mtu',
    'seed',
    'profile',
    'snapshot',
    'SettingIntA',
    'SettingIntB',
    'Label',
    '__proto__',
    'constructor',
    'toString',
  );
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      word,
      fc.constantFrom(null, true, -1, 0, 1.5, 2 ** 53, 1e300, 'POST', '/v1/switches', PROPERTIES),
      fc.integer(),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(known, tie('node'), { maxKeys: 4 }),
    ),
  })).node;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(word, { minLength: 3, maxLength: 3 }),
      value,
      fc.dictionary(
        fc.constantFrom('limit', 'cursor', 'kind', 'oid', 'switch', 'source', 'x'),
        word,
        { maxKeys: 2 },
      ),
      fc.constantFrom(
        {},
        { 'if-match': '"1"' },
        { 'if-match': '*' },
        { 'idempotency-key': 'k' },
        { accept: 'application/msgpack' },
      ),
      async (n, words, body, query, headers) => {
        const { route } = routes[n % routes.length] as (typeof routes)[number];
        let i = 0;
        const path = route.path.replace(
          /\{[a-z]+\}/gi,
          () => encodeURIComponent(words[i++] ?? '') || 'x',
        );
        const search = new URLSearchParams(query).toString();
        const response = await plane.app.inject({
          method: route.method,
          url: `/v1${path}${search === '' ? '' : `?${search}`}`,
          headers: { ...JSON_TYPE, ...headers },
          ...(route.method === 'GET' ? {} : { payload: JSON.stringify(body) }),
        });
        return response.statusCode !== 500 && response.statusCode < 503;
      },
    ),
    { numRuns: 600 },
  );
  t.strictSame(
    plane.log.filter((line) => line.includes('unexpected error')),
    [],
  );
});

t.test('a route without a body takes {} for none, and refuses what says something', async (t) => {
  const { call } = await openPlane(t);
  await call('POST', '/v1/vms', { name: 'v' });
  t.equal((await call('POST', '/v1/vms/v/start', {})).status, 200);
  t.match(await call('POST', '/v1/vms/v/stop', { force: true }), {
    status: 400,
    body: { type: 'urn:extswitch:error:UNKNOWN_FIELD', member: 'force' },
  });
  t.equal((await call('POST', '/v1/vms/v/stop', [])).status, 400);
  t.equal((await call('POST', '/v1/vms/v/stop', '', JSON_TYPE)).status, 200, 'no bytes at all');
  const done = await call('POST', '/v1/batch', {
    operations: [{ method: 'POST', path: '/v1/vms/v/start', body: {} }],
  });
  t.match(done.body.items, [{ status: 200 }]);
});

t.test('the seed of a world may be a number: its digits are the text', async (t) => {
  const { call } = await openPlane(t);
  t.match(await call('POST', '/v1/worlds', { name: 'w', seed: 42 }), {
    status: 201,
    body: { seed: '42' },
  });
  t.match(await call('POST', '/v1/worlds', { seed: 1.5 }), {
    status: 400,
    body: { member: 'seed' },
  });
  t.match(await call('POST', '/v1/worlds', { seed: '' }), {
    status: 422,
    body: { member: 'seed' },
  });
});
