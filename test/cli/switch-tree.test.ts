import t from 'tap';
import { SWITCH } from './client-samples.ts';
import { fakeServer } from './fake-server.ts';
import { runCli } from './run-in-process.ts';
import { UPLINK, UPLINK_PORT, VM_PORT } from './vm-samples.ts';

const S = '/v1/switches/TestSwitch';
const EXTENSIONS = [
  {
    id: '5cbf81be-0000-4000-8000-000000000001',
    name: 'Watch',
    vendor: 'V',
    version: '1.0',
    type: 'capture',
    enabled: false,
    running: false,
    order: 0,
    required: false,
    desynchronized: false,
  },
  {
    id: '5cbf81be-0000-4000-8000-000000000002',
    name: 'Port ACL',
    vendor: 'V',
    version: '1.0',
    type: 'filter',
    enabled: true,
    running: true,
    order: 0,
    required: true,
    desynchronized: true,
  },
  {
    id: '5cbf81be-0000-4000-8000-000000000003',
    name: 'Learning',
    vendor: 'V',
    version: '1.0',
    type: 'forward',
    enabled: true,
    running: false,
    order: 0,
    problem: 'it threw\u001b[31m',
    required: false,
    desynchronized: false,
  },
];
const INTERNAL_PORT = {
  ...UPLINK_PORT,
  id: 'b0000000-0000-4000-8000-000000000003',
  portId: 10,
  name: 'Management',
  type: 'internal',
  state: 'teardown',
  problem: 'refused with NDIS_STATUS_RESOURCES',
  nics: [],
  names: { instanceId: 'Microsoft:S\\M' },
};
const VALIDATION_PORT = {
  ...VM_PORT,
  portId: 11,
  isValidationPort: true,
  nics: [],
  names: { ...VM_PORT.names, vmName: 'Other' },
};

const replies = {
  [`GET ${S}`]: [200, { ...SWITCH, type: 'external' }],
  [`GET ${S}/extensions?limit=1000`]: [200, { items: EXTENSIONS }],
  [`GET ${S}/ports?limit=1000`]: [
    200,
    { items: [UPLINK_PORT, VM_PORT, INTERNAL_PORT, VALIDATION_PORT] },
  ],
  [`GET ${S}/host/uplink`]: [200, UPLINK],
} as const;
const show = ['switch', 'show', 'TestSwitch'];

t.test(
  'switch show draws stack, ports, NICs, VMs and uplink, columns below each other',
  async (t) => {
    const { url } = await fakeServer(t, replies);
    const { out, code } = await runCli([...show, '--url', url], { env: { LANG: 'en_US.UTF-8' } });
    t.equal(code, 0);
    t.equal(
      out,
      `TestSwitch  external  active  0c5f1f4e-0000-4000-8000-000000000001
├─ extensions, top to bottom
│  ├─ capture  Watch     disabled                                        5cbf81be-0000-4000-8000-000000000001
│  ├─ filter   Port ACL  enabled, running      required, desynchronized  5cbf81be-0000-4000-8000-000000000002
│  └─ forward  Learning  enabled, not running                            5cbf81be-0000-4000-8000-000000000003
│     └─ it threw\\u001b[31m
└─ ports
   ├─ port 1   External     external   created   uplink, switch team    b0000000-0000-4000-8000-000000000001
   │  ├─ NIC 0  Team        connected  00-15-5d-00-01-00
   │  ├─ NIC 1  Ethernet 1  connected  00-15-5d-00-01-00                              link up    1 of 8 VFs  0 of 16 queues
   │  └─ NIC 2  Ethernet 2  created    00-15-5d-00-01-00                              link down
   ├─ port 2   TestVm eth0  synthetic  created   VM TestVm              b0000000-0000-4000-8000-000000000002
   │  └─ NIC 0  eth0        connected  00-15-5d-00-00-01  uses 02-00-00-00-00-01  VF
   ├─ port 10  Management   internal   teardown  management OS          b0000000-0000-4000-8000-000000000003
   │  └─ refused with NDIS_STATUS_RESOURCES
   └─ port 11  TestVm eth0  synthetic  created   VM Other (validation)  b0000000-0000-4000-8000-000000000002
`,
    );
  },
);

t.test('ASCII with --ascii, and without it where the locale is not UTF-8', async (t) => {
  const { url } = await fakeServer(t, replies);
  const plain = await runCli([...show, '--url', url, '--ascii'], { env: { LC_ALL: 'C.UTF-8' } });
  t.match(plain.out, '\n|- extensions, top to bottom\n|  |- capture  Watch');
  t.match(plain.out, '\n|  `- forward  Learning');
  t.match(plain.out, '\n   `- port 11');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  t.match(plain.out, /^[\u0000-\u007f]*$/);
  // POSIX: LC_ALL before LC_CTYPE before LANG; none is the C locale.
  const locales: readonly [Record<string, string>, boolean][] = [
    [{}, false],
    [{ LANG: 'C' }, false],
    [{ LANG: 'de_DE.utf8' }, true],
    [{ LC_ALL: 'C', LANG: 'en_US.UTF-8' }, false],
    [{ LC_CTYPE: 'C.UTF-8', LANG: 'C' }, true],
    [{ OS: 'Windows_NT' }, true],
  ];
  for (const [env, boxes] of locales) {
    const { out } = await runCli([...show, '--url', url], { env });
    t.equal(out.includes('├─'), boxes, JSON.stringify(env));
  }
});

t.test('colour on a terminal says what is well and what is not', async (t) => {
  const { url } = await fakeServer(t, replies);
  const { out } = await runCli([...show, '--url', url, '--ascii'], { tty: true });
  t.match(out, '\u001b[32menabled, running\u001b[39m', 'green');
  t.match(out, '\u001b[33menabled, not running\u001b[39m', 'yellow');
  t.match(out, '\u001b[2mdisabled\u001b[22m', 'dim');
  t.match(out, '\u001b[31mlink down\u001b[39m', 'red');
  t.match(out, '\u001b[33mit threw\\u001b[31m\u001b[39m', 'what an extension says drives nothing');
});

t.test('--verbose adds the names that are for machines; --json is all of it', async (t) => {
  const { url } = await fakeServer(t, replies);
  const { out } = await runCli([...show, '--url', url, '--ascii', '-v']);
  const { names } = VM_PORT;
  for (const name of [names.vmId, names.adapterId, names.nicName, names.portName]) {
    t.ok(out.includes(`  ${name}\n`), name);
  }
  t.ok(out.includes(`InstanceID  ${names.instanceId}\n`));
  t.ok(out.includes('NIC name    PCI 2\n'));
  const json = JSON.parse((await runCli([...show, '--url', url, '--json'])).out);
  t.equal(json.name, 'TestSwitch');
  t.strictSame(json.extensions, EXTENSIONS);
  t.equal(json.ports.length, 4);
  t.strictSame(json.uplink, UPLINK);
});

t.test(
  'an empty switch, one whose external port is no uplink, and a server that fails',
  async (t) => {
    const empty = await fakeServer(t, {
      [`GET ${S}`]: [200, { ...SWITCH, isActive: false }],
      [`GET ${S}/extensions?limit=1000`]: [200, { items: [] }],
      [`GET ${S}/ports?limit=1000`]: [
        [200, { items: [] }],
        [200, { items: [UPLINK_PORT] }],
        [200, { items: [UPLINK_PORT] }],
      ],
      [`GET ${S}/host/uplink`]: [
        [404, { title: 'Not found', detail: 'no uplink' }],
        [503, { title: 'The store is not available' }],
      ],
    });
    const run = () => runCli([...show, '--url', empty.url, '--ascii']);
    t.equal(
      (await run()).out,
      `TestSwitch  private  not active  ${SWITCH.id}\n|- no extensions\n\`- no ports\n`,
    );
    const lone = await run();
    t.equal(lone.code, 0);
    t.match(lone.out, `external  created  ${UPLINK_PORT.id}\n`);
    const failed = await run();
    t.equal(failed.code, 1);
    t.match(failed.err, 'The store is not available (503)');
  },
);
