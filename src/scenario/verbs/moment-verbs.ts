import { openStore } from '../../store/open-store.ts';
import { type Field, field, need, text } from '../field.ts';
import type { Host } from '../host.ts';
import { backupAlias, hostName, snapshotAlias } from '../name-fields.ts';
import { type PolicySet, wantedOn } from '../policies.ts';
import type { Runtime } from '../runtime.ts';
import { type Verb, verb } from '../verb.ts';

const ONE_HOST = { host: hostName('the host; default the only one') };
const SNAPSHOT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A name that the library takes for a snapshot. */
function newSnapshot(help: string): Field<string, false> {
  const plain = text(help);
  const type = '1 to 64 letters, digits, ".", "_", "-" that begin with a letter or digit';
  const schema = { type: ['string', 'number'] };
  return field(type, help, schema, (node, reader, what) => {
    const name = plain.read(node, reader, what);
    if (name === undefined || SNAPSHOT_NAME.test(name)) return name;
    return reader.wrong(reader.resolve(node), what, type);
  });
}

/** The host is now what it was then: so is what is wanted of it. */
function goBack({ policies }: Runtime, gone: PolicySet, was: PolicySet): void {
  policies.forget((owner) => gone.has(owner));
  policies.goBack(was);
}

const wantedNow = ({ policies }: Runtime, { name, fabric }: Host): PolicySet =>
  wantedOn(policies, name, fabric);

export const MOMENT_VERBS: readonly Verb[] = [
  verb({
    name: 'takeSnapshot',
    group: 'hosts',
    help: 'Keeps a host as it is now, in its memory: a restart of the host loses it.',
    short: 'as',
    isApart: true,
    fields: { as: need(newSnapshot('name for later steps')), ...ONE_HOST },
    check({ as }, _node, { names }) {
      names.snapshots.add(as);
    },
    async run({ as, host }, runtime) {
      const on = runtime.host(host);
      await on.fabric.snapshots.create({ name: as });
      runtime.state.moments.keepSnapshot(on.name, as, wantedNow(runtime, on));
    },
  }),
  verb({
    name: 'restoreSnapshot',
    group: 'hosts',
    help:
      'The host becomes what it was, exactly: what came since is gone, what went is back, policies among it. Its extensions are told ' +
      'as after a restart; time goes on.',
    short: 'snapshot',
    isApart: true,
    fields: { snapshot: need(snapshotAlias()), ...ONE_HOST },
    async run({ snapshot, host }, runtime) {
      const { state } = runtime;
      const on = runtime.host(host);
      state.recorder.collect(state.hosts.values());
      const gone = wantedNow(runtime, on);
      await on.fabric.snapshots.restore(snapshot);
      const was = state.moments.snapshot(on.name, snapshot) ?? wantedNow(runtime, on);
      goBack(runtime, gone, was);
    },
  }),
  verb({
    name: 'deleteSnapshot',
    group: 'hosts',
    help: 'Forgets a snapshot.',
    short: 'snapshot',
    isApart: true,
    fields: { snapshot: need(snapshotAlias()), ...ONE_HOST },
    async run({ snapshot, host }, runtime) {
      await runtime.host(host).fabric.snapshots.delete(snapshot);
    },
  }),
  verb({
    name: 'resetHost',
    group: 'hosts',
    help: 'Empties a host: switches, VMs, classes and what it stored are gone; installed extensions stay.',
    short: 'host',
    isApart: true,
    fields: ONE_HOST,
    async run({ host }, runtime) {
      const { state } = runtime;
      const on = runtime.host(host);
      state.recorder.collect(state.hosts.values());
      const gone = wantedNow(runtime, on);
      await on.fabric.reset();
      goBack(runtime, gone, new Map());
    },
  }),
  verb({
    name: 'backupHost',
    group: 'hosts',
    help: 'Copies what a host has stored to a folder while it is in use (`store backup`). The folder goes with the run.',
    short: 'as',
    isApart: true,
    fields: { as: need(text('name for later steps')), ...ONE_HOST },
    check({ as }, _node, { names }) {
      names.backups.add(as);
    },
    async run({ as, host }, runtime) {
      const { moments } = runtime.state;
      const on = runtime.host(host);
      await moments.working(() =>
        moments.keepBackup(as, wantedNow(runtime, on), (folder) => on.fabric.backup(folder)),
      );
    },
  }),
  verb({
    name: 'restoreBackup',
    group: 'hosts',
    help: 'Ends a host and starts it again on what a backup has, in place of its store (`store restore --replace`).',
    short: 'backup',
    isApart: true,
    fields: { backup: need(backupAlias()), ...ONE_HOST },
    async run({ backup: name, host: of }, runtime) {
      const { state } = runtime;
      const host = runtime.host(of);
      const backup = state.moments.backup(name);
      state.recorder.collect(state.hosts.values());
      const gone = wantedNow(runtime, host);
      const content = await state.moments.working(() => openStore(backup.folder));
      try {
        await host.restart(host.installed(), content);
      } finally {
        await state.moments.working(() => content.close());
      }
      goBack(runtime, gone, backup.policies);
    },
  }),
];
