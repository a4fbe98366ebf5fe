import fc from 'fast-check';
import t from 'tap';
import { ExtSwitchError } from '../../src/core/errors.ts';
import { checksumOf } from '../../src/policy/portable-canonical.ts';
import { checkPortableDocument, PORTABLE_LIMITS } from '../../src/policy/portable-check.ts';
import { at, changed, everything, plain } from './portable-world.ts';

type Path = readonly (string | number)[];

/** All places of a value, the document itself left out. */
function* places(value: unknown, path: Path = []): Iterable<Path> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    yield* places(inner, [...path, Array.isArray(value) ? Number(name) : name]);
  }
}

const named = (path: Path): string =>
  path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');

function refusalOf(value: unknown): ExtSwitchError | undefined {
  try {
    checkPortableDocument(value);
    return undefined;
  } catch (error) {
    if (error instanceof ExtSwitchError) return error;
    throw error;
  }
}

t.test('every member that is missing, or of another type, is refused by its path', async (t) => {
  const document = await everything();
  t.equal(refusalOf(plain(document)), undefined);
  const optional = new Set(['portName', 'vmMac', 'switch', 'team', 'netCfgInstanceId', 'adapter']);
  for (const name of ['numaNode', 'vmName', 'vmFriendlyName']) optional.add(`nics.${name}`);
  let missing = 0;
  for (const path of places(plain(document))) {
    const inSettings = path.includes('settings') && path.at(-1) !== 'settings';
    const last = path.at(-1);
    if (typeof last === 'string' && !inSettings) {
      const error = refusalOf(changed(document, path, undefined));
      const isOptional =
        optional.has(last) || (path.includes('nics') && optional.has(`nics.${last}`));
      if (isOptional) t.equal(error, undefined, `${named(path)} may be missing`);
      else t.equal(error?.place.member, named(path), `${named(path)} is missing`);
      missing += 1;
    }
    // Neither a function nor a Date is a value of any member.
    for (const wrong of [null, { a: { b: [] } }, [[[1]]], Number.NaN]) {
      const error = refusalOf(changed(document, path, wrong));
      t.ok(error?.place.member?.startsWith(named(path)), `${named(path)}: ${error?.message}`);
      t.equal(error?.code, 'INVALID_ARGUMENT');
    }
  }
  t.ok(missing > 100, `${missing} members`);
});

t.test('what a document of another kind, version or profile says is named', async (t) => {
  const document = await everything();
  const vm: Path = ['vms', 0];
  const adapter: Path = [...vm, 'adapters', 0];
  const cases: readonly (readonly [Path, unknown, string])[] = [
    [['format'], 'other', 'format: expected extswitch-portable, found "other"'],
    [['version'], 2, 'version: expected 1, which is what this version of extswitch reads, found 2'],
    [
      ['version'],
      '1',
      'version: expected 1, which is what this version of extswitch reads, found "1"',
    ],
    [
      ['profile'],
      'ws2008',
      'profile: expected ws2012, ws2012r2, ws2016, ws2019, ws2022, ws2025, found "ws2008"',
    ],
    [['more'], 1, 'more: expected no such member, found 1'],
    [[...adapter, 'x'], 1, 'vms[0].adapters[0].x: expected no such member, found 1'],
    [[...vm, 'name'], '', 'vms[0].name: expected 1 to 256 characters, found "0 characters"'],
    [
      [...vm, 'name'],
      '\ud800',
      'vms[0].name: expected text without lone surrogates, found "\\ud800"',
    ],
    [
      [...vm, 'state'],
      'asleep',
      'vms[0].state: expected off, running, paused, saved, found "asleep"',
    ],
    [
      [...vm, 'id'],
      document.vms[0]?.id.toUpperCase(),
      `vms[0].id: expected a GUID in lower case without braces, found "${document.vms[0]?.id.toUpperCase()}"`,
    ],
    [
      [...adapter, 'mac'],
      '01-00-5e-00-00-01',
      'vms[0].adapters[0].mac: expected a unicast MAC address like 00-15-5d-00-00-01, lower case, found "01-00-5e-00-00-01"',
    ],
    [
      [...adapter, 'mac'],
      '00-00-00-00-00-00',
      'vms[0].adapters[0].mac: expected a unicast MAC address like 00-15-5d-00-00-01, lower case, found "00-00-00-00-00-00"',
    ],
    [
      [...adapter, 'mtu'],
      65_536,
      'vms[0].adapters[0].mtu: expected a whole number from 0 to 65535, found 65536',
    ],
    [
      [...adapter, 'saved', 0, 'data'],
      '',
      'vms[0].adapters[0].saved[0].data: expected 1 to 16777216 bytes, found 0 bytes',
    ],
    [
      [...adapter, 'saved', 0, 'data'],
      'AQc',
      'vms[0].adapters[0].saved[0].data: expected base64 with padding, found "AQc"',
    ],
    [
      [...adapter, 'saved', 0, 'data'],
      7,
      'vms[0].adapters[0].saved[0].data: expected 1 to 16777216 bytes, or their base64, found 7',
    ],
    [
      [...adapter, 'properties', 0, 'revision'],
      0,
      'vms[0].adapters[0].properties[0].revision: expected a whole number from 1 to 9007199254740991, found 0',
    ],
    [
      ['checksum'],
      'md5:0',
      'checksum: expected sha256: and 64 hexadecimal digits, lower case, found "md5:0"',
    ],
  ];
  for (const [path, value, message] of cases) {
    t.equal(refusalOf(changed(document, path, value))?.message, message);
  }
  for (const value of [undefined, null, 7, 'text', [], () => 0, Uint8Array.of(1)]) {
    const error = refusalOf(value);
    t.match(
      error?.message,
      /^(the document|format): expected (an object|extswitch-portable), found/,
    );
  }
});

t.test('a checksum that is not that of the content is refused, naming both', async (t) => {
  const document = await everything();
  for (const path of [
    ['vms', 0, 'name'],
    ['switches', 0, 'name'],
  ] as Path[]) {
    const tampered = { ...changed(document, path, 'Other'), checksum: document.checksum };
    const { checksum } = changed(document, path, 'Other');
    t.equal(
      refusalOf(tampered)?.message,
      `checksum: expected ${checksum}, which is that of the content: the document was changed or cut after it was made, found "${document.checksum.slice(0, 59)}…"`,
    );
  }
  // Order and space are not content; a binary blob is its base64.
  const reversed = Object.fromEntries(Object.entries(plain(document)).reverse());
  t.equal(refusalOf(reversed), undefined);
  t.same(checkPortableDocument(document), checkPortableDocument(reversed));
});

t.test('ids that stand twice are refused, naming both places', async (t) => {
  const document = await everything();
  const twice: readonly (readonly [Path, string])[] = [
    [['vms'], 'vms[1].id: expected another id than vms[0].id'],
    [['switches'], 'switches[1].id: expected another id than switches[0].id'],
    [['features'], 'features[2].id: expected another id than features[0].id'],
    [
      ['vms', 0, 'adapters'],
      'vms[0].adapters[1].id: expected another id than vms[0].adapters[0].id',
    ],
    [
      ['switches', 0, 'ports'],
      'switches[0].ports[3].id: expected another id than switches[0].ports[0].id',
    ],
    [
      ['switches', 0, 'extensions'],
      'switches[0].extensions[1].id: expected another id than switches[0].extensions[0].id',
    ],
    [
      ['switches', 0, 'ports', 0, 'nics'],
      'switches[0].ports[0].nics[2].index: expected another id than switches[0].ports[0].nics[0].index',
    ],
    [
      ['vms', 0, 'adapters', 0, 'properties'],
      'vms[0].adapters[0].properties[1].id: expected another id than vms[0].adapters[0].properties[0].id',
    ],
  ];
  for (const [path, message] of twice) {
    const list = at(plain(document), path) as unknown[];
    const error = refusalOf(changed(document, path, [...list, list[0]]));
    t.equal(error?.message.slice(0, message.length), message);
  }
});

t.test('sizes are bounded: what is too long is refused before it is copied', async (t) => {
  const document = await everything();
  const adapter: Path = ['vms', 0, 'adapters', 0];
  const settings: Path = [...adapter, 'properties', 0, 'settings'];
  const manyNames = Object.fromEntries(
    Array.from({ length: PORTABLE_LIMITS.members + 1 }, (_, i) => [`m${i}`, 0]),
  );
  const cases: readonly (readonly [Path, unknown, string])[] = [
    [[...adapter, 'name'], 'x'.repeat(257), '1 to 256 characters'],
    [[...adapter, 'saved'], Array.from({ length: 4_097 }, () => 0), 'at most 4096 elements'],
    [['features', 0, 'mof'], 'x'.repeat(5 * 1024 * 1024 + 1), '1 to 5242880 characters'],
    [
      [...settings, 'SettingIntA'],
      Array.from({ length: 65_537 }, () => 0),
      'at most 65536 elements',
    ],
    [[...settings, 'SettingIntA'], 'x'.repeat(65_536), '0 to 65535 characters'],
    [settings, manyNames, 'at most 4096 members'],
    [settings, { ['x'.repeat(257)]: 0 }, 'names of at most 256 characters'],
    [[...adapter, 'saved', 0, 'data'], 'A'.repeat(22_369_628), '1 to 16777216 bytes'],
  ];
  for (const [path, value, expected] of cases) {
    t.equal(refusalOf(changed(document, path, value))?.place.expected, expected);
  }
});

t.test(
  'any value in place of the document, or anywhere in it, is refused or taken: no other error',
  async (t) => {
    const document = await everything();
    const all = [...places(plain(document))];
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(fc.nat(all.length - 1), fc.jsonValue({ maxDepth: 3 }), (i, value) => {
          refusalOf(changed(document, all[i] ?? [], value));
          refusalOf(value);
          refusalOf({
            ...(typeof value === 'object' ? value : {}),
            format: 'extswitch-portable',
            version: 1,
          });
        }),
        { numRuns: 300 },
      ),
    );
    // Names a prototype has are names like others.
    const odd = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": "3"}') as object;
    const path = ['vms', 0, 'adapters', 0, 'properties', 0, 'settings'];
    const taken = checkPortableDocument(changed(document, path, odd));
    t.same(Object.keys(taken.vms[0]?.adapters[0]?.properties[0]?.settings ?? {}).sort(), [
      '__proto__',
      'constructor',
      'toString',
    ]);
    t.equal(checksumOf(taken), taken.checksum);
  },
);
