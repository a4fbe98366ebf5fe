import fc from 'fast-check';
import t from 'tap';
import { isExtSwitchError } from '../../src/core/errors.ts';
import type { FabricInterface, SwitchHandle } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { KeptStore, nicViews, told } from './host-world.ts';

const MAC = '02-00-00-00-00-01';

/** What may run at the same time as anything else. */
const ACTS = {
  uplink: (sw: SwitchHandle) => sw.host.connectUplink({ adapters: [{ name: 'a' }] }),
  team: (sw: SwitchHandle) =>
    sw.host.connectUplink({ team: 'switch', adapters: [{ name: 'a' }, { name: 'b' }] }),
  clash: (sw: SwitchHandle) =>
    sw.host.connectUplink({ adapters: [{ name: 'a', mac: '02-00-00-00-00-01' }] }),
  unplug: (sw: SwitchHandle) => sw.host.disconnectUplink(),
  internal: (sw: SwitchHandle) => sw.host.addInternalNic(),
  named: (sw: SwitchHandle) => sw.host.addInternalNic({ name: 'N', mac: '02-00-00-00-00-01' }),
  create: (sw: SwitchHandle) => sw.ports.create({ name: 'N' }),
  connect: async (sw: SwitchHandle) => sw.ports.get('N').nics.connect({ mac: '02-00-00-00-00-01' }),
  mtu: async (sw: SwitchHandle) => sw.ports.get('N').nics.update(0, { mtu: 9000 }),
  rename: async (sw: SwitchHandle) => sw.ports.get('N').rename('M'),
  back: async (sw: SwitchHandle) => sw.ports.get('M').rename('N'),
  remove: async (sw: SwitchHandle) => sw.ports.get('N').delete(),
} as const;
type Act = keyof typeof ACTS;

/** What is true of a switch whenever nothing runs. */
function check(fabric: FabricInterface, store: KeptStore): void {
  const sw = fabric.switches.get('S');
  const ports = [...sw.ports.list()];
  const require = (holds: boolean, law: string): void => {
    if (!holds) throw new Error(`${law}\n${told(sw).join('\n')}\n${JSON.stringify(ports)}`);
  };
  const withNic = (type: string): number =>
    ports.filter((port) => port.type === type && port.nics.length > 0).length;
  require(withNic('external') <= 1, 'C8: one external NIC');
  require(withNic('internal') <= 2, 'OP-36: as many internal NICs as allowed');
  require(new Set(ports.map(({ name }) => name)).size === ports.length, 'B2: names differ');
  require(new Set(ports.map(({ portId }) => portId)).size === ports.length, 'B1: ids differ');
  const macs = ports.flatMap(({ id, nics }) => [...new Set(nics.map(({ mac }) => `${mac} ${id}`))]);
  const users = macs.map((user) => user.slice(0, 17));
  require(new Set(users).size === users.length, 'an address is on one port');
  const stored = [...store.range('port/')].map(([key]) => key.slice(key.lastIndexOf('/') + 1));
  require(stored.sort().join() ===
    ports
      .map(({ id }) => id)
      .sort()
      .join(), 'stored as it is');
  for (const port of ports) {
    require(port.state === 'created', `port ${port.name} is there`);
    for (const nic of port.nics) require(nic.state === 'connected', 'NICs are connected');
    // Rule C52: an adapter never without the external NIC.
    require(port.nics.length === 0 || port.nics.some(({ index }) => index === 0), 'index 0');
  }
  require(fabric.pending().length === 0, 'nothing hangs');
}

t.test(
  'host operations at the same time leave a switch that keeps the rules (C8, OP-36, B1, B2)',
  async (t) => {
    const act = fc.constantFrom(...(Object.keys(ACTS) as Act[]));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(act, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('fifo', 'seeded'),
        fc.string({ maxLength: 4 }),
        async (rounds, scheduling, seed) => {
          const store = new KeptStore();
          const behaviour = { internalNics: 2 };
          // Lets every third OID wait for a microtask, so that operations meet.
          let count = 0;
          const slow = extensionWith(() => ({
            oidRequest: (request) => {
              count += 1;
              if (count % 3 !== 0) return 'forward';
              queueMicrotask(() => request.forward());
              return request.pend();
            },
          }));
          const options = { clock: 'manual', store, seed, scheduling, behaviour } as const;
          const fabric = await Fabric.open(options);
          const sw = await fabric.switches.create({
            name: 'S',
            type: 'external',
            extensions: [slow],
          });
          for (const round of rounds) {
            const results = await Promise.allSettled(round.map((name) => ACTS[name](sw)));
            for (const result of results) {
              if (result.status === 'rejected' && !isExtSwitchError(result.reason))
                throw result.reason;
            }
            check(fabric, store);
          }
          const before = [...sw.ports.list()];
          await fabric.close();
          const again = await Fabric.open({ ...options, extensions: [slow] });
          check(again, store);
          const after = [...again.switches.get('S').ports.list()];
          if (JSON.stringify(after) !== JSON.stringify(before)) {
            throw new Error(`after a restart: ${JSON.stringify([before, after])}`);
          }
          await again.close();
        },
      ),
      { numRuns: 150 },
    );
    t.pass('the laws hold');
  },
);

t.test(
  'a NIC renamed while its virtual function goes with the uplink: neither undoes the other (C29, D25, S17)',
  async (t) => {
    for (let seed = 0; seed < 20; seed += 1) {
      const store = new KeptStore();
      // Each OID waits a moment, so that the operations meet.
      const slow = extensionWith(() => ({
        oidRequest: (request) => {
          queueMicrotask(() => request.forward());
          return request.pend();
        },
      }));
      const options = { clock: 'manual', extensions: [slow], seed: `${seed}` } as const;
      const scheduling = 'seeded' as const;
      const fabric = await Fabric.open({ ...options, scheduling, store });
      const sw = await fabric.switches.create({ name: 'S', type: 'external', extensions: [slow] });
      await sw.host.connectUplink({ adapters: [{ name: 'Up', virtualFunctions: 1 }] });
      const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
      await vm.start();
      const [adapter] = vm.adapters;
      await adapter?.assignVf();
      await Promise.all([
        adapter?.update({ mac: MAC }),
        sw.host.disconnectUplink(),
        adapter?.update({ name: 'New' }),
      ]);
      const { mac, name, vfAssigned } = adapter?.info ?? {};
      const expected = { mac: MAC, name: 'New', vfAssigned: false };
      t.same({ mac, name, vfAssigned }, expected, `seed ${seed}`);
      const { friendlyName, currentMac } = adapter?.port.info.nics[0] ?? {};
      t.same({ friendlyName, currentMac }, { friendlyName: 'New', currentMac: MAC });
      await fabric.close();
      const again = await Fabric.open({ ...options, store });
      t.match(again.vms.get('V').info.adapters, [expected], 'a restart');
      t.same(
        again.events.after(0).filter(({ type }) => type === 'finding'),
        [],
      );
      await again.close();
    }
  },
);

t.test(
  'a virtual function assigned while the uplink goes: what extensions were told last is what there is (H12, D25, S17)',
  async (t) => {
    let told = 0;
    for (let seed = 0; seed < 40; seed += 1) {
      const slow = extensionWith(() => ({
        oidRequest: (request) => {
          queueMicrotask(() => request.forward());
          return request.pend();
        },
      }));
      const options = { clock: 'manual', scheduling: 'seeded', seed: `${seed}` } as const;
      const fabric = await Fabric.open({ ...options, extensions: [slow] });
      const sw = await fabric.switches.create({ name: 'S', type: 'external', extensions: [slow] });
      await sw.host.connectUplink({ adapters: [{ name: 'Up', virtualFunctions: 1 }] });
      const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
      await vm.start();
      const [adapter] = vm.adapters;
      await Promise.allSettled([adapter?.assignVf(), sw.host.disconnectUplink()]);
      t.match(adapter?.info, { connected: true, vfAssigned: false }, `seed ${seed}`);
      const seen = nicViews(sw, 'NIC_UPDATED').map(({ VFAssigned }) => VFAssigned);
      if (seen.length > 0) told += 1;
      t.notOk(seen.at(-1), `seed ${seed}: not told that it has one`);
      await fabric.close();
    }
    t.ok(told > 0, 'sometimes it had one for a moment');
  },
);
