import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { looksLikeHex, parseHex } from '../../src/cli/hex-input.ts';
import { FABRIKAM_MOF } from './mof-samples.ts';
import { runCli } from './run-in-process.ts';

/*
 * OID_SWITCH_PORT_PROPERTY_ADD as Windows would send it: NDIS_SWITCH_PORT_PROPERTY_PARAMETERS (64 bytes), at 64
 * NDIS_SWITCH_PORT_PROPERTY_CUSTOM (16), at 80 the class: uint32 100 at 0, uint64 9999 at 8 (ndis-switch-abi.md,
 * management.md 2.1, 2.3).
 */
const HEAD =
  '80 01 40 00 00 00 00 00 01 00 00 00 01 00 00 00 ' +
  '23 3f f7 f2 8e 2b 7a 45 96 c4 f5 41 20 1c 91 50 ' +
  '00 01 01 00 39 30 36 35 11 11 22 22 33 33 44 44 ' +
  '55 55 66 66 20 00 00 00 40 00 00 00 00 00 00 00 ';
const CUSTOM = '80 01 10 00 00 00 00 00 10 00 00 00 10 00 00 00 ';
const DATA = '64 00 00 00 00 00 00 00 0f 27 00 00 00 00 00 00';
const BUFFER = HEAD + CUSTOM + DATA;
const BYTES = Buffer.from(BUFFER.replaceAll(' ', ''), 'hex');

interface Node {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly value?: unknown;
  readonly text?: string;
  readonly children?: readonly Node[];
}
function find(node: Node, name: string): Node | undefined {
  if (node.name === name) return node;
  for (const child of node.children ?? []) {
    const found = find(child, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

t.test('decode by structure and by OID: fields with offset, size, value, nested', async (t) => {
  for (const name of [
    'NDIS_SWITCH_PORT_PROPERTY_PARAMETERS',
    'OID_SWITCH_PORT_PROPERTY_ADD',
    'oid_switch_port_property_add',
  ]) {
    const { code, out, err } = await runCli(['decode', name, BUFFER, '--json']);
    t.equal(code, 0, err);
    const node = JSON.parse(out) as Node;
    t.match(find(node, 'PortId'), { offset: 8, size: 4, value: 1 });
    t.match(find(node, 'PropertyType'), { offset: 12, text: /NdisSwitchPortPropertyTypeCustom/ });
    t.match(find(node, 'PropertyBufferOffset'), { offset: 56, value: 64 });
    t.match(find(node, 'CustomData'), { offset: 80, size: 16 });
  }
  const text = await runCli(['decode', 'OID_SWITCH_PORT_PROPERTY_ADD', BUFFER]);
  t.match(text.out, /^00000008 +4 +01 00 00 00 +PortId = 1/m);
  t.match(text.out, /f2f73f23-2b8e-457a-96c4-f541201c9150/);
});

t.test('decode --mof shows the vendor class inside the buffer, or alone', async (t) => {
  const dir = t.testdir({ 'fabrikam.mof': FABRIKAM_MOF });
  const words = ['decode', 'OID_SWITCH_PORT_PROPERTY_ADD', BUFFER, '--mof', 'fabrikam.mof'];
  const { out } = await runCli([...words, '--json'], { cwd: dir });
  const node = JSON.parse(out) as Node;
  t.match(find(node, 'SettingIntA'), { offset: 80, size: 4, value: 100 });
  t.match(find(node, 'SettingIntB'), { offset: 88, size: 8, value: '9999' });
  t.match((await runCli(words, { cwd: dir })).out, /^00000058 +8 .*SettingIntB = 9999/m);
  const alone = ['decode', 'Fabrikam_PortCustomSettingData', '-m', 'fabrikam.mof', DATA];
  t.match((await runCli(alone, { cwd: dir })).out, /^00000008 +8 .*SettingIntB = 9999/m);
  const short = await runCli([...alone.slice(0, -1), '64 00 00 00'], { cwd: dir });
  t.equal(short.code, 1);
  t.match(short.err, 'Fabrikam_PortCustomSettingData');
});

t.test('decode --mof with a wrong MOF file prints its errors, exit 1', async (t) => {
  const dir = t.testdir({ 'bad.mof': 'class' });
  const ran = await runCli(['decode', 'OID_X', '00', '--mof', 'bad.mof'], { cwd: dir });
  t.equal(ran.code, 1);
  t.match(ran.err, 'bad.mof:1:');
});

t.test('bytes come as words, a text file, a binary file, or standard input', async (t) => {
  const dir = t.testdir({ 'dump.txt': BUFFER });
  writeFileSync(join(dir, 'dump.bin'), BYTES);
  const name = 'OID_SWITCH_PORT_PROPERTY_ADD';
  const { out } = await runCli(['decode', name, BUFFER]);
  t.match(out, 'PortId = 1');
  const same = async (words: readonly string[], input?: string | Uint8Array) => {
    const options = input === undefined ? { cwd: dir } : { cwd: dir, input };
    t.equal((await runCli(['decode', name, ...words], options)).out, out);
  };
  await same(BUFFER.split(' '));
  await same(['dump.txt']);
  await same(['dump.bin']);
  await same(['-'], BUFFER);
  await same(['-'], BYTES);
});

t.test('hostile bytes: an error naming structure, member and offset, exit 1', async (t) => {
  const at = (offset: number, value: number) => {
    const bytes = Buffer.from(BYTES);
    bytes.writeUInt32LE(value, offset);
    return bytes;
  };
  const cases: readonly [Uint8Array, RegExp][] = [
    [at(56, 0xfffffff0), /PropertyBuffer/],
    [at(52, 0xffffffff), /PropertyBuffer/],
    [at(0, 0), /Header/],
    [BYTES.subarray(0, 3), /NDIS_SWITCH_PORT_PROPERTY_PARAMETERS/],
    [BYTES.subarray(0, 70), /PropertyBuffer/],
    [new Uint8Array(0), /NDIS_SWITCH_PORT_PROPERTY_PARAMETERS/],
  ];
  for (const [input, message] of cases) {
    const ran = await runCli(['decode', 'OID_SWITCH_PORT_PROPERTY_ADD', '-'], { input });
    t.equal(ran.code, 1);
    t.equal(ran.out, '');
    t.match(ran.err, message);
    const words = ['decode', 'OID_SWITCH_PORT_PROPERTY_ADD', '-', '--json'];
    const json = JSON.parse((await runCli(words, { input })).err);
    t.match(json, { code: 'ABI_INVALID', structure: /^NDIS_/ });
    t.type(json.offset, 'number');
  }
});

t.test('decode of any bytes ends in a dump or a clean error (seeded by fast-check)', async (t) => {
  const names = fc.constantFrom(
    'OID_SWITCH_PORT_PROPERTY_ADD',
    'OID_SWITCH_PORT_PROPERTY_ENUM',
    'OID_SWITCH_NIC_ARRAY',
    'OID_SWITCH_PORT_FEATURE_STATUS_QUERY',
    'NDIS_OID_REQUEST',
  );
  const tail = fc.uint8Array({ maxLength: 200 });
  const runs = fc.asyncProperty(names, tail, fc.boolean(), async (name, bytes, hasHead) => {
    const input = hasHead ? Buffer.concat([BYTES.subarray(0, 56), bytes]) : bytes;
    const { code, out, err } = await runCli(['decode', name, '-', '--json'], { input });
    if (code === 0) return JSON.parse(out) !== null;
    return ['ABI_INVALID', 'NOT_FOUND'].includes(JSON.parse(err).code);
  });
  await t.resolves(fc.assert(runs, { numRuns: 300 }));
});

t.test('a name that is none is answered with the nearest', async (t) => {
  const oid = await runCli(['decode', 'OID_SWITCH_PORT_PROPERTY_AD', '00']);
  t.equal(oid.code, 1);
  t.match(oid.err, 'did you mean OID_SWITCH_PORT_PROPERTY_ADD?');
  const none = await runCli(['decode', 'NDIS_SWITCH_PORT_PARAMETERS', 'no-such.bin']);
  t.match(none.err, '"no-such.bin" is neither a file nor hexadecimal text');
  t.equal((await runCli(['decode', 'NDIS_SWITCH_PORT_PARAMETERS'])).code, 2);
});

t.test('every common way to write bytes down is read', async (t) => {
  const wanted = Uint8Array.from({ length: 20 }, (_, i) => 0x30 + i);
  const ways: Readonly<Record<string, string>> = {
    plain: '303132333435363738393a3b3c3d3e3f40414243',
    blanks: '30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f 40 41 42 43',
    colons: '30:31:32:33:34:35:36:37:38:39:3A:3B:3C:3D:3E:3F:40:41:42:43',
    prefix: '0x303132333435363738393a3b3c3d3e3f40414243',
    array:
      '{ 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39,\n 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x41, 0x42, 0x43 }',
    escapes: String.raw`\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x3a\x3b\x3c\x3d\x3e\x3f\x40\x41\x42\x43`,
    xxd: '00000000: 3031 3233 3435 3637 3839 3a3b 3c3d 3e3f  0123456789:;<=>?\n00000010: 4041 4243                                @ABC\n',
    canonical:
      '00000000  30 31 32 33 34 35 36 37  38 39 3a 3b 3c 3d 3e 3f  |0123456789:;<=>?|\n00000010  40 41 42 43                                       |@ABC|\n00000014\n',
    words:
      '0000000 3130 3332 3534 3736 3938 3b3a 3d3c 3f3e\n0000010 4140 4342                              \n0000014\n',
    od: '0000000 30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f\n0000020 40 41 42 43\n0000024\n',
  };
  for (const [way, text] of Object.entries(ways)) {
    t.strictSame(parseHex(text, way), wanted, way);
    t.ok(looksLikeHex(Buffer.from(text)), way);
  }
  t.strictSame(parseHex('0x0, 0x1', ''), Uint8Array.of(0, 1), 'a lone digit is a byte');
  t.strictSame(parseHex('', ''), new Uint8Array(0));
});

t.test('a * line repeats the line before up to the next offset', async (t) => {
  const zeros = '00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00';
  const text = `00000000  ${zeros}  |................|\n*\n00000040  01 02                                             |..|\n00000042\n`;
  const wanted = new Uint8Array(0x42);
  wanted.set([1, 2], 0x40);
  t.strictSame(parseHex(text, ''), wanted);
  const odd = '0000000 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n*\n0000050\n';
  t.equal(parseHex(odd, '').length, 40, 'od counts in octal');
});

t.test('what is no hexadecimal is refused with what it found', async (t) => {
  const cases: readonly [string, RegExp][] = [
    ['xyz', /here: "xyz" is not hexadecimal/],
    ['abc', /"abc" has an odd number of hexadecimal digits/],
    ['00000000: 0001  ..\nhello', /"hello" is not hexadecimal/],
    [
      '00000000: 0001  ..\n00000010: 0001  ..',
      /has 2 bytes before the line that says it starts at 16/,
    ],
    ['00000000: 0001  ..\n*\nffffffff: 0001  ..', /is not hexadecimal/],
  ];
  for (const [text, message] of cases) {
    t.throws(() => parseHex(text, 'here'), { code: 'MALFORMED', message });
    t.notOk(looksLikeHex(Buffer.from(text)));
  }
  t.notOk(looksLikeHex(Buffer.from([0x80, 0x01])));
  t.notOk(looksLikeHex(new Uint8Array(0)));
});

t.test('hexadecimal text of any bytes reads back (seeded by fast-check)', async (t) => {
  const law = fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    const text = Buffer.from(bytes).toString('hex');
    t.strictSame(parseHex(text, ''), bytes);
    t.strictSame(parseHex(text.replace(/../g, '$& '), ''), bytes);
  });
  t.doesNotThrow(() => fc.assert(law, { numRuns: 50 }));
});
