import { defineExtension } from 'extswitch/extension';

/** Stands for the extension of this name of the simulation (docs/reference/simulation.md), and forwards everything. */
export default defineExtension({
  id: 'f2000000-0000-4000-8000-0000000000f2',
  name: 'guest',
  vendor: 'extswitch',
  version: '1.0',
  type: 'filter',
  attach: () => ({}),
});
