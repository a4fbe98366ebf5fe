import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';
import { fits } from '../../sample-properties.ts';

const OWN_ID = '7e51a3d0-2b64-4c1f-8f0e-6a9d3c5b2e20';

export const e24: RuleCheck = {
  rule: 'E24',
  what: 'It takes a standard property for its own by PropertyId, which means nothing there.',
  why: 'PropertyId of a standard property is whatever stands in the buffer. A VLAN is refused, or ended, for a GUID nobody set.',
  mend: 'Look at PropertyType first; compare PropertyId only when the type is custom.',
  by: 'stage',
  stages: ['odd-properties'],
  exercised: (activity) => activity.oddProperties > 0,
  exercise: 'register a port policy class of the extension',
  breaks: {
    about: 'decides by PropertyId alone',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => ({
      addPortProperty: ({ propertyId, raw }) =>
        propertyId === OWN_ID && raw.length !== 4 ? NdisStatus.INVALID_LENGTH : 'forward',
    }),
  },
  close: {
    about: 'decides by type and id',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => ({
      addPortProperty: ({ propertyType, propertyId, raw, request }) =>
        propertyType === 'custom' && propertyId === OWN_ID ? fits(raw, request) : 'forward',
    }),
  },
};
