import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { type CommandSpec, commandName } from '../../src/cli/command.ts';
import { nearest } from '../../src/cli/nearest.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { COMMANDS, LATER_VERBS } from '../../src/cli/verbs.ts';
import { extswitchCommand } from '../support/extswitch-command.ts';
import { runCli } from './run-in-process.ts';
import '../support/uncovered-children.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

t.test('--version prints the version of package.json and exits 0', async (t) => {
  for (const flag of ['--version', '-V']) {
    t.strictSame(await runCli([flag]), { code: 0, out: `${version}\n`, err: '' });
  }
});

t.test('the command as a process', async (t) => {
  const cli = (...words: string[]) =>
    spawnSync(process.execPath, [...extswitchCommand(), ...words], { encoding: 'utf8' });
  const asked = cli('--version');
  t.equal(asked.stdout, `${version}\n`);
  t.equal(asked.status, 0);
  const wrong = cli('mof', 'chekc', 'x.mof');
  t.equal(wrong.status, 2);
  t.match(wrong.stderr, 'did you mean mof check?');
  t.equal(wrong.stdout, '', 'what is wrong goes to standard error only');
});

t.test('no verb at all prints the overview to standard error and exits 2', async (t) => {
  const { code, out, err } = await runCli([]);
  t.equal(code, 2);
  t.equal(out, '');
  for (const spec of COMMANDS) t.match(err, commandName(spec));
});

t.test('--help lists every verb there is and none that is not', async (t) => {
  const { code, out } = await runCli(['--help']);
  t.equal(code, 0);
  for (const spec of COMMANDS) t.match(out, `  ${commandName(spec)} `);
  for (const verb of LATER_VERBS) t.notMatch(out, new RegExp(`^ {2}${verb} `, 'm'));
  t.equal((await runCli(['help'])).out, out);
  t.equal((await runCli(['-h'])).out, out);
});

t.test('verbs of interfaces.md 2 that are not there yet say so and exit 2', async (t) => {
  for (const verb of ['native']) {
    const { code, err } = await runCli([verb, 'x.yaml']);
    t.equal(code, 2);
    t.match(err, `"${verb}" comes with a later version`);
  }
});

t.test('every verb has help with usage, --json and an example that parses', async (t) => {
  for (const spec of COMMANDS) {
    const { code, out } = await runCli([...spec.words, '--help']);
    t.equal(code, 0);
    t.match(out, `extswitch ${commandName(spec)}`);
    t.match(out, '--json');
    t.match(out, /Examples?:\n {2}extswitch /);
    t.equal((await runCli(['help', ...spec.words])).out, out, 'help VERB is the same');
    for (const example of spec.examples) {
      const words = example.split(/ (?=(?:[^"]*"[^"]*")*[^"]*$)/).map((w) => w.replace(/"/g, ''));
      t.strictSame(words.slice(0, spec.words.length), spec.words);
      t.doesNotThrow(() => parseCommandLine(spec, words.slice(spec.words.length)), example);
    }
    t.type(await spec.load(), 'function', `${commandName(spec)} has its code`);
  }
});

t.test('help of a noun lists its verbs', async (t) => {
  for (const words of [
    ['property', '--help'],
    ['help', 'property'],
  ]) {
    const { code, out } = await runCli(words);
    t.equal(code, 0);
    for (const verb of ['list', 'show', 'add', 'update', 'delete']) {
      t.match(out, `property ${verb}`);
    }
    t.notMatch(out, 'mof check');
  }
});

t.test('wrong usage exits 2, names what is wrong and the nearest right thing', async (t) => {
  const cases: readonly [readonly string[], string][] = [
    [['serv'], 'unknown verb "serv"; did you mean serve?'],
    [['--jsno'], 'unknown flag "--jsno"'],
    [['help', 'propery'], 'unknown verb "propery"; did you mean property?'],
    [['switch'], 'switch needs a verb: list, show, create, uplink, internal, delete'],
    [['switch', 'uplink'], 'switch uplink needs a verb: show, connect, disconnect, link'],
    [['switch', 'uplink', 'lnk'], 'unknown verb "switch uplink lnk"; did you mean switch uplink'],
    [['switch', 'uplink', 'link', 'S', '1', 'on'], '<state> must be up or down, found "on"'],
    [['vm', 'adapter'], 'vm adapter needs a verb: list, show, add, set, connect'],
    [['help', 'vm', 'adapter', 'ad'], 'unknown verb "vm adapter ad"; did you mean vm adapter add?'],
    [['vm', 'create', 'V', '--adapter', 'eth0,mtu=big'], 'mtu must be a whole number, found "big"'],
    [['vm', 'create', 'V', '--adapter', 'eth0,colour=red'], 'found "colour=red"'],
    [['vm', 'create', 'V', '--adapter', 'eth0,name=eth1'], '--adapter has name twice'],
    [['world', 'create', '--behaviour', 'saveOnStop=maybe'], 'saveOnStop must be true or false'],
    [['vm', 'adapter', 'set', '--vm', 'V', '--adapter', 'A'], 'nothing to change: give --name'],
    [['nic', 'set', '0', '-s', 'S', '-p', 'P'], 'nothing to change: give --name'],
    [['property', 'list'], 'give --switch SWITCH [--port PORT] or --vm VM [--adapter ADAPTER]'],
    [['property', 'list', '-s', 'S', '--vm', 'V'], '--vm and --switch cannot be used together'],
    [['property', 'list', '-p', 'P', '--vm', 'V'], '--vm and --port cannot be used together'],
    [['status', 'get', '-s', 'S', '--adapter', 'A', '--feature', 'F'], '--switch and --adapter'],
    [['switch', 'lsit'], 'unknown verb "switch lsit"; did you mean switch list?'],
    [['switch', 'list', '--jsn'], 'unknown flag --jsn; did you mean --json?'],
    [['switch', 'list', '-z'], 'unknown flag -z'],
    [['switch', 'list', 'x'], 'unexpected argument "x"'],
    [['switch', 'list', '--json=yes'], '--json takes no value, found "yes"'],
    [['switch', 'list', '--limit', '0'], '--limit must be a whole number from 1 to 10000000'],
    [['switch', 'list', '--limit', '1e3'], '--limit must be a whole number'],
    [['switch', 'list', '--limit'], '--limit needs a value: --limit N'],
    [['switch', 'list', '--limit', '--url'], '--limit needs a value'],
    [['switch', 'create'], '<name> is missing'],
    [['switch', 'create', 'A', '--type', 'privat'], 'found "privat"; did you mean private?'],
    [['switch', 'create', 'A', '--url', 'x', '--url', 'y'], '--url is given twice'],
    [['switch', 'list', '--url', 'ftp://x'], '--url must begin with http:// or https://'],
    [['switch', 'list', '--url', '::'], '--url "::" is not a URL'],
    [['switch', 'list', '--token', 'a b'], '--token must be of visible ASCII characters'],
    [['port', 'list'], '--switch is missing: --switch SWITCH'],
    [['extension', 'move', 'x', 'first', '-s', 'A'], '<order> must be a whole number'],
    [['serve', '--port', '65536'], '--port must be'],
    [['serve', '--log-level', 'verbose'], '--log-level must be one of trace, debug'],
  ];
  for (const [words, text] of cases) {
    const { code, out, err } = await runCli(words);
    t.equal(code, 2, words.join(' '));
    t.equal(out, '');
    t.ok(err.includes(text), `${words.join(' ')}: ${text}\n${err}`);
    t.match(err, /Run "extswitch.* --help" for help\./);
  }
});

t.test(
  'wrong usage that only the command itself sees: the help of that command is named',
  async (t) => {
    const { code, err } = await runCli(['vm', 'create', 'V', '--adapter', 'a,colour=red']);
    t.equal(code, 2);
    t.match(err, 'found "colour=red"\nRun "extswitch vm create --help" for help.\n');
  },
);

t.test('wrong usage with --json is one JSON object on standard error', async (t) => {
  const { code, err } = await runCli(['switch', 'create', '--json']);
  t.equal(code, 2);
  t.match(JSON.parse(err), { code: 'USAGE', detail: /<name> is missing/ });
});

const SPEC: CommandSpec = {
  words: ['test'],
  summary: 'A command for the parser',
  arguments: [{ name: 'place', help: 'places', many: true }],
  flags: [
    { name: 'output', short: 'o', value: 'FILE', help: '' },
    { name: 'include', short: 'I', value: 'FOLDER', many: true, help: '' },
    { name: 'strict', short: 's', help: '' },
    { name: 'limit', value: 'N', range: [0, 9], help: '' },
    { name: 'help', help: '' },
  ],
  examples: [],
  load: async () => async () => 0,
};

t.test('flags are taken in every documented spelling', async (t) => {
  const call = parseCommandLine(SPEC, [
    'a',
    '--output=x=y',
    '-Ione',
    '-I',
    'two',
    '--include',
    'three',
    '-s',
    '-',
    '--limit',
    '7',
    '--',
    '--strict',
  ]);
  t.strictSame(call.arguments, ['a', '-', '--strict']);
  t.equal(call.text('output'), 'x=y');
  t.strictSame(call.list('include'), ['one', 'two', 'three']);
  t.equal(call.has('strict'), true);
  t.equal(call.integer('limit'), 7);
  const bare = parseCommandLine(SPEC, ['a']);
  t.equal(bare.has('strict'), false);
  t.equal(bare.text('output'), undefined);
  t.equal(bare.integer('limit'), undefined);
  t.throws(() => bare.text('nope'), /invariant broken: test has a flag --nope/);
});

t.test('a value that looks like a negative number or a dash is a value', async (t) => {
  t.equal(parseCommandLine(SPEC, ['a', '-o', '-5']).text('output'), '-5');
  t.equal(parseCommandLine(SPEC, ['a', '-o', '-']).text('output'), '-');
  t.throws(() => parseCommandLine(SPEC, ['a', '-o', '--strict']), {
    message: /--output needs a value/,
  });
});

t.test('--help is answered although required things are missing', async (t) => {
  t.equal(parseCommandLine(SPEC, ['--help']).has('help'), true);
});

t.test('nearest finds slips of a letter and beginnings, not strangers', async (t) => {
  const words = ['store', 'extension', 'token', 'profile'];
  t.equal(nearest('stroe', words), 'store');
  t.equal(nearest('extensions', words), 'extension');
  t.equal(nearest('ext', words), 'extension');
  t.equal(nearest('TOKEN', words), 'token');
  t.equal(nearest('zzzzzz', words), undefined);
  t.equal(nearest('x', []), undefined);
});
