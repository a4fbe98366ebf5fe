import t from 'tap';
import { check } from './checks.ts';
import { ask } from './client.ts';
import { VmLedger } from './ledger.ts';
import { skipChaos } from './play-all.ts';
import { Random } from './random.ts';
import { settle } from './settle.ts';
import { ChaosWorld } from './world.ts';

/* The chaos tests would be worth nothing if what they look for were not found: here it is planted. */

const SETTING = 'Chaos_PortSettingData';

t.test('what is lost, torn or mixed up is found', { skip: skipChaos }, async (t) => {
  const world = await ChaosWorld.open({ random: new Random('planted'), hosts: 2, vmsPerHost: 1 });
  t.teardown(() => world.close());
  const [a, b] = world.hosts;
  const [vm, other] = world.vms;
  if (a === undefined || b === undefined || vm === undefined || other === undefined) {
    throw new Error('the world has two hosts with a VM each');
  }
  const change = async (method: 'POST' | 'DELETE' | 'PUT', path: string, body?: object) => {
    const outcome = await ask(a.url, method, path, body);
    if (outcome.kind !== 'done') throw new Error(`${method} ${path}: ${outcome.code}`);
    return outcome.body;
  };
  const policies = `/v1/vms/${vm.id}/adapters/nic/properties`;
  const add = (value: number) =>
    change('POST', policies, { feature: SETTING, settings: { Value: value } });
  t.strictSame(await settle(world), []);
  t.strictSame(await check(world), [], 'nothing is wrong at first');

  const { id } = await add(1);
  t.match(await check(world), [/policy .* with value 1 was not asked for, or refused/]);
  t.strictSame(await check(world), [], 'what was found once is known');
  vm.slots.push({ id: String(id).replace(/^./, 'x'), possible: new Set([5]) });
  t.match(await check(world), [/policy .* is not there, expected 5/], 'a lost one');
  await change('PUT', `${policies}/${id}`, { settings: { Value: 2 } });
  t.match(await check(world), [/policy .* is 2, expected 1/], 'another value');
  for (const slot of vm.slots) slot.possible.add(undefined).add(3);
  await change('PUT', `${policies}/${id}`, { settings: { Value: 3 } });
  t.strictSame(await check(world), [], 'what went unanswered may be either');

  await change('POST', `/v1/vms/${vm.id}/start`);
  t.match(await check(world), [/it is running, expected off/]);
  vm.token = '0123456789abcdef';
  t.match(await check(world), [/its run-time data is .*, it was 0123456789abcdef/]);
  vm.migration = {
    ...{ id: 'none', from: 'b', to: 'a', startsOfDestination: a.starts },
    token: 'fedcba9876543210',
  };
  t.strictSame(await check(world), [], 'a migration that is not known says nothing');
  vm.states = new Set(['saved']);
  await change('POST', `/v1/vms/${vm.id}/save`);
  vm.blob = '["", ""]';
  t.match(await check(world), [/its saved run-time data is not what was saved/]);

  await change('POST', '/hosts/b/v1/switches/Lan/ports', { name: 'left behind' });
  t.match(await check(world), [/host b has a port that is no VM's/]);
  world.vms.push(new VmLedger('ghost', '00000000-0000-4000-8000-000000000000'));
  t.match(await check(world), [/has a port/, /VM ghost is on no host, not on one/]);
  world.vms.splice(world.vms.indexOf(other), 1);
  t.match(await check(world), [/has a port/, /VM ghost/, /host b has a VM that nobody made/]);

  await b.process?.kill('SIGKILL');
  t.match(await check(world), [/host b does not list its VMs/], 'a host that is not there');
});
