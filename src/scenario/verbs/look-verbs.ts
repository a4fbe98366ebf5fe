import type { PropertyInfo } from '../../policy/api.ts';
import { canonical } from '../canonical.ts';
import { difference, fail, hasMembers, isLike, pairUp } from '../expectation.ts';
import { anyValue, listOf, need, objectOf, oneOf, text, whole, yesNo } from '../field.ts';
import {
  adapterName,
  checkSettings,
  extensionAlias,
  featureName,
  hostName,
  settings,
  switchName,
  vmName,
} from '../name-fields.ts';
import type { Reader } from '../reader.ts';
import type { SourceNode } from '../source-node.ts';
import { type Verb, verb } from '../verb.ts';
import { checkTarget, TARGET, valueAt } from './property-verbs.ts';

const POLICY = objectOf('one policy', {
  feature: need(featureName()),
  settings: settings('members it must have; those not named are not looked at'),
});

interface PolicyLike {
  readonly feature: string;
  readonly settings: Readonly<Record<string, unknown>> | undefined;
}

const fits = ({ feature, settings: members = {} }: PolicyLike, found: PropertyInfo): boolean => {
  const id = feature.toLowerCase().replace(/^\{|\}$/g, '');
  const isOf = found.feature.toLowerCase() === id || found.featureId === id;
  return isOf && hasMembers(found.settings, members);
};

const shownPolicy = ({ feature, settings: members }: PolicyLike): string =>
  members === undefined ? feature : `${feature} ${canonical(members)}`;

/** Members of the classes in a list of policies. */
function checkPolicies(list: SourceNode | undefined, reader: Reader): void {
  const items = list?.kind === 'list' ? list.items : list === undefined ? [] : [list];
  for (const item of items) {
    const feature = valueAt(item, 'feature');
    if (feature?.kind !== 'scalar') continue;
    checkSettings(valueAt(item, 'settings'), String(feature.value), reader);
  }
}

const EXPECT_PROPERTIES = verb({
  name: 'expectProperties',
  group: 'looks',
  help: 'The policies of an adapter, a switch or a port. With `host`, a VM has to be there.',
  fields: {
    ...TARGET,
    equal: listOf(POLICY, 'exactly these, in any order'),
    contains: listOf(POLICY, 'these among others'),
    absent: listOf(featureName('a feature'), 'none of these features'),
    count: whole('so many'),
  },
  check(values, node, reader) {
    checkTarget(values, node, reader);
    checkPolicies(valueAt(node, 'equal'), reader);
    checkPolicies(valueAt(node, 'contains'), reader);
    const { equal, contains, absent, count } = values;
    if ([equal, contains, absent, count].every((each) => each === undefined)) {
      reader.problems.add(node.place, 'expected one of equal, contains, absent, count');
    }
  },
  async run({ equal, contains, absent = [], count, ...target }, runtime) {
    const { owner, all } = runtime.properties(target);
    const found = [...all.list()];
    const shown = found.map((each) => shownPolicy(each));
    if (count !== undefined && found.length !== count) {
      fail(difference(`${owner}: number of policies`, count, found.length));
    }
    if (equal !== undefined) {
      const { missing, extra } = pairUp(equal, found, fits);
      if (missing.length + extra.length > 0) {
        fail(difference(`${owner}: the policies differ`, equal.map(shownPolicy), shown));
      }
    }
    const { missing } = pairUp(contains ?? [], found, fits);
    if (missing.length > 0) {
      fail(difference(`${owner}: policies are missing`, missing.map(shownPolicy), shown));
    }
    for (const feature of absent) {
      const there = found.find((each) => fits({ feature, settings: {} }, each));
      if (there !== undefined)
        fail(`${owner}: expected no ${feature}, found ${shownPolicy(there)}`);
    }
  },
});

const EXPECT_STATUS = verb({
  name: 'expectStatus',
  group: 'looks',
  help: 'Asks the extensions for a feature status (F1) and compares the members that are named.',
  fields: {
    ...TARGET,
    feature: need(featureName('class name or id of the status')),
    equal: need(settings('members it must have')),
  },
  check(values, node, reader) {
    checkTarget(values, node, reader);
    checkSettings(valueAt(node, 'equal'), values.feature, reader);
  },
  async run({ feature, equal, ...target }, runtime) {
    const { vm, switch: sw = '', port, host } = target;
    const asked =
      vm !== undefined
        ? runtime.adapter(target)
        : port === undefined
          ? runtime.switch(sw, host).sw
          : runtime.switch(sw, host).sw.ports.get(port);
    const { data } = await asked.status(feature);
    if (!hasMembers(data, equal)) fail(difference(`status ${feature}`, equal, data));
  },
});

const EXPECT_STATE = verb({
  name: 'expectState',
  group: 'looks',
  help: 'The state of a VM and of its adapter, port and NIC. With `host`, the VM has to be there.',
  fields: {
    vm: need(vmName()),
    host: hostName(),
    state: oneOf('of the VM', ['off', 'running', 'paused', 'saved']),
    adapter: adapterName(),
    connected: yesNo('its NIC is connected'),
    switch: switchName('it is configured to connect to this one'),
    port: oneOf('state of its port', ['created', 'teardown', 'deleted', 'none']),
    nic: oneOf('state of its NIC', ['created', 'connected', 'disconnected', 'deleted', 'none']),
  },
  async run({ vm, host, state, adapter, ...rest }, runtime) {
    const handle = runtime.vm(vm, host).vm;
    const check = (what: string, expected: unknown, found: unknown): void => {
      if (expected !== undefined && expected !== found) {
        fail(difference(`VM ${vm}: ${what}`, expected, found));
      }
    };
    check('state', state, handle.info.state);
    if (Object.values(rest).every((each) => each === undefined)) return;
    const { info } = runtime.adapter({ vm, host, adapter });
    check('connected', rest.connected, info.connected);
    check('switch', rest.switch, info.switch?.name);
    check('port', rest.port, info.port?.state ?? 'none');
    check('NIC', rest.nic, info.port?.nics[0]?.state ?? 'none');
  },
});

const EXPECT_BLOBS = verb({
  name: 'expectBlobs',
  group: 'looks',
  help: 'The saved records of a VM: run-time data that its extensions gave.',
  fields: {
    vm: need(vmName()),
    count: whole('so many of all adapters'),
    equal: listOf(
      objectOf('one record', {
        extension: need(extensionAlias('whose it is')),
        bytes: whole('its length'),
        text: text('its bytes as UTF-8 text'),
      }),
      'exactly these, in any order',
    ),
  },
  async run({ vm, count, equal }, runtime) {
    const { host, vm: handle } = runtime.vm(vm);
    const records = host.savedRecords(handle.info.id);
    if (count !== undefined && records.length !== count) {
      fail(difference(`VM ${vm}: number of saved records`, count, records.length));
    }
    if (equal === undefined) return;
    const found = records.map(({ extensionId, data }) => ({
      extension: host.aliasOf(extensionId) ?? runtime.aliasOf(extensionId) ?? extensionId,
      bytes: data.length,
      text: Buffer.from(data).toString('utf8'),
    }));
    const { missing, extra } = pairUp(equal, found, (one, each) =>
      Object.entries(one).every(
        ([name, value]) => value === undefined || value === each[name as keyof typeof each],
      ),
    );
    if (missing.length + extra.length > 0) {
      fail(difference(`VM ${vm}: the saved records differ`, equal, found));
    }
  },
});

const EXPECT_RESTORE = verb({
  name: 'expectRestore',
  group: 'looks',
  help: 'What the last restore, or migration, found (G23-G27).',
  fields: {
    restored: whole('records that an extension took'),
    unowned: whole('records that nobody took: kept, not lost'),
  },
  async run({ restored, unowned }, { state }) {
    const report = state.lastRestore ?? fail('no step has restored anything so far');
    for (const [what, expected, found] of [
      ['restored', restored, report.restored],
      ['unowned', unowned, report.unowned.length],
    ] as const) {
      if (expected !== undefined && expected !== found) fail(difference(what, expected, found));
    }
  },
});

const EXPECT_EVENTS = verb({
  name: 'expectEvents',
  group: 'looks',
  help: 'State changes since the beginning of the last step that did something, or of the scenario.',
  fields: {
    since: oneOf('default `step`', ['step', 'begin']),
    host: hostName('only of this host'),
    contains: need(
      listOf(
        anyValue('members that the data of the event must have', 'map of members', {
          type: 'object',
        }),
        'these events among others',
      ),
    ),
  },
  async run({ since = 'step', host, contains }, { state: { recorder } }) {
    const lines = since === 'step' ? recorder.lastStep() : recorder.timeline;
    const found = lines
      .filter((line) => line.kind === 'event')
      .filter((line) => host === undefined || line.host === host)
      .map(({ data }) => data);
    const { missing } = pairUp(contains, found, (one, each) => isLike(each, one));
    if (missing.length > 0) fail(difference('events are missing', missing, found));
  },
});

const EXPECT_FINDINGS = verb({
  name: 'expectFindings',
  group: 'looks',
  help: 'Findings so far. Those of severity error fail the scenario unless they are expected here.',
  fields: {
    rule: text('only those of this rule'),
    message: text('only those with this text in their message'),
    count: whole('so many, default at least one'),
  },
  async run({ rule, message, count }, { state }) {
    const found = state.recorder.findings.filter(
      ({ data }) =>
        (rule === undefined || data['rule'] === rule) &&
        (message === undefined || String(data['message']).includes(message)),
    );
    const all = state.recorder.findings.map(({ data }) => `${data['rule']} ${data['message']}`);
    if (count === undefined ? found.length === 0 : found.length !== count) {
      fail(
        difference(
          'findings',
          count ?? 'at least one',
          `${found.length} of ${all.length}: ${all.join('; ')}`,
        ),
      );
    }
    for (const line of found) state.expectedFindings.add(line);
  },
});

export const LOOK_VERBS: readonly Verb[] = [
  EXPECT_PROPERTIES,
  EXPECT_STATUS,
  EXPECT_STATE,
  EXPECT_BLOBS,
  EXPECT_RESTORE,
  EXPECT_EVENTS,
  EXPECT_FINDINGS,
];
