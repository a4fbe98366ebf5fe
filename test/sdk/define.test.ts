import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { ExtSwitchError } from '../../src/core/errors.ts';
import { isExtensionDefinition, mofFilesOf } from '../../src/sdk/define.ts';
import { defineExtension, NdisStatus, pend, statusName } from '../../src/sdk/index.ts';

const GOOD = {
  id: '{5CBF81BE-5055-47CD-9055-A76B2B4E369E}',
  name: 'Fabrikam Port Filter',
  vendor: 'Fabrikam',
  version: '1.0',
  type: 'filter',
  attach: () => ({}),
} as const;

t.test('a good definition comes back frozen, its id lower case without braces', async (t) => {
  const definition = defineExtension(GOOD);
  t.equal(definition.id, '5cbf81be-5055-47cd-9055-a76b2b4e369e');
  t.equal(definition.attach, GOOD.attach);
  t.ok(Object.isFrozen(definition));
  t.strictSame(Object.keys(definition), ['id', 'name', 'vendor', 'version', 'type', 'attach']);
  t.strictSame(mofFilesOf(definition), []);
  t.ok(isExtensionDefinition(definition));
  for (const other of [GOOD, undefined, null, 5, 'x', () => 0]) {
    t.notOk(isExtensionDefinition(other));
  }
});

t.test('a wrong definition is refused by the member that is wrong', async (t) => {
  const cases: readonly [unknown, string, RegExp][] = [
    [undefined, 'definition', /takes an object/],
    [[], 'definition', /takes an object/],
    [{ ...GOOD, mofs: [] }, 'mofs', /"Fabrikam Port Filter": unknown member "mofs"/],
    [{ ...GOOD, id: 'x' }, 'id', /id must be a GUID, found "x"/],
    [{ ...GOOD, id: undefined }, 'id', /found nothing/],
    [{ ...GOOD, id: '{5CBF81BE-5055-47CD-9055-A76B2B4E369E' }, 'id', /GUID/],
    [{ ...GOOD, name: ' ' }, 'name', /name must be text of 1 to 256 characters/],
    [{ ...GOOD, name: 'x'.repeat(257) }, 'name', /256/],
    [{ ...GOOD, name: 5 }, 'name', /^extension: name must be text/],
    [{ ...GOOD, vendor: 7n }, 'vendor', /found 7n/],
    [{ ...GOOD, version: '1' }, 'version', /major\.minor/],
    [{ ...GOOD, version: '1.256' }, 'version', /0 to 255/],
    [{ ...GOOD, version: '1.0.0' }, 'version', /found "1\.0\.0"/],
    [{ ...GOOD, type: 'forwarding' }, 'type', /one of capture, filter, forward/],
    [{ ...GOOD, attach: {} }, 'attach', /attach must be a function, found \{\}/],
    [{ ...GOOD, mof: 'x.mof' }, 'mof', /mof must be an array of paths/],
    [{ ...GOOD, mof: ['x.mof', ''] }, 'mof[1]', /a path or a URL/],
    [{ ...GOOD, mof: [() => 0] }, 'mof[0]', /found a function/],
  ];
  for (const [definition, member, message] of cases) {
    const call = () => defineExtension(definition as Parameters<typeof defineExtension>[0]);
    t.throws(call, { code: 'EXTENSION_INVALID', place: { member }, message });
  }
});

t.test('relative MOF paths start at the file that calls defineExtension', async (t) => {
  const file = 'define.test.ts';
  const absolute = resolve('test/sdk', file);
  const mof = [`./${file}`, absolute, pathToFileURL(absolute), pathToFileURL(absolute).href];
  const definition = defineExtension({ ...GOOD, mof });
  t.ok(Object.isFrozen(definition.mof));
  const files = mofFilesOf(definition);
  t.strictSame(
    files.map(({ path }) => path),
    [absolute, absolute, absolute, absolute],
  );
  t.match(Buffer.from(files[0]?.bytes ?? []).toString(), 'relative MOF paths start at');
});

t.test('a caller without a file counts as the working folder', async (t) => {
  const source = 'return define({ ...good, mof: ["package.json"] })';
  const make = new Function('define', 'good', source) as (...of: unknown[]) => unknown;
  const made = make(defineExtension, GOOD) as ReturnType<typeof defineExtension>;
  t.equal(mofFilesOf(made)[0]?.path, resolve('package.json'));
});

t.test('a MOF file that cannot be read is named, with its extension', async (t) => {
  const missing = defineExtension({ ...GOOD, mof: ['./none.mof'] });
  t.throws(() => mofFilesOf(missing), {
    code: 'EXTENSION_INVALID',
    message: /"Fabrikam Port Filter": cannot read its MOF file .*none\.mof/,
    place: { file: resolve('test/sdk/none.mof') },
  });
  const remote = defineExtension({ ...GOOD, mof: [new URL('https://example.com/x.mof')] });
  t.throws(() => mofFilesOf(remote), { code: 'EXTENSION_INVALID', message: /file: URL/ });
});

t.test('the error is of the one error class', async (t) => {
  const call = () => defineExtension({ ...GOOD, id: 'x' });
  t.throws(call, ExtSwitchError);
});

t.test('the SDK entry has what an extension needs at run time', async (t) => {
  t.equal(NdisStatus.DATA_NOT_ACCEPTED, 0xc000021b);
  t.equal(statusName(NdisStatus.DATA_NOT_ACCEPTED), 'NDIS_STATUS_DATA_NOT_ACCEPTED');
  const token = Symbol('pended');
  const request = { pend: () => token };
  t.equal(pend(request as unknown as Parameters<typeof pend>[0]), token);
});
