import fc from 'fast-check';
import t from 'tap';
import { describe, isClusterAddress, parseClusterAddress } from '../../src/cluster/address.ts';
import { keyOfSubject, subjectOfKey } from '../../src/cluster/subject-key.ts';
import { isExtSwitchError } from '../../src/core/errors.ts';

function refusal(spec: string): { readonly code: string; readonly message: string } {
  try {
    parseClusterAddress(spec);
  } catch (cause) {
    if (isExtSwitchError(cause)) return { code: cause.code, message: cause.message };
    throw cause;
  }
  return { code: 'none', message: 'it was taken' };
}

t.test('an address with everything is read as it stands', async (t) => {
  const spec =
    'nats://ann:pa%3Ass@h1:4222,h2:4223,[::1]:5/lab?replicas=3&lease=10s&writeTimeout=1500ms&maxBytes=64MiB';
  t.strictSame(parseClusterAddress(spec), {
    servers: ['h1:4222', 'h2:4223', '[::1]:5'],
    cluster: 'lab',
    isTls: false,
    user: 'ann',
    password: 'pa:ss',
    leaseMs: 10_000,
    writeTimeoutMs: 1_500,
    replicas: 3,
    maxBytes: 67_108_864,
  });
});

t.test('what is left out has the defaults of src/cluster/api.ts', async (t) => {
  for (const spec of ['nats://host', 'NATS://host/', 'nats://host:4222/extswitch']) {
    t.strictSame(
      parseClusterAddress(spec),
      {
        servers: ['host:4222'],
        cluster: 'extswitch',
        isTls: false,
        leaseMs: 15_000,
        writeTimeoutMs: 15_000,
      },
      spec,
    );
  }
  t.equal(parseClusterAddress('tls://host').isTls, true);
});

t.test('a token, and a user without a password', async (t) => {
  t.match(parseClusterAddress('nats://s3cr3t@h'), { token: 's3cr3t' });
  t.match(parseClusterAddress('nats://ann:@h'), { user: 'ann', password: '' });
});

t.test('a password may hold any character: the last "@" ends it', async (t) => {
  const address = parseClusterAddress('nats://ann:a/b?c@d#e,f@h1,h2/lab');
  t.match(address, { user: 'ann', password: 'a/b?c@d#e,f', servers: ['h1:4222', 'h2:4222'] });
  t.equal(describe(address), 'nats://h1:4222,h2:4222/lab');
});

t.test('what is wrong is named with what was expected', async (t) => {
  const wrong: [spec: string, code: string, message: RegExp][] = [
    ['redis://h', 'USAGE', /nats:\/\/.*another scheme/],
    ['nats://', 'USAGE', /no server/],
    ['nats:///lab', 'USAGE', /no server/],
    ['nats://h1,,h2', 'USAGE', /server.*found ""/],
    ['nats://h1,nats:', 'INVALID_ARGUMENT', /port of server nats.*found none/],
    ['nats://h:0', 'INVALID_ARGUMENT', /port of server h: expected 1 to 65535, found 0/],
    ['nats://h:65536', 'INVALID_ARGUMENT', /65536/],
    ['nats://h:x', 'INVALID_ARGUMENT', /port of server h.*found x/],
    ['nats://h/la.b', 'INVALID_ARGUMENT', /name of the cluster.*"la\.b"/],
    ['nats://h/a/b', 'INVALID_ARGUMENT', /name of the cluster.*"a\/b"/],
    [`nats://h/${'x'.repeat(65)}`, 'INVALID_ARGUMENT', /name of the cluster/],
    ['nats://h?replica=3', 'USAGE', /replicas, lease, writeTimeout, maxBytes, found "replica"/],
    ['nats://h?replicas=3&replicas=3', 'USAGE', /replicas.*one value, found two/],
    ['nats://h?replicas=2', 'INVALID_ARGUMENT', /replicas.*1, 3 or 5, found 2/],
    ['nats://h?lease=10', 'INVALID_ARGUMENT', /lease.*10s.*found 10/],
    ['nats://h?lease=999ms', 'INVALID_ARGUMENT', /lease.*1000 ms to 1 h/],
    ['nats://h?lease=61m', 'INVALID_ARGUMENT', /lease/],
    ['nats://h?writeTimeout=', 'INVALID_ARGUMENT', /writeTimeout.*found nothing/],
    ['nats://h?maxBytes=1000', 'INVALID_ARGUMENT', /maxBytes.*from 1MiB/],
    ['nats://h?maxBytes=1MB', 'INVALID_ARGUMENT', /maxBytes.*found 1MB/],
    ['nats://%@h', 'INVALID_ARGUMENT', /credentials.*%25/],
    ['nats://@h', 'USAGE', /credentials/],
  ];
  for (const [spec, code, message] of wrong) {
    const found = refusal(spec);
    t.equal(found.code, code, spec);
    t.match(found.message, message, spec);
  }
});

t.test('credentials are in no error and no description', async (t) => {
  const specs = [
    'nats://ann:hunter2@',
    'nats://hunter2@h:99999',
    'nats://ann:hunter2@h/a.b',
    'nats://ann:hunter2@h?x=1',
    'nats://ann:hunter2%@h',
    'nats://ann:hun@hunter2/x@h:0',
  ];
  for (const spec of specs) {
    const { code, message } = refusal(spec);
    t.match(code, /^(USAGE|INVALID_ARGUMENT)$/, spec);
    t.notMatch(message, /hunter2|ann/, spec);
  }
  t.notMatch(describe(parseClusterAddress('tls://ann:hunter2@h/lab')), /hunter2|ann/);
  t.equal(describe(parseClusterAddress('tls://hunter2@h/lab')), 'tls://h:4222/lab');
});

t.test('only nats:// and tls:// are clusters', async (t) => {
  t.ok(isClusterAddress('nats://h') && isClusterAddress('TLS://h'));
  t.notOk(isClusterAddress('memory') || isClusterAddress('./nats') || isClusterAddress('nats:h'));
});

t.test('keys as subjects: readable where they can be', async (t) => {
  t.equal(
    subjectOfKey('switch/6f9619ff-8b86-d011-b42d-00c04fc964ff'),
    'switch.6f9619ff-8b86-d011-b42d-00c04fc964ff',
  );
  t.equal(subjectOfKey('a b/c.d//=*>/'), 'a=20b.c=2Ed.=.=3D=2A=3E.=');
});

t.test('any key comes back from its subject, and the subject is legal', async () => {
  const key = fc
    .array(fc.integer({ min: 0x20, max: 0x7e }), { minLength: 1, maxLength: 60 })
    .map((codes) => String.fromCharCode(...codes));
  const pathLike = fc
    .array(fc.constantFrom('', '=', '=2', '2F', '.', ' ', 'a', '-'), { minLength: 1 })
    .map((segments) => segments.join('/'))
    .filter((text) => text !== '');
  fc.assert(
    fc.property(fc.oneof(key, pathLike), (text) => {
      const subject = subjectOfKey(text);
      return (
        /^[A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)*$/.test(subject) && keyOfSubject(subject) === text
      );
    }),
  );
});
