import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';
import { limits } from '../../sample-properties.ts';

const OWN = 'Sample_LimitSettingData';

export const d11: RuleCheck = {
  rule: 'D11',
  what: 'It takes a property whose structure does not hold: wrong type, revision or size in the header, or a buffer that is too short.',
  why: 'In a driver that is a read behind the end of the buffer: a policy made of chance, or a host that stops.',
  mend: 'Compare Header.Type, Header.Revision, Header.Size and the length of the buffer with what you read, before you read it; refuse what does not fit with NDIS_STATUS_NOT_SUPPORTED or INVALID_PARAMETER.',
  by: 'stage',
  stages: ['malformed-properties'],
  exercised: (activity) => activity.malformed > 0,
  exercise: 'send the extension a malformed property of a class it has',
  breaks: {
    about: 'takes every policy of its own, and a limit it cannot read for 0',
    type: 'forward',
    mof: LIMIT_MOF,
    attach() {
      const limits = new Map<number, number>();
      return {
        addPortProperty({ feature, portId, settings }) {
          if (feature !== OWN) return 'forward';
          limits.set(portId, Number(settings?.['Limit'] ?? 0));
          return NdisStatus.SUCCESS;
        },
        deletePortProperty({ feature, portId }) {
          if (feature !== OWN) return 'forward';
          limits.delete(portId);
          return NdisStatus.SUCCESS;
        },
      };
    },
  },
  close: {
    about: 'takes the policies of its own that it can read and refuses the others',
    type: 'forward',
    mof: LIMIT_MOF,
    attach: () => limits(),
  },
};
