import t, { type Test } from 'tap';
import { COMMANDS } from '../../src/cli/verbs.ts';
import { FAULT_ACTS, FAULT_EFFECTS, FAULT_PLACES } from '../../src/policy/faults-api.ts';
import { FAILING_CALLS } from '../../switch/fault-points.ts';
import { openPlane, withPort } from '../http/plane.ts';
import { runCli } from './run-in-process.ts';

/** A plane that listens, and the command line against it. */
async function listening(t: Test) {
  const plane = await openPlane(t);
  const url = await plane.app.listen({ host: '127.0.0.1', port: 0 });
  return { ...plane, cli: (...words: string[]) => runCli(['fault', ...words, '--url', url]) };
}

t.test('fault: added, met, listed, updated, removed, cleared', async (t) => {
  const plane = await listening(t);
  const { cli, call } = plane;
  await withPort(plane);
  const none = await cli('list');
  t.equal(`${none.out}${none.err}`.trim(), 'there are no fault rules');
  const create = ['--at', 'oid', '--oid', 'OID_SWITCH_PORT_CREATE', '--effect', 'status'];
  t.equal(
    (await cli('add', ...create, '-e', 'Test Filter', '-s', 's', '--times', '1')).out,
    'fault rule fault-1: NDIS_STATUS_RESOURCES at oid (OID_SWITCH_PORT_CREATE, extension Test Filter, switch s; once)\n',
  );
  const refused = await call('POST', '/v1/switches/s/ports', { name: 'x' });
  t.match(refused.body, { status: 409, ndisStatus: 'NDIS_STATUS_RESOURCES' });
  t.equal((await call('POST', '/v1/switches/s/ports', { name: 'x' })).status, 201, 'once');
  const listed = await cli('list');
  t.match(listed.out, /^ID +AT +WHAT +EFFECT +WHEN +MATCHED +HITS$/m);
  t.match(
    listed.out,
    /^fault-1 +oid +OID_SWITCH_PORT_CREATE, extension Test Filter, switch s +NDIS_STATUS_RESOURCES +once +2 +1$/m,
  );
  const updated = await cli('update', 'fault-1', '--probability', '0.25', '--unset', 'times');
  t.match(updated.out, /probability 0\.25\)\n$/);
  t.match(JSON.parse((await cli('list', '--json')).out)[0], {
    probability: 0.25,
    matched: 2,
    hits: 1,
    times: undefined,
  });
  t.equal((await cli('remove', 'fault-1')).out, 'removed fault rule fault-1\n');
  t.match((await cli('remove', 'fault-1')).err, 'there is no fault rule "fault-1"');
  await cli('add', '--at', 'store', '--effect', 'delay', '--delay-ms', '5', '--id', 'late');
  t.equal((await cli('clear')).out, 'removed all fault rules\n');
  t.strictSame((await call('GET', '/v1/sim/faults')).body.items, []);
});

t.test('fault: what is wrong on the command line, or for the server, is said', async (t) => {
  const { cli } = await listening(t);
  for (const [words, err] of [
    [['add', '--at', 'oid'], '--effect'],
    [['add', '--at', 'disk', '--effect', 'fail'], '--at'],
    [['add', '--at', 'oid', '--effect', 'hang', '--probability', 'often'], 'from 0 to 1'],
    [['update', 'fault-1'], 'say what changes'],
    [['update', 'fault-1', '--unset', 'colour'], 'expected one of at, effect'],
  ] as const) {
    const { code, err: said } = await cli(...words);
    t.equal(code, 2, words.join(' '));
    t.match(said, err);
  }
  const wrong = await cli('add', '--at', 'store', '--effect', 'hang');
  t.equal(wrong.code, 1);
  t.match(wrong.err, 'effect: expected one of fail, delay, act at "store", found "hang"');
});

t.test('fault add offers what the library has', (t) => {
  const spec = COMMANDS.find(({ words }) => words.join(' ') === 'fault add');
  const choices = (name: string) => spec?.flags.find((flag) => flag.name === name)?.choices;
  t.strictSame(choices('at'), FAULT_PLACES);
  t.strictSame(choices('act'), FAULT_ACTS);
  t.strictSame(choices('call'), FAILING_CALLS);
  const effects = FAULT_EFFECTS.filter((effect) => !effect.startsWith('crash'));
  t.strictSame(choices('effect'), effects, 'a server is not made to crash');
  t.end();
});
