import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import ts from 'typescript';
import { VERB_BY_NAME } from '../../src/scenario/verb-table.ts';

/*
 * All verbs of the library (issue 4, item 4): each method of the interfaces that FabricInterface leads to is a verb of scenario files,
 * only looks, or has a reason written here.
 */

const FILES = ['api', 'sim-api', 'migration-api', 'faults-api', 'trace-api'].map(
  (name) => `src/policy/${name}.ts`,
);
const LOOKS = 'it changes nothing';
const HOSTS_ASK_IT = 'hosts call it, nobody else';

type Row = { readonly verb: readonly string[] } | { readonly reason: string };

const verb = (...names: readonly string[]): Row => ({ verb: names });
const because = (reason: string): Row => ({ reason });

/** Interface → method → what a scenario file has for it. */
const TABLE: Readonly<Record<string, Readonly<Record<string, Row>>>> = {
  FabricInterface: {
    recording: because(LOOKS),
    pending: because(LOOKS),
    counters: because(LOOKS),
    atomic: verb('atomic'),
    reset: verb('resetHost'),
    backup: verb('backupHost'),
    close: verb('restartHost', 'crashHost'),
    'trace.decode': because(LOOKS),
    'events.after': because(LOOKS),
    'events.subscribe': because(LOOKS),
  },
  TraceView: { entries: because(LOOKS) },
  FindingView: { entries: because(LOOKS), counts: because(LOOKS), groups: because(LOOKS) },
  FeatureCollection: {
    register: verb('registerFeatures'),
    list: because(LOOKS),
    get: because(LOOKS),
    classOf: because(LOOKS),
    delete: verb('deleteFeature'),
  },
  ExtensionCollection: {
    install: verb('installExtension'),
    list: because(LOOKS),
    get: because(LOOKS),
    failed: because(
      'the process tells it what it noticed of an extension; `inject` makes one throw',
    ),
  },
  SwitchCollection: {
    create: verb('createSwitch'),
    import: verb('importSwitch'),
    list: because(LOOKS),
    get: because(LOOKS),
  },
  SwitchHandle: {
    status: because(LOOKS),
    export: verb('exportSwitch'),
    delete: verb('deleteSwitch'),
  },
  SwitchExtensionCollection: {
    list: because(LOOKS),
    get: because(LOOKS),
    change: verb('changeExtension'),
  },
  HostConnections: {
    connectUplink: verb('connectUplink'),
    disconnectUplink: verb('disconnectUplink'),
    setLink: verb('setLink'),
    addInternalNic: verb('addInternalNic'),
  },
  PortCollection: {
    create: verb('createPort'),
    list: because(LOOKS),
    keys: because(LOOKS),
    get: because(LOOKS),
  },
  PortHandle: { status: because(LOOKS), rename: verb('renamePort'), delete: verb('deletePort') },
  NicCollection: {
    connect: verb('connectNic'),
    disconnect: verb('disconnectNic'),
    update: verb('updateNic'),
    list: because(LOOKS),
  },
  PropertyCollection: {
    add: verb('addProperty'),
    list: because(LOOKS),
    get: because(LOOKS),
    update: verb('updateProperty'),
    delete: verb('removeProperty'),
  },
  VmCollection: {
    create: verb('createVm'),
    import: verb('importVm'),
    list: because(LOOKS),
    keys: because(LOOKS),
    get: because(LOOKS),
  },
  VmHandle: {
    adapter: because(LOOKS),
    start: verb('startVm'),
    stop: verb('stopVm'),
    pause: verb('pauseVm'),
    resume: verb('resumeVm'),
    save: verb('saveVm'),
    restore: verb('restoreVm'),
    addAdapter: verb('addAdapter'),
    removeAdapter: verb('removeAdapter'),
    compare: verb('compareVm'),
    export: verb('exportVm'),
    delete: verb('deleteVm'),
  },
  AdapterHandle: {
    status: because(LOOKS),
    connect: verb('connectAdapter'),
    disconnect: verb('disconnectAdapter'),
    update: verb('updateAdapter'),
    assignVf: verb('assignVf'),
    removeVf: verb('removeVf'),
  },
  MigrationCollection: {
    start: verb('migrate'),
    done: verb('settleMigrations'),
    list: because(LOOKS),
    get: because(LOOKS),
    compare: verb('compareVm'),
    resume: verb('resumeMigration'),
    settle: verb('settleMigration'),
    kept: verb('exportKept'),
    discard: verb('discardKept'),
    arrivals: because(LOOKS),
    abandon: verb('abandonArrival'),
  },
  TimeControl: {
    stop: because('time of a scenario passes only while a step waits'),
    warp: verb('wait'),
    resume: because('time of a scenario follows no wall'),
  },
  SnapshotCollection: {
    create: verb('takeSnapshot'),
    list: because(LOOKS),
    get: because(LOOKS),
    delete: verb('deleteSnapshot'),
    restore: verb('restoreSnapshot'),
    fork: because(
      'a fork has a clock of its own, and all hosts of a scenario have one; a second scenario with the same seed is the same world, ' +
        'and restoreSnapshot goes on from the moment again',
    ),
  },
  FaultCollection: {
    list: because(LOOKS),
    get: because(LOOKS),
    add: verb('inject'),
    update: because(
      'rules of a scenario are counted from their step on: clearFaults and inject again',
    ),
    remove: verb('clearFaults'),
    clear: verb('clearFaults'),
    record: because(
      'it lists where faults could be met, for `extswitch sweep`, which plays scenario files',
    ),
  },
  FaultRecording: { stop: because(LOOKS) },
  HostDirectory: {
    peer: because(HOSTS_ASK_IT),
    knows: because(HOSTS_ASK_IT),
    join: because(HOSTS_ASK_IT),
    leave: because(HOSTS_ASK_IT),
    subscribe: because(HOSTS_ASK_IT),
  },
  MigrationPeer: Object.fromEntries(
    ['compare', 'prepare', 'take', 'abandon', 'outcome', 'supersede', 'forget'].map((name) => [
      name,
      because(HOSTS_ASK_IT),
    ]),
  ),
};

/** Methods of every interface of these files, in literal types inside them as well. */
function methods(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const file of FILES) {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
    const collect = (node: ts.Node, prefix: string, into: string[]): void => {
      if (ts.isMethodSignature(node)) into.push(`${prefix}${node.name.getText(source)}`);
      const inner = ts.isPropertySignature(node) ? `${node.name.getText(source)}.` : prefix;
      if (!ts.isMethodSignature(node)) ts.forEachChild(node, (each) => collect(each, inner, into));
    };
    for (const statement of source.statements) {
      if (!ts.isInterfaceDeclaration(statement)) continue;
      const names: string[] = [];
      for (const member of statement.members) collect(member, '', names);
      if (names.length > 0) found.set(statement.name.text, names);
    }
  }
  return found;
}

t.test('every method of the library has a verb, or a reason why not', async (t) => {
  const wanted = [...methods()].map(([name, all]) => [name, [...new Set(all)].sort()]);
  const had = Object.entries(TABLE).map(([name, rows]) => [name, Object.keys(rows).sort()]);
  t.same(Object.fromEntries(had), Object.fromEntries(wanted));
});

t.test(
  'every verb of the table is there, and a file of verbs calls what it stands for',
  async (t) => {
    const folder = 'src/scenario/verbs';
    const sources = [
      ...readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`, 'utf8')),
      readFileSync('src/scenario/host.ts', 'utf8'),
    ].join('\n');
    for (const [name, rows] of Object.entries(TABLE)) {
      for (const [method, row] of Object.entries(rows)) {
        if ('reason' in row) continue;
        for (const each of row.verb) t.ok(VERB_BY_NAME.has(each), `${name}.${method}: ${each}`);
        // `vmVerb('startVm', 'start', …)` names it; time is moved by the clock that all hosts have.
        if (name === 'TimeControl') continue;
        t.match(
          sources,
          new RegExp(`\\.${method}\\(|\\?\\.${method}\\(|', '${method}',`),
          `${name}.${method}`,
        );
      }
    }
  },
);
