import type { RuleCheck } from '../../rule-check.ts';

export const d5: RuleCheck = {
  rule: 'D5',
  what: 'It gives a request that it forwarded other counters (BytesRead, BytesWritten, BytesNeeded) than it came back with.',
  why: 'Whoever issued the request reads as much of the answer as the counters say: too little, or bytes that nobody wrote.',
  mend: 'On the way up copy status and counters from the clone to the original and nothing else. Write counters only when you complete the request yourself.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_') > 0,
  exercise: 'let any request reach the extension',
  breaks: {
    about: 'says of every request that comes back how long its buffer is',
    type: 'filter',
    attach: () => ({
      oidRequestComplete(request) {
        request.bytesWritten = request.bytes.length;
      },
    }),
  },
  close: {
    about: 'notes the counters of every request that comes back',
    type: 'filter',
    attach(sw) {
      let written = 0;
      return {
        oidRequestComplete(request) {
          written += request.bytesWritten;
        },
        pause: () => sw.log(`${written} bytes were answered`),
      };
    },
  },
};
