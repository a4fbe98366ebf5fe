import fc from 'fast-check';
import t from 'tap';
import { parseAddressRange } from '../../extensions/port-acl/address.ts';
import portAcl from '../../extensions/port-acl/extension.ts';
import { parseRule } from '../../extensions/port-acl/rule.ts';
import { RuleTable } from '../../extensions/port-acl/rule-table.ts';
import {
  type ExtensionHandlers,
  NdisStatus,
  type PortProperty,
  type SwitchContext,
} from '../../src/sdk/index.ts';

const RULE = 'ExtSwitch_PortAclRuleSettingData';
const UNKNOWN_ID = 'ffffffff-0000-0000-0000-000000000001';

/** The extension's handlers on a context made by hand, for what this switch never sends. */
function attached(context: Partial<SwitchContext> = {}) {
  const log: string[] = [];
  const sw = {
    log: (message: string) => log.push(message),
    ...context,
  } as unknown as SwitchContext;
  const handlers: ExtensionHandlers = portAcl.attach(sw);
  let id = 0;
  const property = (more: Partial<PortProperty> = {}): PortProperty => {
    id += 1;
    return {
      feature: RULE,
      portId: 1,
      propertyType: 'custom',
      propertyId: '2d6e9b54-7c1f-4e0b-8a35-90c4d1f7b102',
      propertyInstanceId: UNKNOWN_ID,
      propertyVersion: 0x0100,
      serializationVersion: 1,
      raw: new Uint8Array(220),
      settings: {
        Action: 1,
        Direction: 1,
        Weight: 1,
        Protocol: 0,
        LocalPortFirst: 0,
        LocalPortLast: 65535,
        RemotePortFirst: 0,
        RemotePortLast: 65535,
      },
      request: { id } as PortProperty['request'],
      ...more,
    };
  };
  return { handlers, property, log };
}

t.test(
  'OP-5: an own rule that is not held: UPDATE and DELETE end with INVALID_PARAMETER',
  async (t) => {
    const { handlers, property, log } = attached();
    t.equal(handlers.updatePortProperty?.(property()), NdisStatus.INVALID_PARAMETER);
    t.equal(handlers.deletePortProperty?.(property()), NdisStatus.INVALID_PARAMETER);
    t.match(log, [/is not held/, /is not held/]);
    t.equal(handlers.addPortProperty?.(property()), 'forward', 'on a port it never saw');
    t.equal(handlers.updatePortProperty?.(property()), 'forward');
  },
);

t.test('older versions, other serializations and bytes that fit no class are vetoed', async (t) => {
  const { handlers, property, log } = attached();
  for (const more of [
    { propertyVersion: 0x00ff },
    { serializationVersion: 2 },
    { settings: undefined },
  ]) {
    t.equal(handlers.addPortProperty?.(property(more)), NdisStatus.DATA_NOT_ACCEPTED);
  }
  t.match(log, [
    /class version 255, expected 256 or newer/,
    /serialization version 2, expected 1/,
    /its bytes do not fit the class/,
  ]);
});

t.test(
  'E34: a rule of fewer bytes than its class is INVALID_LENGTH with BytesNeeded',
  async (t) => {
    const { handlers, property } = attached();
    const short = property({ raw: new Uint8Array(219) });
    t.equal(handlers.addPortProperty?.(short), NdisStatus.INVALID_LENGTH);
    t.equal(short.request.bytesNeeded, 220);
  },
);

t.test(
  'an inactive switch is not asked; on activation what cannot be enforced is left out (rules A70, J12, A72)',
  async (t) => {
    const entry = (propertyInstanceId: string, Action: number) => ({
      propertyInstanceId,
      propertyVersion: 0x0100,
      raw: new Uint8Array(0),
      settings: {
        Action,
        Direction: 1,
        Weight: 1,
        Protocol: 0,
        LocalPortFirst: 0,
        LocalPortLast: 65535,
        RemotePortFirst: 0,
        RemotePortLast: 65535,
      },
    });
    const asked: number[] = [];
    const { handlers, log } = attached({
      parameters: () => ({ name: '', friendlyName: '', numSwitchPorts: 2, isActive: false }),
      ports: () => [
        {
          portId: 1,
          name: '',
          friendlyName: '',
          type: 'synthetic',
          state: 'created',
          isValidationPort: false,
        },
        {
          portId: 2,
          name: '',
          friendlyName: '',
          type: 'synthetic',
          state: 'teardown',
          isValidationPort: false,
        },
      ],
      portProperties: (portId) => {
        asked.push(portId);
        return [entry('a', 1), entry('b', 2), entry('c', 9)];
      },
    });
    await handlers.restart?.();
    t.strictSame(asked, []);
    handlers.activate?.();
    t.strictSame(asked, [1], 'rule E48: not the port in teardown');
    t.match(log, [/left out: rule b of port 1 contradicts/, /left out: rule c of port 1: Action/]);
  },
);

t.test('parseAddressRange: equal ranges have equal keys', async (t) => {
  const same: readonly (readonly string[])[] = [
    ['', 'any', ' ANY '],
    ['10.1.2.3', '10.1.2.3/32'],
    ['10.1.2.3/8', '10.0.0.0/8', '10.255.255.255/8'],
    ['10.1.2.255/25', '10.1.2.128/25'],
    ['0.0.0.0/0', '255.255.255.255/0'],
    ['::1', '0:0:0:0:0:0:0:1', '::0.0.0.1', '0::0001/128'],
    ['2001:DB8::/32', '2001:db8:ffff::1/32', '2001:db8:0:0:0:0:0:0/32'],
    ['fe80::/10', 'febf::1/10'],
    ['::', '0::0', '0:0:0:0:0:0:0:0'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ];
  const keys = same.map((texts) => {
    const found = new Set(texts.map((text) => parseAddressRange(text)?.key));
    t.equal(found.size, 1, texts.join(', '));
    return [...found][0];
  });
  t.equal(new Set(keys).size, same.length);
  t.notOk(keys.includes(undefined));
  const none = [
    'x',
    '10',
    '10.0.0',
    '10.0.0.0.0',
    '10.0.0.01',
    '10.0.0.-1',
    '10.0.0.1/',
    '10.0.0.1/08',
    '10.0.0.1/1/2',
    '256.0.0.1',
    ':',
    ':::',
    '1:2',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    '::1%eth0',
    '1:2:3:4:5:6:7:8::',
    '1.2.3.4::',
    '::1.2.3',
    '::1.2.3.256',
    '::/129',
    '10.0.0.1 /8',
    '1:2:3:4:5:6:7:1.2.3.4',
  ];
  for (const text of none) t.equal(parseAddressRange(text), undefined, text);
});

t.test('law: masking an IPv4 address by its prefix never changes its range', async (t) => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.integer({ min: 0, max: 32 }), (address, prefix) => {
      const text = (value: number) =>
        [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
      const network = Math.floor(address / 2 ** (32 - prefix)) * 2 ** (32 - prefix);
      t.equal(
        parseAddressRange(`${text(address)}/${prefix}`)?.key,
        parseAddressRange(`${text(network)}/${prefix}`)?.key,
      );
    }),
    { numRuns: 100 },
  );
});

t.test('parseRule names the member that is wrong', async (t) => {
  const good = {
    Action: 1,
    Direction: 1,
    Weight: 1,
    Protocol: 6,
    LocalPortFirst: 0,
    LocalPortLast: 1,
    RemotePortFirst: 0,
    RemotePortLast: 1,
  };
  t.match(parseRule(good), { rule: { action: 'allow' } });
  t.match(parseRule({ ...good, Weight: -1 }), { malformed: /^Weight must be a number, found -1/ });
  t.match(parseRule({ ...good, Weight: 'x' }), { malformed: /^Weight/ });
  t.match(parseRule({ ...good, Protocol: 256 }), {
    malformed: /^Protocol must be 0 \(any\) to 255/,
  });
  t.match(parseRule({ ...good, LocalPortLast: 65536 }), { malformed: /^LocalPortLast/ });
  t.match(parseRule({ ...good, Protocol: 0 }), {
    malformed: /^LocalPortFirst must be 0 to 65535 for any protocol, found 0 to 1/,
  });
  t.match(parseRule({ ...good, Protocol: 1 }), { malformed: /for protocol 1/ });
  t.match(parseRule({}), { malformed: /^Action/ });
  for (const Protocol of [6, 17, 33, 132, 136])
    t.match(parseRule({ ...good, Protocol }), { rule: {} });
});

t.test('RuleTable: what a change gives back takes it back', async (t) => {
  const table = new RuleTable();
  table.delete('unknown')();
  t.equal(table.size, 0);
  const allow = { action: 'allow', key: 'k' } as const;
  const deny = { action: 'deny', key: 'k' } as const;
  const undoAdd = table.set('a', allow);
  const undoUpdate = table.set('a', deny);
  t.notOk(table.contradicts(allow, 'a'), 'the rule itself does not count');
  t.ok(table.contradicts(allow, 'b'));
  undoUpdate();
  t.notOk(table.contradicts(allow, 'b'));
  t.ok(table.contradicts(deny, 'b'));
  const undoDelete = table.delete('a');
  t.notOk(table.contradicts(deny, 'b'));
  undoDelete();
  t.ok(table.contradicts(deny, 'b'));
  undoAdd();
  t.notOk(table.has('a'));
  table.set('a', allow);
  table.clear();
  t.notOk(table.contradicts(deny, 'b'));
});
