import { OIDS, structure } from '../../../abi/index.ts';
import { NULL_GUID } from '../../../core/guid.ts';
import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';
import { forwardsWhole } from '../../sample-properties.ts';
import { savesOneRecord } from '../../sample-savers.ts';

const STATE = structure('NDIS_SWITCH_NIC_SAVE_STATE');
const SAVE = OIDS.OID_SWITCH_NIC_SAVE.code;

export const g14: RuleCheck = {
  rule: 'G14',
  what: 'It sets FeatureClassId to a GUID that is neither zero nor a class of its own.',
  why: 'Tools tell by the class what a record is. A GUID that no class has makes the data unreadable for everybody but this build of the driver.',
  mend: 'Use the UUID of the MOF class that the data belongs to, or zeros when there is none.',
  by: 'watch',
  stages: ['save-restore'],
  watch: ({ module, catalog, report }) => ({
    ended(request, answer) {
      if (request.oid !== SAVE || answer !== NdisStatus.SUCCESS) return;
      const { FeatureClassId: id } = STATE.view(request.buffer, 0);
      if (id === NULL_GUID) return;
      for (const scope of ['port', 'switch'] as const) {
        const known = catalog().setting(scope, id) ?? catalog().status(scope, id);
        if (known?.extensionId === module.id) return;
      }
      report({ message: `saved a record of class ${id}, which is none of its classes`, request });
    },
  }),
  exercised: (activity) => activity.savedRecords > 0,
  exercise: 'save a VM whose run-time data the extension has',
  breaks: {
    about: 'makes up a GUID for its kinds of records',
    type: 'filter',
    attach: () =>
      savesOneRecord(({ request }) => {
        STATE.view(request.bytes, 0).FeatureClassId = '11111111-2222-3333-4444-555555555555';
      }),
  },
  close: {
    about: 'names its own class',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => ({
      ...savesOneRecord(({ request }) => {
        STATE.view(request.bytes, 0).FeatureClassId = '7e51a3d0-2b64-4c1f-8f0e-6a9d3c5b2e20';
      }),
      addPortProperty: forwardsWhole,
    }),
  },
};
