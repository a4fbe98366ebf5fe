import { ExtSwitchError } from '../../core/errors.ts';
import type { MigrationInfo } from '../../policy/migration-api.ts';
import { difference, fail, hasMembers, pairUp } from '../expectation.ts';
import { anyValue, listOf, need, text, yesNo } from '../field.ts';
import { hostName, switchName, vmName } from '../name-fields.ts';
import type { Runtime } from '../runtime.ts';
import { type Verb, verb } from '../verb.ts';
import { given } from './vm-verbs.ts';

const DESTINATION = {
  vm: need(vmName()),
  to: hostName('host it goes to'),
  switch: switchName('switch there for every adapter; default the name it has here'),
};

function keep({ state }: Runtime, info: MigrationInfo): void {
  state.lastMigration = info;
  state.lastReport = info.report ?? state.lastReport;
  state.lastRestore = info.restore ?? state.lastRestore;
}

/** What a failed migration says, as the error it would have been. */
function refusal({ steps, error, report }: MigrationInfo): ExtSwitchError {
  const step = steps.find(({ state }) => state === 'failed');
  const problem = report?.problems.find(({ severity }) => severity === 'error');
  const where = step === undefined ? '' : ` (step ${step.name})`;
  const place = {
    oid: step?.oid,
    ndisStatus: step?.ndisStatus ?? problem?.ndisStatus,
    extensionId: problem?.extensionId,
    rule: problem?.rule,
  };
  return new ExtSwitchError(
    (error?.code ?? 'INTERNAL') as ExtSwitchError['code'],
    `${error?.message ?? 'the migration failed'}${where}`,
    given(place) as { oid?: string },
  );
}

const MIGRATE = verb({
  name: 'migrate',
  group: 'hosts',
  help:
    'Moves a VM to another host with its policies and the run-time data of its extensions, live when it runs (S11, S12). A step ' +
    'that fails leaves it where it was.',
  isApart: true,
  fields: {
    ...DESTINATION,
    to: need(DESTINATION.to),
    dryRun: yesNo('only the report'),
    begin: yesNo('goes on with the next step at once; `settleMigrations` waits for its end'),
  },
  async run({ vm, to, switch: sw, dryRun = false, begin = false }, runtime) {
    const { host } = runtime.vm(vm);
    const destination = { host: to, ...(sw === undefined ? {} : { switch: sw }) };
    const { migrations } = host.fabric;
    const move = async (): Promise<MigrationInfo> => {
      const begun = await migrations.start({ vm, destination, dryRun });
      return begin ? begun : migrations.done(begun.id);
    };
    const info = await Promise.race([move(), host.death()]);
    if (info === 'died') return `host ${host.name} died`;
    keep(runtime, info);
    if (dryRun || begin || info.state === 'succeeded') return undefined;
    throw refusal(info);
  },
});

const COMPARE = verb({
  name: 'compareVm',
  group: 'hosts',
  help: 'Asks whether a VM could run on another host or switch, and why not; nothing moves (Compare-VM).',
  fields: DESTINATION,
  async run({ vm, to, switch: sw }, runtime) {
    const { host, vm: handle } = runtime.vm(vm);
    const destination = { host: to ?? '', ...(sw === undefined ? {} : { switch: sw }) };
    runtime.state.lastReport =
      to === undefined
        ? await handle.compare(sw)
        : await host.fabric.migrations.compare({ vm, destination });
    const { problems } = runtime.state.lastReport;
    return problems.length === 0
      ? 'no problems'
      : problems.map(({ message }) => message).join('\n');
  },
});

const EXPECT_REPORT = verb({
  name: 'expectReport',
  group: 'looks',
  help: 'The compatibility report of the last migrate or compareVm.',
  fields: {
    ok: yesNo('the VM can run there'),
    codes: listOf(text('code of a problem, e.g. EXTENSION_MISSING'), 'exactly these, in any order'),
    contains: listOf(
      anyValue('members that the problem must have', 'map of members', { type: 'object' }),
      'these problems among others',
    ),
  },
  async run({ ok, codes, contains = [] }, { state }) {
    const report = state.lastReport ?? fail('no step has compared anything so far');
    const found = report.problems.map(({ code }): string => code);
    if (ok !== undefined && ok !== report.ok) fail(difference('ok', ok, `${report.ok}: ${found}`));
    if (codes !== undefined) {
      const { missing, extra } = pairUp(codes, found, (one, each) => one === each);
      if (missing.length + extra.length > 0) fail(difference('problems', codes, found));
    }
    const { missing } = pairUp(contains, report.problems, (one, each) =>
      hasMembers({ ...each }, one as Readonly<Record<string, unknown>>),
    );
    if (missing.length > 0) fail(difference('problems are missing', missing, report.problems));
  },
});

const SETTLE = verb({
  name: 'settleMigrations',
  group: 'hosts',
  help: 'Waits until every migration from this host has come to its end, also those that a restart took up again.',
  short: 'host',
  isApart: true,
  fields: { host: hostName('default every host') },
  async run({ host }, runtime) {
    const among = host === undefined ? [...runtime.state.hosts.values()] : [runtime.host(host)];
    for (const { fabric } of among) {
      for (const { id } of [...fabric.migrations.list()]) {
        keep(runtime, await fabric.migrations.done(id));
      }
    }
  },
});

export const MIGRATION_VERBS: readonly Verb[] = [MIGRATE, COMPARE, SETTLE, EXPECT_REPORT];
