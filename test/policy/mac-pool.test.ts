import fc from 'fast-check';
import t from 'tap';
import { Fabric } from '../../src/policy/fabric.ts';
import { MacPool, macHex, unicastMac } from '../../src/policy/mac-pool.ts';
import { macText } from '../../switch/parameters.ts';
import { Nic } from '../../switch/ports.ts';
import { hostWorld, KeptStore } from './host-world.ts';
import { holder, openWorld, turn } from './open-world.ts';

const text = (mac: Uint8Array): string => macText(mac);
const owner = (id: string) => ({ id, description: `NIC ${id}` });

function nicWith(mac: Uint8Array, vmName = ''): Nic {
  const nic = new Nic(
    { index: 0, type: 'synthetic', name: 'n', friendlyName: 'n', mac, mtu: 1500, vmName },
    1,
  );
  nic.state = 'connected';
  return nic;
}

t.test('dynamic addresses: 00-15-5D, two octets of the seed, the last counts (KB 2804678)', (t) => {
  const pool = new MacPool('seed');
  const first = Array.from({ length: 256 }, () => pool.dynamic());
  const head = text(first[0] as Uint8Array).slice(0, 14);
  t.match(head, /^00-15-5d-[0-9a-f]{2}-[0-9a-f]{2}$/);
  t.same(
    first.map(text),
    Array.from({ length: 256 }, (_, i) => `${head}-${i.toString(16).padStart(2, '0')}`),
  );
  const next = text(pool.dynamic());
  t.not(next.slice(0, 14), head, 'beyond 256 the range goes on by itself');
  t.equal(next.slice(-2), '00');
  t.same(text(new MacPool('seed').dynamic()), `${head}-00`, 'equal seeds, equal addresses');
  t.not(text(new MacPool('other').dynamic()).slice(0, 14), head);
  pool.clear();
  t.equal(text(pool.dynamic()), `${head}-00`);
  t.end();
});

t.test('addresses of NICs that are gone do not pile up', (t) => {
  const pool = new MacPool('seed');
  for (let i = 0; i < 20_000; i += 1) {
    const mac = pool.dynamic();
    const nic = nicWith(mac);
    pool.settle(pool.claim(mac, owner(String(i))), nic);
    if (i >= 10) nic.state = 'deleted';
    pool.forget(mac);
  }
  t.ok(pool.size <= 1024, `${pool.size} entries for 10 NICs`);
  const there = new MacPool('seed').dynamic();
  t.not(pool.userOf(there), undefined, 'those that are there keep theirs');
  t.end();
});

t.test('addresses kept or in use are never handed out', (t) => {
  const pool = new MacPool('seed');
  const a = new MacPool('seed').dynamic();
  const at = (n: number): Uint8Array => Uint8Array.of(...a.subarray(0, 5), n);
  pool.keep(at(0));
  pool.keep(at(1));
  pool.keep(at(1));
  const claim = pool.claim(at(2), owner('x'));
  t.equal(text(pool.dynamic()), text(at(3)));
  pool.forget(at(1));
  pool.settle(claim, undefined);
  pool.forget(at(0));
  const rest = Array.from({ length: 252 }, () => text(pool.dynamic()));
  t.equal(new Set(rest).size, 252);
  t.notOk(rest.includes(text(at(1))), 'kept twice, forgotten once');
  t.end();
});

t.test('behind 00-15-5D-FF-FF-FF the pool goes on at 00-15-5D-00-00-00', (t) => {
  for (let i = 0; ; i += 1) {
    const pool = new MacPool(`seed ${i}`);
    const first = pool.dynamic();
    if (first[3] !== 0xff) continue;
    let last = first;
    for (let n = (0x100 - (first[4] as number)) * 256; n > 1; n -= 1) last = pool.dynamic();
    t.equal(text(last), '00-15-5d-ff-ff-ff');
    t.equal(text(pool.dynamic()), '00-15-5d-00-00-00');
    break;
  }
  t.end();
});

t.test('a claim: refused to another, shared with the same owner, gone with its NIC', (t) => {
  const pool = new MacPool('seed');
  const mac = unicastMac('02-00-00-00-00-01');
  const first = pool.claim(mac, owner('a'));
  t.throws(() => pool.claim(mac, owner('b')), {
    code: 'ALREADY_EXISTS',
    message: 'mac 02-00-00-00-00-01 is in use by NIC a',
    place: { member: 'mac', found: '02-00-00-00-00-01' },
  });
  const nic = nicWith(mac);
  pool.settle(first, nic);
  t.equal(pool.nicOf(mac), nic);
  const moved = pool.claim(mac, owner('a'));
  pool.settle(first, undefined);
  t.throws(
    () => pool.claim(mac, owner('b')),
    { code: 'ALREADY_EXISTS' },
    'the second claim stands',
  );
  pool.settle(moved, nic);
  nic.permanentMac = unicastMac('02-00-00-00-00-02');
  pool.settle(pool.claim(mac, owner('b')), undefined);
  nic.permanentMac = mac;
  pool.register(nic, owner('a'));
  nic.state = 'deleted';
  t.ok(pool.claim(mac, owner('b')), 'its NIC is gone');
  t.equal(pool.nicOf(mac), undefined);
  pool.settle(undefined, nic);
  t.end();
});

t.test('claims of one owner that come to nothing leave what it had', (t) => {
  const mac = unicastMac('02-00-00-00-00-01');
  const pool = new MacPool('seed');
  const nic = nicWith(mac);
  pool.register(nic, owner('a'));
  const second = pool.claim(mac, owner('a'));
  const third = pool.claim(mac, owner('a'));
  pool.settle(second, undefined);
  pool.settle(third, undefined);
  t.equal(pool.nicOf(mac), nic);
  t.throws(() => pool.claim(mac, owner('b')), { code: 'ALREADY_EXISTS' });
  nic.state = 'deleted';
  const [x, y] = [pool.claim(mac, owner('c')), pool.claim(mac, owner('c'))];
  pool.settle(x, undefined);
  pool.settle(y, undefined);
  t.ok(pool.claim(mac, owner('b')), 'in whatever order they end');
  t.end();
});

t.test('what is no address of a NIC is refused', (t) => {
  for (const bad of ['01-00-5e-00-00-01', 'ff:ff:ff:ff:ff:ff', '000000000000', '', '02-00', 'x']) {
    t.throws(() => unicastMac(bad, 'vmMac'), {
      code: 'INVALID_ARGUMENT',
      place: { member: 'vmMac', found: bad },
    });
  }
  t.equal(macHex(unicastMac('02-0A-00-00-00-01')), '020a00000001');
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
      const good = ((bytes[0] ?? 0) & 1) === 0 && bytes.some((byte) => byte !== 0);
      const parse = (): Uint8Array => unicastMac(macText(bytes));
      if (!good) {
        t.throws(parse, { code: 'INVALID_ARGUMENT' });
        return;
      }
      if (macHex(parse()) !== Buffer.from(bytes).toString('hex')) throw new Error('not the same');
    }),
  );
  t.end();
});

t.test('a pool never gives an address twice, whatever is kept, claimed and forgotten', (t) => {
  const step = fc.record({
    act: fc.constantFrom('dynamic', 'keep', 'claim', 'drop'),
    low: fc.nat(20),
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pool = new MacPool('law');
        const base = new MacPool('law').dynamic();
        const has = new Map<string, () => void>();
        for (const { act, low } of steps) {
          const mac = Uint8Array.of(...base.subarray(0, 5), low);
          const key = macText(mac);
          if (act === 'dynamic') {
            const given = pool.dynamic();
            if (has.has(macText(given))) throw new Error(`${macText(given)} was given before`);
            has.set(macText(given), () => pool.forget(given));
          } else if (act === 'keep' && !has.has(key)) {
            pool.keep(mac);
            has.set(key, () => pool.forget(mac));
          } else if (act === 'claim' && !has.has(key)) {
            const claim = pool.claim(mac, owner(key));
            has.set(key, () => pool.settle(claim, undefined));
          } else if (act === 'drop') {
            has.get(key)?.();
            has.delete(key);
          }
        }
      }),
    ),
  );
  t.end();
});

t.test(
  'one address on two NICs is refused with its owner, also while the first is being made',
  async (t) => {
    const { held, extension } = holder('OID_SWITCH_NIC_CREATE');
    const { fabric, sw, port } = await openWorld([extension]);
    const other = await fabric.switches.create({ name: 'T' });
    const second = await other.ports.create({ name: 'Q' });
    const first = port.nics.connect({ mac: '02-00-00-00-00-01' });
    await turn();
    await t.rejects(second.nics.connect({ mac: '02:00:00:00:00:01' }), {
      code: 'ALREADY_EXISTS',
      message: 'mac 02-00-00-00-00-01 is in use by port P of switch S',
    });
    held.shift()?.complete(0xc000009a);
    await t.rejects(first, { code: 'VETOED' });
    const nic = await second.nics.connect({ mac: '02-00-00-00-00-01' });
    t.equal(nic.mac, '02-00-00-00-00-01', 'the refused NIC has no address');
    await t.rejects(port.nics.connect({ mac: '02-00-00-00-00-01' }), {
      code: 'ALREADY_EXISTS',
      message: /port Q of switch T/,
    });
    await second.nics.disconnect(0);
    const again = port.nics.connect({ mac: '02-00-00-00-00-01' });
    await turn();
    held.shift()?.forward();
    t.equal((await again).mac, '02-00-00-00-00-01');
    await sw.delete();
    t.ok(await second.nics.connect({ mac: '02-00-00-00-00-01' }), 'gone with its switch');
    await fabric.close();
  },
);

t.test('a restart keeps the addresses and never hands them out again', async (t) => {
  const store = new KeptStore();
  const { fabric } = await hostWorld(undefined, { store });
  const sw = await fabric.switches.create({ name: 'S' });
  const macs = new Set<string>();
  for (let i = 0; i < 5; i += 1) {
    macs.add((await (await sw.ports.create({ name: `p${i}` })).nics.connect()).mac);
  }
  await fabric.close();
  const again = await Fabric.open({ clock: 'manual', seed: 'host', store });
  const back = again.switches.get('S');
  t.same(new Set([...back.ports.list()].map(({ nics }) => nics[0]?.mac)), macs);
  for (let i = 0; i < 5; i += 1) {
    macs.add((await (await back.ports.create({ name: `q${i}` })).nics.connect()).mac);
  }
  t.equal(macs.size, 10);
  await again.reset();
  const empty = await (await again.switches.create({ name: 'S' })).ports.create();
  t.ok(macs.has((await empty.nics.connect()).mac), 'an empty world begins anew');
  await again.close();
});
