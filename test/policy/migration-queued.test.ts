import t from 'tap';
import { Fabric } from '../../src/policy/fabric.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import { FABRIKAM_MOF } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';

const SETTING = 'Fabrikam_PortCustomSettingData';

t.test(
  'a migration that begins behind a change the store refuses: the change is undone, the migration ends, the VM stays (G36)',
  async (t) => {
    const hosts = new LocalHosts();
    const store = new FailingStore();
    const source = await Fabric.open({ hosts, store, name: 'source', clock: 'manual', seed: 's' });
    const target = await Fabric.open({ hosts, name: 'target', clock: 'manual', seed: 't' });
    for (const host of [source, target]) {
      await host.features.register(FABRIKAM_MOF);
      await host.switches.create({ name: 'S' });
    }
    const vm = await source.vms.create({ name: 'V', adapters: [{ name: 'n', switch: 'S' }] });
    await vm.start();
    const added = await vm.adapter('n').properties.add(SETTING, { SettingIntA: 1 });
    store.holding = true;
    const saved = vm.save();
    const begun = source.migrations.start({ vm: 'V', destination: { host: 'target' } });
    await new Promise((done) => setImmediate(done));
    store.failing = true;
    store.release();
    store.holding = false;
    store.failing = false;
    await t.rejects(saved, { code: 'STORE_UNAVAILABLE' });
    const { id } = await begun;
    const ended = await source.migrations.done(id);
    t.ok(ended.state === 'failed' || ended.state === 'succeeded', ended.state);
    const owner = ended.state === 'succeeded' ? target : source;
    const other = owner === source ? target : source;
    t.equal(owner.vms.get('V').info.state, 'running');
    t.throws(() => other.vms.get('V'), { code: 'NOT_FOUND' });
    const [property] = owner.vms.get('V').adapter('n').properties.list();
    t.match(property, { id: added.id, settings: { SettingIntA: 1 } });
    // The world takes changes again.
    await owner.vms.get('V').pause();
    await source.close();
    await target.close();
  },
);
