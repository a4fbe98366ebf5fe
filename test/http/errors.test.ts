import fc from 'fast-check';
import t from 'tap';
import { problemOf } from '../../src/http/problem.ts';
import { EXTENSION, MOF, openPlane, withPort } from './plane.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const PROPERTIES = '/v1/switches/s/ports/p/properties';

t.test('each kind of wrong request has its own status, code and place', async (t) => {
  const plane = await openPlane(t, { token: 'secret' });
  const auth = { authorization: 'Bearer secret' };
  const call: typeof plane.call = (method, path, body, headers) =>
    plane.call(method, path, body, { ...auth, ...headers });
  await withPort({ ...plane, call });
  const added = await call('POST', PROPERTIES, { feature: 'Test_PortSetting' });
  const property = `${PROPERTIES}/${added.body.id}`;
  const long = 'x'.repeat(300);
  const setting = (settings: unknown) => ({ feature: 'Test_PortSetting', settings });
  const cases: readonly [
    what: string,
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
    status: number,
    code: string,
    place?: object,
  ][] = [
    ['no token', 'GET', '/v1/switches', undefined, { authorization: '' }, 401, 'UNAUTHORIZED'],
    [
      'wrong token',
      'GET',
      '/v1/switches',
      undefined,
      { authorization: 'Bearer x' },
      401,
      'UNAUTHORIZED',
    ],
    [
      'foreign Host',
      'GET',
      '/v1/switches',
      undefined,
      { host: 'evil.example' },
      403,
      'FORBIDDEN',
      { member: 'Host' },
    ],
    [
      'foreign page',
      'POST',
      '/v1/switches',
      { name: 'x' },
      { origin: 'https://evil.example' },
      403,
      'FORBIDDEN',
      { member: 'Origin' },
    ],
    ['unknown path', 'GET', '/v1/nothing', undefined, {}, 404, 'NOT_FOUND'],
    ['no version', 'GET', '/switches', undefined, {}, 404, 'NOT_FOUND'],
    ['wrong method', 'PUT', '/v1/switches', {}, {}, 405, 'METHOD_NOT_ALLOWED'],
    [
      'wrong method in a world',
      'PUT',
      '/worlds/default/v1/switches',
      {},
      {},
      405,
      'METHOD_NOT_ALLOWED',
    ],
    ['broken escape', 'GET', '/v1/switches/%zz', undefined, {}, 400, 'MALFORMED'],
    [
      'too long a name in the path',
      'GET',
      `/v1/switches/${long}`,
      undefined,
      {},
      400,
      'MALFORMED',
      { member: 'switch' },
    ],
    [
      'unacceptable',
      'GET',
      '/v1/switches',
      undefined,
      { accept: 'text/html' },
      406,
      'NOT_ACCEPTABLE',
    ],
    [
      'form body',
      'POST',
      '/v1/switches',
      'name=s',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'text where JSON is due',
      'POST',
      '/v1/switches',
      'name',
      { 'content-type': 'text/plain' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'body without a type',
      'POST',
      '/v1/switches',
      'name',
      { 'content-type': '' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'foreign charset',
      'POST',
      '/v1/switches',
      '{}',
      { 'content-type': 'application/json; charset=latin1' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'compressed',
      'POST',
      '/v1/switches',
      '{}',
      { ...JSON_TYPE, 'content-encoding': 'gzip' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'broken JSON',
      'POST',
      '/v1/switches',
      '{"name":}',
      JSON_TYPE,
      400,
      'MALFORMED',
      { line: 1, column: 9 },
    ],
    [
      'broken MessagePack',
      'POST',
      '/v1/switches',
      Buffer.from([0xc1]),
      { 'content-type': 'application/msgpack' },
      400,
      'MALFORMED',
      { offset: 0 },
    ],
    ['no body', 'POST', '/v1/switches', undefined, {}, 400, 'MALFORMED'],
    ['no MOF', 'POST', '/v1/features', undefined, {}, 400, 'MALFORMED'],
    ['body where none is due', 'DELETE', '/v1/switches/none', {}, {}, 400, 'MALFORMED'],
    [
      'JSON that is no object',
      'POST',
      '/v1/switches',
      '[]',
      JSON_TYPE,
      400,
      'MALFORMED',
      { found: 'array' },
    ],
    ['null', 'POST', '/v1/switches', 'null', JSON_TYPE, 400, 'MALFORMED'],
    ['missing field', 'POST', '/v1/switches', {}, {}, 400, 'MALFORMED', { member: 'name' }],
    [
      'wrong type',
      'POST',
      '/v1/switches',
      { name: 5 },
      {},
      400,
      'MALFORMED',
      { member: 'name', found: 'number' },
    ],
    [
      'unknown field',
      'POST',
      '/v1/switches',
      { name: 'x', nmae: 1 },
      {},
      400,
      'UNKNOWN_FIELD',
      { member: 'nmae' },
    ],
    [
      'unknown query parameter',
      'GET',
      '/v1/switches?limt=1',
      undefined,
      {},
      400,
      'UNKNOWN_FIELD',
      { member: 'limt' },
    ],
    [
      'query where none is due',
      'GET',
      '/v1/switches/s?x=1',
      undefined,
      {},
      400,
      'UNKNOWN_FIELD',
      { member: 'x' },
    ],
    [
      'query parameter twice',
      'GET',
      '/v1/switches?limit=1&limit=2',
      undefined,
      {},
      400,
      'MALFORMED',
      { member: 'limit' },
    ],
    [
      'limit 0',
      'GET',
      '/v1/switches?limit=0',
      undefined,
      {},
      400,
      'MALFORMED',
      { member: 'limit' },
    ],
    [
      'limit 1001',
      'GET',
      '/v1/switches?limit=1001',
      undefined,
      {},
      400,
      'MALFORMED',
      { member: 'limit' },
    ],
    [
      'limit 1e2',
      'GET',
      '/v1/switches?limit=1e2',
      undefined,
      {},
      400,
      'MALFORMED',
      { member: 'limit' },
    ],
    [
      'foreign cursor',
      'GET',
      '/v1/switches?cursor=abc',
      undefined,
      {},
      400,
      'MALFORMED',
      { member: 'cursor' },
    ],
    [
      'outside an enumeration',
      'POST',
      '/v1/switches',
      { name: 'x', type: 'public' },
      {},
      422,
      'INVALID_ARGUMENT',
      { member: 'type' },
    ],
    [
      'too long a name',
      'POST',
      '/v1/switches',
      { name: long },
      {},
      422,
      'INVALID_ARGUMENT',
      { member: 'name' },
    ],
    [
      'bad world name',
      'POST',
      '/v1/worlds',
      { name: '../x' },
      {},
      422,
      'INVALID_ARGUMENT',
      { member: 'name' },
    ],
    ['unknown switch', 'GET', '/v1/switches/none', undefined, {}, 404, 'NOT_FOUND'],
    [
      'unknown port',
      'POST',
      '/v1/switches/s/ports/none/properties',
      setting({}),
      {},
      404,
      'NOT_FOUND',
    ],
    [
      'unknown port number',
      'GET',
      '/v1/switches/s/ports/4294967295',
      undefined,
      {},
      404,
      'NOT_FOUND',
    ],
    ['unknown NIC', 'GET', '/v1/switches/s/ports/p/nics/7', undefined, {}, 404, 'NOT_FOUND'],
    ['unknown feature', 'GET', '/v1/features/none', undefined, {}, 404, 'NOT_FOUND'],
    [
      'unknown extension',
      'PATCH',
      '/v1/switches/s/extensions/none',
      { enabled: true },
      {},
      404,
      'NOT_FOUND',
    ],
    [
      'unknown property',
      'GET',
      `${PROPERTIES}/00000000-0000-0000-0000-000000000001`,
      undefined,
      {},
      404,
      'NOT_FOUND',
    ],
    ['property that is no GUID', 'DELETE', `${PROPERTIES}/x`, undefined, {}, 404, 'NOT_FOUND'],
    [
      'nobody answers',
      'GET',
      '/v1/switches/s/ports/p/status/00000000-0000-0000-0000-000000000001',
      undefined,
      {},
      404,
      'NO_FEATURE_STATUS',
      { ndisStatus: 'NDIS_STATUS_NOT_SUPPORTED' },
    ],
    ['two switches of one name', 'POST', '/v1/switches', { name: 's' }, {}, 409, 'ALREADY_EXISTS'],
    [
      'feature in use',
      'DELETE',
      '/v1/features/Test_PortSetting',
      undefined,
      {},
      409,
      'FEATURE_IN_USE',
    ],
    [
      'veto',
      'POST',
      PROPERTIES,
      setting({ SettingIntA: 666 }),
      {},
      409,
      'VETOED',
      {
        ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED',
        extensionId: EXTENSION,
        oid: 'OID_SWITCH_PORT_PROPERTY_ADD',
      },
    ],
    [
      'vetoed update',
      'PUT',
      property,
      { settings: { SettingIntA: 666 } },
      {},
      409,
      'VETOED',
      { oid: 'OID_SWITCH_PORT_PROPERTY_UPDATE' },
    ],
    [
      'property id taken',
      'POST',
      PROPERTIES,
      { ...setting({}), id: added.body.id },
      {},
      409,
      'ALREADY_EXISTS',
    ],
    [
      'stale If-Match',
      'PUT',
      property,
      { settings: {} },
      { 'if-match': '"9"' },
      412,
      'STALE_REVISION',
    ],
    [
      'stale If-Match on DELETE',
      'DELETE',
      property,
      undefined,
      { 'if-match': 'W/"1"' },
      412,
      'STALE_REVISION',
    ],
    [
      'If-Match that is no tag',
      'PUT',
      property,
      { settings: {} },
      { 'if-match': '1' },
      400,
      'MALFORMED',
      { member: 'If-Match' },
    ],
    [
      'neither featureId nor feature',
      'POST',
      PROPERTIES,
      { settings: {} },
      {},
      400,
      'MALFORMED',
      { member: 'featureId' },
    ],
    [
      'featureId that is no GUID',
      'POST',
      PROPERTIES,
      { featureId: 'x' },
      {},
      422,
      'INVALID_ARGUMENT',
      { member: 'featureId' },
    ],
    [
      'unknown member',
      'POST',
      PROPERTIES,
      setting({ SettingIntC: 1 }),
      {},
      422,
      'SETTINGS_INVALID',
      { member: 'SettingIntC' },
    ],
    [
      'out of range',
      'POST',
      PROPERTIES,
      setting({ SettingIntA: 2 ** 32 }),
      {},
      422,
      'SETTINGS_INVALID',
      { member: 'SettingIntA' },
    ],
    [
      '2^64',
      'POST',
      PROPERTIES,
      setting({ SettingIntB: '18446744073709551616' }),
      {},
      422,
      'SETTINGS_INVALID',
      { member: 'SettingIntB' },
    ],
    [
      '2^64 as a literal',
      'POST',
      PROPERTIES,
      '{"feature":"Test_PortSetting","settings":{"SettingIntB":18446744073709551616}}',
      JSON_TYPE,
      422,
      'SETTINGS_INVALID',
      { member: 'SettingIntB' },
    ],
    [
      'wrong setting type',
      'POST',
      PROPERTIES,
      setting({ SettingIntA: 'x' }),
      {},
      422,
      'SETTINGS_INVALID',
      { member: 'SettingIntA' },
    ],
    [
      'too long for MaxLen',
      'POST',
      PROPERTIES,
      setting({ Label: 'x'.repeat(21) }),
      {},
      422,
      'SETTINGS_INVALID',
      { member: 'Label' },
    ],
    [
      'lone surrogate',
      'POST',
      PROPERTIES,
      '{"feature":"Test_PortSetting","settings":{"Label":"\\ud800"}}',
      JSON_TYPE,
      422,
      'SETTINGS_INVALID',
      { member: 'Label' },
    ],
    [
      'switch feature on a port',
      'POST',
      PROPERTIES,
      { feature: 'Test_SwitchSetting' },
      {},
      422,
      'INVALID_ARGUMENT',
      { rule: 'E54' },
    ],
    [
      'MOF error',
      'POST',
      '/v1/features',
      'class X {\n  uint32 }',
      { 'content-type': 'text/plain' },
      422,
      'MOF_INVALID',
      { line: 2 },
    ],
    [
      'MOF error in JSON',
      'POST',
      '/v1/features',
      { mof: 'clas X', source: 'a.mof' },
      {},
      422,
      'MOF_INVALID',
      { line: 1, column: 1 },
    ],
    [
      'named snapshot',
      'POST',
      '/v1/sim/reset',
      { snapshot: 'a' },
      {},
      422,
      'INVALID_ARGUMENT',
      { member: 'snapshot' },
    ],
    ['bad event id', 'GET', '/v1/events?lastEventId=abc', undefined, {}, 400, 'MALFORMED'],
    [
      'events as JSON',
      'GET',
      '/v1/events',
      undefined,
      { accept: 'application/json' },
      406,
      'NOT_ACCEPTABLE',
    ],
    [
      'bad Idempotency-Key',
      'POST',
      '/v1/switches',
      { name: 'k' },
      { 'idempotency-key': 'x'.repeat(256) },
      400,
      'MALFORMED',
      { member: 'Idempotency-Key' },
    ],
  ];
  const before = JSON.stringify([...plane.fabric.switches.list()]);
  for (const [what, method, path, body, headers, status, code, place = {}] of cases) {
    const answer = await call(method, path, body, headers);
    t.equal(answer.status, status, `${what}: ${answer.body?.detail}`);
    t.match(
      answer.body,
      { type: `urn:extswitch:error:${code}`, title: String, detail: String, ...place },
      what,
    );
    t.equal(answer.headers['cache-control'], 'no-store', what);
  }
  t.equal(JSON.stringify([...plane.fabric.switches.list()]), before, 'nothing changed');
  t.equal((await call('GET', property)).body.revision, 1, 'nothing changed');
  const allowed = await call('PUT', '/v1/switches', {});
  t.equal(allowed.headers['allow'], 'POST, GET');
  const unauthorized = await plane.call('GET', '/v1/switches');
  t.match(unauthorized.headers['www-authenticate'], /^Bearer/);
  t.notMatch(plane.log.join(''), 'secret', 'tokens are not logged');
});

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
