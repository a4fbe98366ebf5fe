import type { RuleCheck } from '../../rule-check.ts';

export const h5: RuleCheck = {
  rule: 'H5',
  what: 'It is a capturing or filtering extension and swallows or raises a NIC_STATUS indication.',
  why: 'What the adapters are to the drivers above is for the forwarding extension to say; two that say it contradict each other.',
  mend: 'Forward indications. A driver that has to change them is a forwarding extension.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.sawIndications > 0,
  exercise: 'let an adapter below the switch indicate a status',
  breaks: {
    about: 'is a filter and keeps changes of the link from the host',
    type: 'filter',
    attach: () => ({ nicStatus: () => 'drop' }),
  },
  close: {
    about: 'is a filter and writes changes of the link down',
    type: 'filter',
    attach: (sw) => ({
      nicStatus({ statusName, source }) {
        sw.log(`${statusName} of adapter ${source.nicIndex}`);
        return 'forward';
      },
    }),
  },
};
