import type { RuleCheck } from '../../rule-check.ts';
import { SAMPLE_ID } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';
import { forwardsWhole } from '../../sample-properties.ts';

export const a32: RuleCheck = {
  rule: 'A32',
  what: 'Its MOF file gives a class another ExtensionId than the GUID of the extension.',
  why: 'Management shows the class under an extension that is not there, and no host offers the policy for this one.',
  mend: 'Use one GUID in the INF (NetCfgInstanceId), in the driver, and as ExtensionId of every class.',
  by: 'stage',
  stages: ['whole-life'],
  exercised: (activity) => activity.attached > 0,
  exercise: 'verify the extension together with its MOF file',
  breaks: {
    about: 'has a class of another GUID in its MOF file',
    type: 'filter',
    mof: LIMIT_MOF.replace(SAMPLE_ID, '7e51a3d0-2b64-4c1f-8f0e-6a9d3c5b2eff'),
    attach: () => ({}),
  },
  close: {
    about: 'has classes of its own GUID, in another case',
    type: 'filter',
    mof: LIMIT_MOF.replace(SAMPLE_ID, SAMPLE_ID.toUpperCase()),
    attach: () => ({ addPortProperty: forwardsWhole }),
  },
};
