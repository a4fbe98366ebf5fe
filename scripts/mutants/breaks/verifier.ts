import type { Area } from '../mutant.ts';

export const VERIFIER: Area = {
  name: 'Verifier and replay',
  isSimulated: false,
  mutants: [
    {
      id: 'watchers-of-all-oids-deaf',
      title: 'watchers that name no OIDs are told of none',
      file: 'src/verifier/module-watch.ts',
      from: 'oids?.includes(code) ?? true',
      to: 'oids?.includes(code) ?? false',
      suites: ['test/verifier/checks.test.ts', 'test/verifier/live.test.ts'],
    },
    {
      id: 'enforce-lets-pass',
      title: 'enforce does not fail a request that a watcher has reported',
      file: 'src/verifier/verifier.ts',
      from: 'request.brokenBy ??= module;',
      to: '',
      suites: ['test/verifier/live.test.ts', 'test/http/findings.test.ts'],
    },
    {
      id: 'evidence-of-all-modules',
      title: 'the route in a finding leaves out the module that holds the request',
      file: 'switch/finding-text.ts',
      from: 'request.modules.slice(request.origin + 1, request.position + 1);',
      to: 'request.modules.slice(request.origin + 1, request.position);',
      suites: ['test/verifier/live.test.ts', 'test/http/findings.test.ts'],
    },
    {
      id: 'longer-is-the-same',
      title: 'a replayed buffer that only goes on longer than the recorded one is the same',
      file: 'src/testing/replay/byte-difference.ts',
      from: 'if (offset === recorded.length && offset === replayed.length) return undefined;',
      to: 'if (offset === recorded.length) return undefined;',
      suites: ['test/testing/replay.test.ts'],
    },
    {
      id: 'replay-misses-a-silent-request',
      title: 'a request that the new version does not make any more is no difference',
      file: 'src/testing/replay/replay-trace.ts',
      from: 'i < Math.max(issued.length, act.issued.length)',
      to: 'i < issued.length',
      suites: ['test/testing/replay.test.ts', 'test/cli/trace.test.ts'],
    },
  ],
};
