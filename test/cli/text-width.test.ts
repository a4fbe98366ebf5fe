import t from 'tap';
import { padBefore, padBehind, textWidth } from '../../src/cli/text-width.ts';
import { fakeServer } from './fake-server.ts';
import { runCli } from './run-in-process.ts';

t.test('places a terminal gives a text (Unicode: East Asian Width, Emoji_Presentation)', (t) => {
  for (const [text, width] of [
    ['', 0],
    ['TestSwitch', 10],
    ['Größe', 5],
    ['адаптер', 7],
    ['漢字', 4],
    ['한글', 4],
    ['ＡＢ', 4],
    ['ｱｲ', 2],
    ['😀', 2],
    ['𠀀', 2],
    ['e\u0301', 1],
    ['a\u200db', 2],
  ] as const) {
    t.equal(textWidth(text), width, JSON.stringify(text));
    t.equal(padBehind(text, 12), text + ' '.repeat(12 - width));
    t.equal(padBefore(text, 12), ' '.repeat(12 - width) + text);
    t.equal(padBehind(text, 0), text, 'never cut');
  }
  t.end();
});

t.test(
  'names of any script: columns of a table and of a tree stand under each other',
  async (t) => {
    const switches = ['漢字', 'Größe', 'é', 'S'].map((name, i) => ({
      id: `id-${i}`,
      name,
      type: 'private',
      isActive: true,
      portCount: i,
    }));
    const extensions = ['名前', 'Port ACL'].map((name, i) => ({
      id: `ext-${i}`,
      name,
      vendor: 'V',
      version: '1.0',
      type: 'filter',
      enabled: false,
      running: false,
      order: i,
      required: false,
      desynchronized: false,
    }));
    const { url } = await fakeServer(t, {
      'GET /v1/switches?limit=1000': [200, { items: switches }],
      'GET /v1/switches/S': [200, switches[3]],
      'GET /v1/switches/S/extensions?limit=1000': [200, { items: extensions }],
      'GET /v1/switches/S/ports?limit=1000': [200, { items: [] }],
      'GET /v1/switches/S/host/uplink': [404, { title: 'Not found', status: 404, detail: 'none' }],
    });
    const table = await runCli(['switch', 'list', '--url', url]);
    t.equal(
      table.out,
      `NAME   TYPE     ACTIVE  PORTS  ID
漢字   private  yes         0  id-0
Größe  private  yes         1  id-1
é      private  yes         2  id-2
S      private  yes         3  id-3
`,
    );
    const tree = await runCli(['switch', 'show', 'S', '--ascii', '--url', url]);
    t.equal(
      tree.out,
      `S  private  active  id-3
|- extensions, top to bottom
|  |- filter  名前      disabled  ext-0
|  \`- filter  Port ACL  disabled  ext-1
\`- no ports
`,
    );
  },
);
