import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { ownCopy } from '../../sample-indications.ts';

export const h4: RuleCheck = {
  rule: 'H4',
  what: 'It swallows a status indication that it does not handle, or does not forward it before its handler returns.',
  why: 'Drivers above wait for it: link, power and offload of the adapter change, and the host goes on as if they had not.',
  mend: 'In the default case of your switch over status codes, forward inside FilterStatus. Swallow only what you replace by an indication of your own.',
  by: 'stage',
  stages: ['hardware'],
  exercised: (activity) => activity.sawIndications > 0,
  exercise: 'let an adapter below the switch indicate a status',
  breaks: {
    about: 'lets the link state through and swallows everything else',
    type: 'forward',
    attach: () => ({
      nicStatus: ({ statusCode }) => (statusCode === NdisStatus.LINK_STATE ? 'forward' : 'drop'),
    }),
  },
  close: {
    about: 'replaces every indication of an adapter by one of the external NIC',
    type: 'forward',
    attach: (sw) => ownCopy(sw, ({ portId }) => ({ portId, nicIndex: 0 })),
  },
};
