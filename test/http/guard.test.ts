import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import t from 'tap';
import { Guard } from '../../src/http/guard.ts';
import { assertBindable, HostCheck, isLoopback } from '../../src/http/host-names.ts';
import { escapeLabel, Metrics } from '../../src/http/metrics.ts';
import { RateLimiter } from '../../src/http/rate-limit.ts';

type Socket = IncomingMessage['socket'];
const socket = (address = '127.0.0.1'): Socket =>
  Object.assign(new EventEmitter(), { remoteAddress: address }) as unknown as Socket;
const request = (headers: Record<string, string>, url = '/v1/switches'): IncomingMessage =>
  ({
    headers: { host: '127.0.0.1:4630', ...headers },
    url,
    socket: socket(),
  }) as unknown as IncomingMessage;

t.test('loopback is 127.0.0.0/8, ::1 and localhost, nothing else', (t) => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', '[::1]', 'localhost', 'LOCALHOST']) {
    t.ok(isLoopback(host), host);
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', 'localhost.example', '']) {
    t.notOk(isLoopback(host), host);
  }
  t.end();
});

t.test('a reachable address without a token is refused, with one it is not', (t) => {
  t.throws(() => assertBindable('0.0.0.0', undefined), { code: 'USAGE', message: /bearer token/ });
  t.throws(() => assertBindable('::', ''), { code: 'USAGE' });
  t.doesNotThrow(() => assertBindable('0.0.0.0', 'secret'));
  t.doesNotThrow(() => assertBindable('127.0.0.1', undefined));
  t.end();
});

t.test('on loopback only loopback names and configured ones pass as Host', (t) => {
  const check = new HostCheck({ host: '127.0.0.1', allowedHosts: ['build.example'] });
  for (const host of [
    '127.0.0.1',
    '127.0.0.1:80',
    'localhost:4630',
    '[::1]:1',
    'Build.example:9',
  ]) {
    t.ok(check.allows(host), host);
    t.ok(check.allows(host), `${host} again`);
  }
  for (const host of [
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    '10.1.1.1',
    'localhost:x',
    'a b',
  ]) {
    t.notOk(check.allows(host), String(host));
  }
  t.end();
});

t.test(
  'on a reachable address every address and the own name pass as Host, other names do not',
  (t) => {
    const check = new HostCheck({ host: '0.0.0.0', allowedHosts: [] });
    for (const host of ['10.1.1.1:4630', '[fe80::1]:1', 'localhost', `${hostname()}:80`]) {
      t.ok(check.allows(host), host);
    }
    t.notOk(check.allows('rebound.example:4630'));
    t.end();
  },
);

t.test('requests of pages: own origin passes, others are refused', (t) => {
  const guard = new Guard({ allowedOrigins: ['http://localhost:3000'] });
  const code = (headers: Record<string, string>): string | undefined =>
    guard.check(request(headers), 0)?.code;
  t.equal(code({}), undefined);
  t.equal(code({ origin: 'http://127.0.0.1:4630' }), undefined);
  t.equal(code({ origin: 'http://localhost:3000', 'sec-fetch-site': 'cross-site' }), undefined);
  t.equal(code({ 'sec-fetch-site': 'same-origin' }), undefined);
  t.equal(code({ origin: 'http://127.0.0.1:9999' }), 'FORBIDDEN');
  t.equal(code({ origin: 'https://evil.example' }), 'FORBIDDEN');
  t.equal(code({ origin: 'null' }), 'FORBIDDEN');
  t.equal(code({ 'sec-fetch-site': 'cross-site' }), 'FORBIDDEN');
  t.equal(code({ host: 'evil.example' }), 'FORBIDDEN');
  t.end();
});

t.test('a bearer token is needed everywhere but for /healthz and /readyz', (t) => {
  const guard = new Guard({ token: 'correct horse' });
  const code = (authorization: string | undefined, url?: string): string | undefined =>
    guard.check(request(authorization === undefined ? {} : { authorization }, url), 0)?.code;
  t.equal(code('Bearer correct horse'), undefined);
  t.equal(code('bearer correct horse'), undefined);
  for (const wrong of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer correct horsE',
    'Basic correct horse',
    'correct horse',
  ]) {
    t.equal(code(wrong), 'UNAUTHORIZED', String(wrong));
  }
  t.equal(code(undefined, '/healthz'), undefined);
  t.equal(code(undefined, '/readyz'), undefined);
  t.equal(code(undefined, '/metrics'), 'UNAUTHORIZED');
  t.equal(code(undefined, '/openapi.json'), 'UNAUTHORIZED');
  t.equal(code(undefined, '/healthz/../v1/switches'), 'UNAUTHORIZED');
  t.end();
});

t.test('an address empties its bucket, waits, and may go on', (t) => {
  const limiter = new RateLimiter({ perSecond: 2, burst: 3 });
  const a = socket('10.0.0.1');
  for (let i = 0; i < 3; i += 1) t.equal(limiter.take(a, 0), 0);
  t.equal(limiter.take(a, 0), 1);
  t.equal(limiter.take(socket('10.0.0.1'), 0), 1, 'another connection of the same address');
  t.equal(limiter.take(socket('10.0.0.2'), 0), 0, 'another address');
  t.equal(limiter.take(a, 500), 0);
  t.equal(limiter.take(a, 500), 1);
  for (let i = 0; i < 3; i += 1) t.equal(limiter.take(a, 1_000_000), 0);
  t.equal(limiter.take(a, 1_000_000), 1, 'no more than the burst, however long it waited');
  t.equal(new RateLimiter({ perSecond: 0, burst: 0 }).take(a, 0), 0, '0 turns it off');
  t.end();
});

t.test('remembered addresses are bounded: the oldest is forgotten', (t) => {
  const limiter = new RateLimiter({ perSecond: 0.001, burst: 1 });
  t.equal(limiter.take(socket('first'), 0), 0);
  t.ok(limiter.take(socket('first'), 0) > 0);
  for (let i = 0; i < 10_000; i += 1) limiter.take(socket(`other ${i}`), 0);
  t.equal(limiter.take(socket('first'), 0), 0);
  t.end();
});

t.test('metrics are Prometheus text with escaped labels and cumulative buckets', (t) => {
  t.equal(escapeLabel('a\\b"c\nd'), 'a\\\\b\\"c\\nd');
  const metrics = new Metrics([{ method: 'GET', path: '/v1/x' }]);
  metrics.record(0, 200, 0.2);
  metrics.record(0, 200, 30);
  metrics.record(0, 404, 10_000);
  metrics.record(metrics.unmatched, 404, 1);
  const text = metrics.text(
    [{ name: 'extswitch_worlds', help: 'Worlds.', type: 'gauge', value: 2 }],
    [
      {
        name: 'default',
        counters: { oidRequests_total: 7, ports: 3, vms: 3, vms_off: 1, vms_running: 2 },
      },
      {
        name: 'w"1',
        counters: { oidRequests_total: 1, ports: 0, vms: 0, vms_off: 0, vms_running: 0 },
      },
    ],
  );
  const lines = text.split('\n');
  for (const line of [
    '# TYPE extswitch_worlds gauge',
    'extswitch_worlds 2',
    'extswitch_http_requests_total{method="GET",route="/v1/x",status="200"} 2',
    'extswitch_http_requests_total{method="GET",route="/v1/x",status="404"} 1',
    'extswitch_http_requests_total{method="none",route="unmatched",status="404"} 1',
    'extswitch_http_request_duration_seconds_bucket{method="GET",route="/v1/x",le="0.0001"} 0',
    'extswitch_http_request_duration_seconds_bucket{method="GET",route="/v1/x",le="0.00025"} 1',
    'extswitch_http_request_duration_seconds_bucket{method="GET",route="/v1/x",le="0.1"} 2',
    'extswitch_http_request_duration_seconds_bucket{method="GET",route="/v1/x",le="+Inf"} 3',
    'extswitch_http_request_duration_seconds_count{method="GET",route="/v1/x"} 3',
    'extswitch_world_oid_requests_total{world="default"} 7',
    'extswitch_world_vms{world="default"} 3',
    '# TYPE extswitch_vms gauge',
    'extswitch_vms{world="default",state="running"} 2',
    'extswitch_vms{world="w\\"1",state="off"} 0',
    '# TYPE extswitch_world_ports gauge',
    'extswitch_world_ports{world="default"} 3',
    'extswitch_world_oid_requests_total{world="w\\"1"} 1',
  ]) {
    t.ok(lines.includes(line), line);
  }
  t.equal(
    lines.filter((line) => line === '# TYPE extswitch_world_oid_requests_total counter').length,
    1,
  );
  t.ok(text.endsWith('\n'));
  t.end();
});
