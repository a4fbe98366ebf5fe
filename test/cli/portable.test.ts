import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { messagePackMap } from '../../src/cli/msgpack-map.ts';
import { parseMessagePack, unpackValue } from '../../src/http/msgpack.ts';
import { checksumOf } from '../../src/policy/portable-canonical.ts';
import { openPlane } from '../http/plane.ts';
import { extensions, withVm } from '../http/vm-plane.ts';
import { type Ran, runCli } from './run-in-process.ts';

/** A listening server with VM `vm` on switch `s`, saved with three bytes; `cli` runs commands against it in `cwd`. */
async function served(t: Parameters<typeof openPlane>[0]) {
  const plane = await openPlane(t, { fabric: { extensions } });
  await withVm(plane);
  await plane.call('POST', '/v1/vms/vm/adapters/a/properties', { feature: 'Test_PortSetting' });
  await plane.call('POST', '/v1/vms/vm/start');
  await plane.call('POST', '/v1/vms/vm/save');
  await plane.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = plane.app.server.address() as AddressInfo;
  const cwd = await mkdtemp(join(tmpdir(), 'portable-'));
  const env = { EXTSWITCH_URL: `http://127.0.0.1:${port}` };
  const cli = (words: string, input?: string | Uint8Array): Promise<Ran> =>
    runCli(words.split(' '), { env, cwd, ...(input === undefined ? {} : { input }) });
  return { ...plane, cli, cwd };
}

t.test('a VM is written to a file and read again, as JSON and as MessagePack', async (t) => {
  const { cli, cwd } = await served(t);
  const shown = await cli('vm export vm');
  t.equal(shown.code, 0);
  const document = JSON.parse(shown.out);
  t.equal(document.checksum, checksumOf(document));
  t.match(shown.out, /^\{\n {2}"format": "extswitch-portable",\n {2}"version": 1,/, 'for people');
  t.match(await cli('vm export vm -o vm.json'), { code: 0, out: '', err: 'wrote vm.json\n' });
  t.equal(await readFile(join(cwd, 'vm.json'), 'utf8'), shown.out);
  t.match(await cli('vm export vm -o vm.msgpack'), { code: 0 });
  const packed = await readFile(join(cwd, 'vm.msgpack'));
  t.match(unpackValue(packed), { checksum: document.checksum });
  t.match(await cli('vm export vm --format msgpack'), { code: 2, err: /name a file with -o/ });
  t.match(await cli('vm export vm --format msgpack -o vm.bin'), { code: 0 });
  t.same(await readFile(join(cwd, 'vm.bin')), packed);
  t.match(await cli('vm export gone -o x.msgpack'), { code: 1, err: /gone/ });

  t.match(await cli('vm import vm.json'), { code: 1, err: /a VM named "vm" exists already/ });
  const copied = await cli('vm import vm.json --name copy --switch s=s2');
  t.match(copied, {
    code: 0,
    out: /^imported VM copy \([-0-9a-f]{36}\), saved\n$/,
    err: /note: .* has the dynamic address/,
  });
  await cli('vm delete vm');
  const kept = await cli('vm import vm.msgpack --ids keep --json');
  t.match(JSON.parse(kept.out), {
    vms: [{ id: document.vms[0].id, adapters: [{ switch: { name: 's' } }] }],
    notes: [],
  });
  t.equal((await cli('vm export vm')).out, shown.out, 'the same to the last byte');
  await cli('vm delete vm');
  const bom = await cli('vm import -', `\ufeff${shown.out}`);
  t.match(bom, { code: 0 }, 'what PowerShell writes begins with a byte order mark');
});

t.test(
  'a JSON document that an editor of Windows saved is read, in UTF-8 and in UTF-16',
  async (t) => {
    const { cli } = await served(t);
    const { out } = await cli('vm export vm');
    // Byte order marks: EF BB BF of UTF-8, FF FE of UTF-16 little endian.
    const utf8 = Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from(out, 'utf8')]);
    const utf16 = Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(out, 'utf16le')]);
    t.match(await cli('vm import - --name a', utf8), { code: 0, out: /^imported VM a / });
    t.match(await cli('vm import - --name b', utf16), { code: 0, out: /^imported VM b / });
  },
);

t.test('a switch is written with its VMs and read into another world', async (t) => {
  const { cli } = await served(t);
  await cli('switch export s --vms -o s.json');
  await cli('world create other');
  const { code, out } = await cli('switch import s.json --world other');
  t.equal(code, 0);
  t.match(out, /^imported switch s \(.*\)\nimported VM vm \(.*\), saved\n$/);
  t.match((await cli('switch export s')).out, /"vms": \[\]/);
});

t.test('what cannot be read or was not meant is said without asking the server', async (t) => {
  const { cli, cwd, log } = await served(t);
  await writeFile(join(cwd, 'cut.json'), '{"format":');
  const before = log.length;
  t.match(await cli('vm import gone.json'), {
    code: 1,
    err: /cannot read gone\.json: no such file/,
  });
  t.match(await cli('vm import cut.json'), { code: 1, err: /cut\.json is not JSON/ });
  for (const wrong of ['s2', '=s2', 's=']) {
    t.match(await cli(`vm import cut.json --switch ${wrong}`), {
      code: 2,
      err: /--switch is the name in the document, =/,
    });
  }
  t.match(await cli('vm import -', 'class X {};'), {
    code: 1,
    err: /standard input is neither JSON nor a MessagePack map: expected what vm export/,
  });
  t.equal(log.length, before);
  t.match(await cli('vm import -', Uint8Array.of(0x81, 0xc1)), {
    code: 1,
    err: /malformed MessagePack/,
  });
});

t.test('the map around a document is MessagePack, short and long', async (t) => {
  // msgpack.org specification: fixmap, fixstr; 0x07 is the integer 7.
  t.equal(messagePackMap({ a: Uint8Array.of(7), b: 'x' }).toString('hex'), '82a16107a162a178');
  const members = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`switch ${i}`, 'ü'.repeat(i)]),
  );
  t.same(parseMessagePack(messagePackMap({ members })), { members });
});
