import { defineExtension } from '../src/sdk/index.ts';

/** What bench/isolated-call.ts calls: a handler that does next to nothing. */
const seen: string[] = [];

export default defineExtension({
  id: '15ca11ed-0000-4000-8000-000000000001',
  name: 'Called',
  vendor: 'Bench',
  version: '1.0',
  type: 'filter',
  attach: () => ({
    netPnPEvent: ({ stack }) => {
      seen[0] = stack[0] ?? '';
    },
  }),
});
