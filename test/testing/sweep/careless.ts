import {
  defineExtension,
  type ExtensionDefinition,
  type ExtensionHandlers,
  isErrorStatus,
  NdisStatus,
  type NicSaveState,
  type OidRequest,
  type PortProperty,
  type SwitchContext,
  type Verdict,
} from '../../../src/sdk/index.ts';

/*
 * Mistakes that only a failure path shows, each in one extension, with its twin that does the same without the mistake.
 */

const ID = 'b20c4e10-6d31-4a8f-9c07-51e2f3a40001';
const LIMIT_CLASS = 'Careless_LimitSettingData';
/** OID_SWITCH_NIC_ARRAY, ntddndis.h. */
const NIC_ARRAY = 0x10277;

export const LIMIT_MOF = `
[ Dynamic, UUID("b20c4e10-6d31-4a8f-9c07-51e2f3a40011"), ExtensionId("${ID}"), Provider("VmmsWmiInstanceAndMethodProvider"),
  InterfaceVersion("1"), InterfaceRevision("0") ]
class ${LIMIT_CLASS} : Msvm_EthernetSwitchPortFeatureSettingData
{
  [ Read, Write, WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0") ]
  uint32 Limit = 10;
};`;

function extension(
  name: string,
  attach: (sw: SwitchContext) => ExtensionHandlers,
): ExtensionDefinition {
  return defineExtension({
    id: ID,
    name,
    vendor: 'Sample',
    version: '1.0',
    type: 'filter',
    attach,
  });
}

/** One limit a port. The mistake: it keeps one that an extension below refused. */
export const limits = (isCareless: boolean): ExtensionDefinition =>
  extension(isCareless ? 'Keeps what was refused' : 'Keeps what was taken', () => {
    const held = new Map<number, string>();
    const asked = new Map<number, number>();
    return {
      addPortProperty(property: PortProperty): Verdict {
        const { feature, portId, propertyInstanceId: id, request } = property;
        if (feature !== LIMIT_CLASS) return 'forward';
        const known = held.get(portId);
        if (known !== undefined && known !== id) return NdisStatus.DATA_NOT_ACCEPTED;
        held.set(portId, id);
        if (known === undefined) asked.set(request.id, portId);
        return 'forward';
      },
      oidRequestComplete({ id, status }: OidRequest) {
        const portId = asked.get(id);
        asked.delete(id);
        if (portId !== undefined && isErrorStatus(status) && !isCareless) held.delete(portId);
      },
      deletePortProperty({ feature, portId }) {
        if (feature === LIMIT_CLASS) held.delete(portId);
        return 'forward';
      },
      deletePort({ portId }) {
        held.delete(portId);
        return 'forward';
      },
    };
  });

/** A port is referenced while something is asked about it. The mistake: the reference stays when the question fails. */
export const references = (isCareless: boolean): ExtensionDefinition =>
  extension(isCareless ? 'Leaks a reference' : 'Gives it back', (sw) => ({
    updatePortProperty({ portId }): Verdict {
      if (sw.referencePort(portId) !== NdisStatus.SUCCESS) return 'forward';
      const asked = sw.request('query', NIC_ARRAY, new Uint8Array(0), 4096);
      if (asked instanceof Promise) void asked.then(() => sw.dereferencePort(portId));
      else if (asked.status !== NdisStatus.RESOURCES || !isCareless) sw.dereferencePort(portId);
      return 'forward';
    },
  }));

/** It asks what is there before a port comes. The mistake: when that fails, it never ends the request it holds. */
export const questions = (isCareless: boolean): ExtensionDefinition =>
  extension(isCareless ? 'Forgets what it holds' : 'Ends what it holds', (sw) => {
    const held = new Set<OidRequest>();
    const end = (request: OidRequest): void => {
      if (held.delete(request)) request.forward();
    };
    return {
      createPort(_port, request) {
        const pended = request.pend();
        held.add(request);
        const asked = sw.request('query', NIC_ARRAY, new Uint8Array(0), 4096);
        void Promise.resolve(asked).then(({ status }) => {
          // NDIS_STATUS_INVALID_PARAMETER: it was answered, and only its header is wrong.
          const isFailure = status === NdisStatus.RESOURCES;
          if (!isFailure || !isCareless) end(request);
        });
        return pended;
      },
      pause() {
        if (!isCareless) for (const request of [...held]) end(request);
      },
    };
  });

/** The mistake: a status it has not thought of ends its handler. */
export const statuses = (isCareless: boolean): ExtensionDefinition =>
  extension(isCareless ? 'Throws on RESOURCES' : 'Takes every status', () => ({
    oidRequestComplete({ status }) {
      if (isCareless && status === NdisStatus.RESOURCES) throw new Error('cannot be');
    },
  }));

/** Deletes are the moment to forget a limit. The mistake: it does not take it back when the delete is refused below. */
export const deletes = (isCareless: boolean): ExtensionDefinition =>
  extension(isCareless ? 'Forgets too early' : 'Takes it back', () => {
    const held = new Set<string>();
    const leaving = new Map<number, string>();
    return {
      addPortProperty({ feature, propertyInstanceId }) {
        if (feature === LIMIT_CLASS) held.add(propertyInstanceId);
        return 'forward';
      },
      deletePortProperty({ feature, propertyInstanceId, request }) {
        if (feature !== LIMIT_CLASS) return 'forward';
        if (!held.delete(propertyInstanceId)) return NdisStatus.INVALID_PARAMETER;
        leaving.set(request.id, propertyInstanceId);
        return 'forward';
      },
      oidRequestComplete({ id, status }: OidRequest) {
        const known = leaving.get(id);
        leaving.delete(id);
        if (known !== undefined && isErrorStatus(status) && !isCareless) held.add(known);
      },
    };
  });

/** Two records a save. The mistake: what a failed save left over is given with the next one too. */
export const saves = (isCareless: boolean): ExtensionDefinition =>
  extension(isCareless ? 'Saves twice' : 'Saves once', () => {
    const queues = new Map<number, string[]>();
    const asked = new Set<number>();
    return {
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
  });
