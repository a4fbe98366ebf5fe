import { defineExtension } from '../../sdk/define.ts';

/** An extension that comes while the world runs, and goes when its host is started without it. It forwards everything. */
export const GUEST = defineExtension({
  id: 'f2000000-0000-4000-8000-0000000000f2',
  name: 'guest',
  vendor: 'extswitch',
  version: '1.0',
  type: 'filter',
  attach: () => ({}),
});
