import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { STATUS_MOF } from '../../sample-classes.ts';

export const f9: RuleCheck = {
  rule: 'F9',
  what: 'It completes a feature status query with success but leaves FeatureStatusVersion, or the length of its data, unset.',
  why: 'Management reads the data by the class of that version and no further than that length: it gets nothing, or the wrong members.',
  mend: 'Set FeatureStatusVersion to the version of the data and the custom length to the bytes you wrote, then complete with success.',
  by: 'stage',
  stages: ['feature-status'],
  exercised: (activity) => activity.statusAnswers > 0,
  exercise: 'ask for a status that the extension answers',
  breaks: {
    about: 'says success without having written anything',
    type: 'filter',
    mof: STATUS_MOF,
    attach: () => ({
      queryPortFeatureStatus: (query) =>
        query.feature === 'Sample_PortStatusData' ? NdisStatus.SUCCESS : 'forward',
    }),
  },
  close: {
    about: 'answers with bytes it has laid out itself, and says their version',
    type: 'filter',
    mof: STATUS_MOF,
    attach: () => ({
      queryPortFeatureStatus: (query) =>
        query.feature === 'Sample_PortStatusData'
          ? query.respondRaw(Uint8Array.of(9, 0, 0, 0), 0x0100)
          : 'forward',
    }),
  },
};
