import { defineExtension } from 'extswitch/extension';

/** Stands for the extension of this name of the simulation (docs/reference/simulation.md), and forwards everything. */
export default defineExtension({
  id: 'f0000000-0000-4000-8000-00000000000f',
  name: 'forwarder',
  vendor: 'extswitch',
  version: '1.0',
  type: 'forward',
  attach: () => ({}),
});
