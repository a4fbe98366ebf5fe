import type { Area } from '../mutant.ts';

const suites = [
  'test/isolation/slips.test.ts',
  'test/isolation/crash.test.ts',
  'test/isolation/trace-findings.test.ts',
  'test/isolation/equal.test.ts',
];

export const ISOLATION: Area = {
  name: 'Isolation',
  isSimulated: false,
  mutants: [
    {
      id: 'serving-counts',
      title: 'time in which the switch works for an isolated extension counts as its own',
      file: 'src/isolation/isolated-worker.ts',
      from: `      served: () => {
        since = performance.now();
      },`,
      to: '      served: () => undefined,',
      suites,
    },
    {
      id: 'busy-between-calls',
      title: 'a worker that keeps its thread busy between calls is never ended',
      file: 'src/isolation/isolated-worker.ts',
      from: "    this.channel.post({ kind: 'ping' });",
      to: '    this.#isPinged = false;',
      suites,
    },
    {
      id: 'held-for-ever',
      title: 'what an isolated extension has pended stays pended when its worker ends',
      file: 'src/isolation/isolated-extension.ts',
      from: '        for (const reject of held.values()) reject(error);\n',
      to: '',
      suites,
    },
    {
      id: 'farewells-refused',
      title: 'detach and others that nobody answers fail for an extension whose worker has ended',
      file: 'src/isolation/isolated-extension.ts',
      from: '      if (UNANSWERED.has(name)) return undefined;\n',
      to: '',
      suites,
    },
    {
      id: 'bytes-do-not-cross',
      title:
        'what an isolated extension changes in the bytes of a request does not reach the switch',
      file: 'src/isolation/exposed-bytes.ts',
      from: '      here.set(bytes.subarray(0, here.length));\n',
      to: '',
      suites: ['test/isolation/crash.test.ts', 'test/isolation/equal.test.ts'],
    },
    {
      id: 'disabled-at-the-fifth',
      title: 'an extension is disabled at its fifth crash within a minute, not at the sixth',
      file: 'src/policy/isolated-crash.ts',
      from: 'this.#countOf(id) > RESTARTS;',
      to: 'this.#countOf(id) >= RESTARTS;',
      suites: ['test/isolation/crash.test.ts'],
    },
    {
      id: 'crashed-while-restarted',
      title: 'an extension whose worker ends again while it is restarted stays as it is',
      file: 'src/policy/isolated-crash.ts',
      from: 'if (isEnded) this.#busy.set(id, true);',
      to: '',
      suites: ['test/isolation/slips.test.ts'],
    },
    {
      id: 'memory-not-asked',
      title: 'buffers outside the heap of a worker have no limit',
      file: 'src/isolation/isolated-worker.ts',
      from: 'if (message.external > this.#limits.memoryMb * MIB) this.#outOfMemory();',
      to: '',
      suites,
    },
  ],
};
