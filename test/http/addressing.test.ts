import fc from 'fast-check';
import t from 'tap';
import { clientHas, requiredRevision } from '../../src/http/conditional.ts';
import { acceptsEventStream, negotiate } from '../../src/http/negotiation.ts';
import { pageByKey, pageInOrder, pageOf } from '../../src/http/page.ts';
import { PathMatcher } from '../../src/http/path-matcher.ts';

t.test('Accept chooses by quality and specificity (RFC 9110, 12.5.1)', (t) => {
  for (const [accept, expected] of [
    [undefined, 'json'],
    ['*/*', 'json'],
    ['application/*', 'json'],
    ['application/msgpack', 'msgpack'],
    ['application/x-msgpack', 'msgpack'],
    ['APPLICATION/MSGPACK', 'msgpack'],
    ['application/json;q=0.5, application/msgpack', 'msgpack'],
    ['application/json, application/msgpack;q=0.9', 'json'],
    ['application/json;q=0, */*', 'msgpack'],
    ['text/html, application/xhtml+xml, */*;q=0.8', 'json'],
    ['application/json;q=7, application/msgpack;q=0.1', 'msgpack'],
  ] as const) {
    t.equal(negotiate(accept), expected, String(accept));
    t.equal(negotiate(accept), expected, `${accept} again`);
  }
  for (const accept of ['text/html', 'application/json;q=0', 'image/*', '']) {
    t.throws(() => negotiate(accept), { code: 'NOT_ACCEPTABLE' }, accept);
    t.throws(() => negotiate(accept), { code: 'NOT_ACCEPTABLE' }, `${accept} again`);
  }
  t.equal(acceptsEventStream('text/event-stream'), 'json');
  t.equal(acceptsEventStream(undefined), 'json');
  t.throws(() => acceptsEventStream('application/json'), { code: 'NOT_ACCEPTABLE' });
  t.end();
});

t.test('paths match segment by segment, a literal before a parameter', (t) => {
  const matcher = new PathMatcher<string>();
  matcher.add('GET', '/v1/switches', 'list');
  matcher.add('POST', '/v1/switches', 'create');
  matcher.add('GET', '/v1/switches/{switch}', 'get');
  matcher.add('GET', '/v1/switches/{switch}/properties', 'properties');
  matcher.add('GET', '/v1/switches/{switch}/ports/{port}', 'port');
  matcher.add('GET', '/v1/sim/pending', 'pending');
  t.strictSame(matcher.match('GET', '/v1/switches'), { value: 'list', params: {} });
  t.strictSame(matcher.match('GET', '/v1/switches/a%20b%2Fc'), {
    value: 'get',
    params: { switch: 'a b/c' },
  });
  t.strictSame(matcher.match('GET', '/v1/switches/s/ports/7'), {
    value: 'port',
    params: { switch: 's', port: '7' },
  });
  t.strictSame(matcher.match('PUT', '/v1/switches'), ['GET', 'POST']);
  for (const path of [
    '/v1',
    '/v1/switches/',
    '/v1/switches//ports/1',
    '/v2/switches',
    'v1',
    '',
    '/',
  ]) {
    t.equal(matcher.match('GET', path), undefined, path);
  }
  t.throws(() => matcher.match('GET', '/v1/switches/%zz'), { code: 'MALFORMED' });
  t.end();
});

t.test(
  'pages by key: law: walking them gives every item once, in order, whatever comes and goes',
  (t) => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 5 }),
        (keys, limit, inserted) => {
          const present = new Set(keys);
          const seen: string[] = [];
          let cursor: string | undefined;
          let pages = 0;
          do {
            const page: { items: readonly string[]; next?: string } = pageByKey(
              present,
              (key) => key,
              cursor === undefined ? { limit } : { limit, cursor },
            );
            seen.push(...page.items);
            cursor = page.next;
            const extra = inserted[pages];
            if (extra !== undefined) present.add(extra);
            pages += 1;
          } while (cursor !== undefined);
          const sorted = [...seen].every((key, i) => i === 0 || (seen[i - 1] as string) < key);
          return sorted && keys.every((key) => seen.includes(key));
        },
      ),
    );
    t.end();
  },
);

t.test('the last page has no next', (t) => {
  const page = pageByKey(['b', 'a', 'c'], (k) => k, { limit: 3 });
  t.strictSame(page, { items: ['a', 'b', 'c'] });
  const first = pageByKey(['b', 'a', 'c'], (k) => k, { limit: 2 });
  t.strictSame(first.items, ['a', 'b']);
  t.strictSame(
    pageByKey(['b', 'a', 'c'], (k) => k, { limit: 2, cursor: first.next as string }),
    {
      items: ['c'],
    },
  );
  t.end();
});

t.test('only what stands on a page is shown', (t) => {
  const shown: number[] = [];
  const show = (n: number): string => {
    shown.push(n);
    return `item ${n}`;
  };
  const keys = Array.from({ length: 1000 }, (_, i) => 1999 - i);
  const first = pageOf(keys, String, { limit: 2 }, show);
  t.strictSame(first.items, ['item 1000', 'item 1001']);
  const second = pageOf(keys, String, { limit: 3, cursor: first.next as string }, show);
  t.strictSame(second.items, ['item 1002', 'item 1003', 'item 1004']);
  t.strictSame(shown, [1000, 1001, 1002, 1003, 1004]);
  t.end();
});

t.test('pages in a list of its own order continue behind the item, or say it is gone', (t) => {
  const first = pageInOrder(['z', 'a', 'm'], (k) => k, { limit: 2 });
  t.strictSame(first.items, ['z', 'a']);
  const cursor = first.next as string;
  t.strictSame(
    pageInOrder(['z', 'a', 'm'], (k) => k, { cursor }),
    { items: ['m'] },
  );
  t.throws(() => pageInOrder(['z', 'm'], (k) => k, { cursor }), { code: 'MALFORMED' });
  t.end();
});

t.test('a cursor nobody made is refused', (t) => {
  for (const cursor of ['x', 'k1.', 'k1.!!!!', 'k1.YQ==', 'k2.YQ']) {
    t.throws(
      () => pageByKey(['a'], (k) => k, { cursor }),
      { code: 'MALFORMED', place: { member: 'cursor' } },
      cursor,
    );
  }
  t.strictSame(
    pageByKey(['a', 'b'], (k) => k, { cursor: 'k1.YQ' }),
    { items: ['b'] },
  );
  t.end();
});

t.test('If-Match compares strongly and takes lists and * (RFC 9110, 13.1.1)', (t) => {
  const current = (): number => 3;
  t.equal(requiredRevision(undefined, current), undefined);
  t.equal(requiredRevision('"3"', current), 3);
  t.equal(requiredRevision('"1", "3"', current), 3);
  t.equal(requiredRevision(' * ', current), undefined);
  t.throws(() => requiredRevision('"2"', current), { code: 'STALE_REVISION' });
  t.throws(() => requiredRevision('W/"3"', current), { code: 'STALE_REVISION' });
  t.throws(() => requiredRevision('3', current), { code: 'MALFORMED' });
  t.throws(() => requiredRevision('"3" "4"', current), { code: 'MALFORMED' });
  const gone = (): never => {
    throw new Error('asked');
  };
  t.throws(() => requiredRevision('*', gone), /asked/, '* asks whether the property is there');
  t.end();
});

t.test('If-None-Match compares weakly (RFC 9110, 13.1.2)', (t) => {
  t.equal(clientHas(undefined, 3), false);
  t.equal(clientHas('"3"', 3), true);
  t.equal(clientHas('W/"3"', 3), true);
  t.equal(clientHas('"2", "4"', 3), false);
  t.equal(clientHas('*', 3), true);
  t.throws(() => clientHas('three', 3), { code: 'MALFORMED' });
  t.end();
});
