import {
  defineExtension,
  type ExtensionDefinition,
  NdisStatus,
  type NicSaveState,
  type PortProperty,
  type Verdict,
} from '../../../src/sdk/index.ts';

/*
 * Extensions on either side of what the judge of a sweep excuses (docs/reference/sweep.md): each does what a rule allows, and has
 * one mistake next to it that no rule allows.
 */

const ID = 'b20c4e10-6d31-4a8f-9c07-51e2f3a40002';
const OWNED = 'Careless_OwnedSettingData';

export const OWNED_MOF = `
[ Dynamic, UUID("b20c4e10-6d31-4a8f-9c07-51e2f3a40021"), ExtensionId("${ID}"), Provider("VmmsWmiInstanceAndMethodProvider"),
  InterfaceVersion("1"), InterfaceRevision("0") ]
class ${OWNED} : Msvm_EthernetSwitchPortFeatureSettingData
{
  [ Read, Write, WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0") ]
  uint32 Limit = 10;
};`;

/**
 * Rule E29: a forwarding extension completes its own policy itself, so that those below never see it. The mistake: what a failed
 * save left over is given with the next one too (rule G22).
 */
export const owner = (isCareless: boolean): ExtensionDefinition =>
  defineExtension({
    id: ID,
    name: isCareless ? 'Owns and saves twice' : 'Owns and saves once',
    vendor: 'Sample',
    version: '1.0',
    type: 'forward',
    attach() {
      const own = ({ feature }: PortProperty): Verdict =>
        feature === OWNED ? NdisStatus.SUCCESS : 'forward';
      const queues = new Map<number, string[]>();
      const asked = new Set<number>();
      return {
        addPortProperty: own,
        updatePortProperty: own,
        deletePortProperty: own,
        saveNic(state: NicSaveState): Verdict {
          const queue = queues.get(state.portId) ?? [];
          queues.set(state.portId, queue);
          if (!asked.has(state.portId)) queue.push('first', 'second');
          asked.add(state.portId);
          const [next] = queue;
          if (next === undefined) return 'forward';
          const status = state.save(new TextEncoder().encode(next));
          if (status === NdisStatus.SUCCESS) queue.shift();
          return status;
        },
        saveNicComplete({ portId }) {
          asked.delete(portId);
          if (!isCareless) queues.delete(portId);
          return 'forward';
        },
        restoreNic: ({ isMine }) => (isMine ? NdisStatus.SUCCESS : 'forward'),
      };
    },
  });
