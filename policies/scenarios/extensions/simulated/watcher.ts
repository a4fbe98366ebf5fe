import { defineExtension } from 'extswitch/extension';

/** Stands for the extension of this name of the simulation (docs/reference/simulation.md), and forwards everything. */
export default defineExtension({
  id: 'c0000000-0000-4000-8000-00000000000c',
  name: 'watcher',
  vendor: 'extswitch',
  version: '1.0',
  type: 'capture',
  attach: () => ({}),
});
