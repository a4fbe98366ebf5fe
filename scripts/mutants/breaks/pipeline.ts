import type { Area } from '../mutant.ts';

const file = 'switch/pipeline.ts';

export const PIPELINE: Area = {
  name: 'OID pipeline',
  isSimulated: true,
  mutants: [
    {
      id: 'completion-not-told',
      title:
        'who forwarded a request is not told of its completion when an extension below ended it',
      file,
      from: 'if (module.seesCompletions) this.#completeCallback(module, request);',
      to: 'if (module.seesCompletions && completer === undefined) this.#completeCallback(module, request);',
      suites: ['test/switch/pipeline.test.ts', 'test/sequences/veto.test.ts'],
    },
    {
      id: 'queue-stuck',
      title: 'a module that becomes free lets its queue go on only when two requests wait in it',
      file,
      from: 'if (module.queue.length > 0) {',
      to: 'if (module.queue.length > 1) {',
      suites: ['test/switch/queues.test.ts', 'test/switch/pipeline.test.ts'],
    },
    {
      id: 'queue-newest-first',
      title: 'of the requests that wait for a module the newest goes on first',
      file,
      from: 'const request = module.queue.shift();',
      to: 'const request = module.queue.pop();',
      suites: ['test/switch/queues.test.ts', 'test/switch/pipeline.test.ts'],
    },
    {
      id: 'free-module-order',
      title: 'of two modules that became free the upper one’s queue goes on first',
      file,
      from: 'const module = this.#free.shift();',
      to: 'const module = this.#free.pop();',
      suites: [
        'test/switch/slips.test.ts',
        'test/switch/queues.test.ts',
        'test/switch/pipeline.test.ts',
      ],
    },
    {
      id: 'completed-twice-early',
      title: 'a second completion inside the handler overwrites the first one',
      file,
      from: 'if (request.done || request.holder !== module || request.early !== undefined) {',
      to: 'if (request.done || request.holder !== module) {',
      suites: [
        'test/switch/containment.test.ts',
        'test/switch/pipeline.test.ts',
        'test/verifier/checks.test.ts',
      ],
    },
    {
      id: 'rejection-after-the-end',
      title: 'a promise that is broken after the request had ended ends it once more',
      file,
      from: 'if (request.holder !== module) return;\n    this.#resume(module, request, this.#threw(module, request, error));',
      to: 'this.#resume(module, request, this.#threw(module, request, error));',
      suites: [
        'test/switch/slips.test.ts',
        'test/switch/containment.test.ts',
        'test/switch/pipeline.test.ts',
        'test/switch/interleaving.test.ts',
      ],
    },
    {
      id: 'needed-not-reset',
      title: 'BytesNeeded of a module above is still there when the miniport edge completes',
      file,
      from: 'request.bytesRead = request.bytesWritten = request.bytesNeeded = 0;',
      to: 'request.bytesRead = request.bytesWritten = 0;',
      suites: [
        'test/switch/slips.test.ts',
        'test/switch/pipeline.test.ts',
        'test/switch/queries.test.ts',
        'test/switch/containment.test.ts',
      ],
    },
    {
      id: 'enforced-status-lost',
      title:
        'enforce turns every status of a request that was reported into FAILURE, also a veto’s own',
      file,
      from: 'const isEnforced = brokenBy !== undefined && status === NdisStatus.SUCCESS;',
      to: 'const isEnforced = brokenBy !== undefined;',
      suites: [
        'test/switch/slips.test.ts',
        'test/verifier/live.test.ts',
        'test/http/findings.test.ts',
        'test/switch/containment.test.ts',
      ],
    },
    {
      id: 'leaver-may-pend',
      title: 'a module that is being detached may pend a request again (rule A63)',
      file,
      from: 'if (this.#closed || module.leaving) {\n      request.holder = undefined;',
      to: 'if (this.#closed) {\n      request.holder = undefined;',
      suites: [
        'test/switch/slips.test.ts',
        'test/switch/stack-life.test.ts',
        'test/switch/stack-work.test.ts',
        'test/switch/containment.test.ts',
      ],
    },
    {
      id: 'deadline-stays',
      title: 'the 12 seconds of a pended request run on after it was completed',
      file,
      from: 'request.timer?.cancel();\n    request.timer = undefined;',
      to: 'request.timer = undefined;',
      suites: ['test/switch/pipeline.test.ts', 'test/switch/containment.test.ts'],
    },
    {
      id: 'below-not-desynchronized',
      title: 'who is below a swallowed policy is not marked as having missed it (OP-28)',
      file,
      from: '      // OP-28: whoever is below has missed it.\n      module.desynchronizeBelow(request);',
      to: '',
      suites: [
        'test/switch/slips.test.ts',
        'test/switch/properties.test.ts',
        'test/switch/containment.test.ts',
        'test/switch/forbidden-endings.test.ts',
      ],
    },
  ],
};
