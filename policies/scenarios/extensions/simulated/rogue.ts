import { defineExtension } from 'extswitch/extension';

/** Stands for the extension of this name of the simulation (docs/reference/simulation.md), and forwards everything. */
export default defineExtension({
  id: 'f1000000-0000-4000-8000-0000000000f1',
  name: 'rogue',
  vendor: 'extswitch',
  version: '1.0',
  type: 'filter',
  attach: () => ({}),
});
