import t from 'tap';
import { Fabric } from '../../src/policy/fabric.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';

// Found by the simulation: seed 730088.
t.test(
  'a VM whose start is taken back while it migrates arrives off, without the ports of a running one (G37, S3, S12)',
  async (t) => {
    const hosts = new LocalHosts();
    const open = async (name: string, seed: string): Promise<Fabric> => {
      const fabric = await Fabric.open({ name, hosts, seed, scheduling: 'seeded' });
      await fabric.switches.create({ name: 'S' });
      return fabric;
    };
    let arrivedOff = 0;
    // Whether the migration prepares before the start is taken back is for the seed to say.
    for (let seed = 0; seed < 12; seed += 1) {
      const [a, b] = [await open('a', `a${seed}`), await open('b', `b${seed}`)];
      const vm = await a.vms.create({ name: 'vm', adapters: [{ switch: 'S' }] });
      a.faults.add({ at: 'store', effect: 'fail', nth: 1, times: 1 });
      const starting = vm.start().then(
        () => true,
        () => false,
      );
      const moving = a.migrations
        .start({ vm: 'vm', destination: { host: 'b' } })
        .then(({ id }) => a.migrations.done(id));
      const [isStarted] = await Promise.all([starting, moving.catch(() => undefined)]);
      const [arrived] = [...b.vms.list()];
      if (!isStarted && arrived !== undefined) {
        arrivedOff += 1;
        t.equal(arrived.state, 'off', `seed ${seed}`);
        t.notOk('port' in (arrived.adapters[0] ?? {}), `seed ${seed}: no port`);
        const ports = [...b.switches.get('S').ports.list()];
        t.strictSame(
          ports.filter(({ type }) => type === 'synthetic'),
          [],
          `seed ${seed}: nor at the switch`,
        );
      }
      await Promise.all([a.close(), b.close()]);
    }
    t.ok(arrivedOff > 0, `${arrivedOff} of 12`);
  },
);
