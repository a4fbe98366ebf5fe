import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { serve } from '../cli/serve-process.ts';
import { askServer, blocks, files, run, withoutCurl } from './page-runner.ts';

// Servers and examples are processes, on whatever machine.
t.setTimeout(120_000);

const ROOT = process.cwd();
const page = (name: string) => readFileSync(join('extensions', name, 'README.md'), 'utf8');

/** What the curl commands of each README answer, from the tables of the same page. */
const ANSWERS: Readonly<Record<string, readonly unknown[]>> = {
  passthrough: [
    { name: 'Marked' },
    { enabled: true, running: true },
    { name: 'A' },
    { settings: { Marker: 5, Label: 'rack 7' }, delivered: true },
    {
      items: [
        {
          oid: 'OID_SWITCH_PORT_PROPERTY_ADD',
          route: [
            { module: '8b0f1c3e-52a6-4d0c-9f6a-3f5d7e21a001', verdict: 'forward' },
            { module: 'miniportEdge' },
          ],
        },
      ],
    },
  ],
  'port-acl': [
    { name: 'Guarded' },
    { enabled: true, running: true },
    { name: 'A' },
    { settings: { Action: 1, Direction: 1, Weight: 100, LocalAddress: 'any' } },
    { status: 409, ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED' },
    { data: { RulesHeld: 1, AllowRules: 1, Adds: '2', Accepted: '1', Vetoed: '1' } },
  ],
  'mac-forward': [
    { name: 'Closed' },
    { enabled: true, running: true },
    { portId: 1 },
    { mac: '00-15-5d-00-00-01', state: 'connected' },
    { settings: { MacAddress: [0, 0x15, 0x5d, 0, 0, 1] } },
    { data: { PortIds: [1] } },
  ],
};

t.test(
  'the bundled extensions are on a server that was just started; curl as the READMEs have it',
  { skip: withoutCurl },
  async (t) => {
    const served = await serve(t, ['--store', 'memory', '--port', '0', '--print', 'json']);
    const { url } = JSON.parse(served.first) as { url: string };
    for (const [name, answers] of Object.entries(ANSWERS)) {
      const got = await askServer(page(name), url);
      t.equal(got.length, answers.length, name);
      t.match(got, answers, name);
    }
    served.child.kill('SIGTERM');
    await once(served.child, 'exit');
  },
);

for (const name of Object.keys(ANSWERS)) {
  t.test(`${name}: the library example prints what the README shows`, async (t) => {
    const example = files(page(name))['example.ts'] ?? '';
    const file = join(t.testdir({}), 'example.mts');
    writeFileSync(file, example.replaceAll("from './", `from '${ROOT}/`));
    const { code, out, err } = await run(
      `"${process.execPath}" --import tsx "${file}"`,
      ROOT,
      process.env,
    );
    t.equal(code, 0, err);
    const shown = blocks(page(name)).find(({ mark }) => mark === 'output')?.text;
    t.equal(out, shown);
  });
}
