import {
  defineExtension,
  type ExtensionDefinition,
  isErrorStatus,
  NdisStatus,
  type OidRequest,
  type PortProperty,
  type Verdict,
} from '../../../src/sdk/index.ts';

/*
 * An extension as a vendor would write it: each port has a quota, all of them together no more than the switch can carry. Each of
 * its mistakes is something that was forgotten on the way that is taken when something fails.
 */

/** `held`: what it holds is not ended. `undo`: an add that failed stays counted. `stale`: an update that failed stays. */
export type Mistake = 'held' | 'undo' | 'stale';

const ID = 'c31d5e20-7f42-4b90-8d18-62f3a4b50001';
const QUOTA = 'Contoso_QuotaSettingData';
const STATUS = 'Contoso_QuotaData';
/** OID_SWITCH_NIC_ARRAY, ntddndis.h. */
const NIC_ARRAY = 0x10277;
const CAPACITY = 15;

const classOf = (uuid: string, declared: string): string => `
[ Dynamic, UUID("${uuid}"), ExtensionId("${ID}"), Provider("VmmsWmiInstanceAndMethodProvider"),
  InterfaceVersion("1"), InterfaceRevision("0") ]
class ${declared}
{
  [ Read, Write, WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0") ]
  uint32 Quota = 10;
};`;

export const QUOTA_MOF =
  classOf(
    'c31d5e20-7f42-4b90-8d18-62f3a4b50011',
    `${QUOTA} : Msvm_EthernetSwitchPortFeatureSettingData`,
  ) + classOf('c31d5e20-7f42-4b90-8d18-62f3a4b50012', `${STATUS} : Msvm_EthernetPortData`);

export const quota = (...mistakes: readonly Mistake[]): ExtensionDefinition =>
  defineExtension({
    id: ID,
    name: mistakes.length === 0 ? 'Contoso Quota' : `Contoso Quota with ${mistakes.join(' and ')}`,
    vendor: 'Contoso',
    version: '1.0',
    type: 'filter',
    attach(sw) {
      const quotas = new Map<number, number>();
      /** Request → what its port had before it. */
      const before = new Map<number, { readonly portId: number; readonly had: number }>();
      const held = new Set<OidRequest>();
      const of = (portId: number): number => quotas.get(portId) ?? 0;
      const take = ({ portId, settings, request }: PortProperty): Verdict => {
        const wanted = Number(settings?.['Quota'] ?? 0);
        const all = [...quotas.values()].reduce((sum, one) => sum + one, 0);
        if (all + wanted > CAPACITY) return NdisStatus.DATA_NOT_ACCEPTED;
        before.set(request.id, { portId, had: of(portId) });
        quotas.set(portId, of(portId) + wanted);
        return 'forward';
      };
      /** Rules J11, J12: what is there already. */
      const catchUp = (): void => {
        quotas.clear();
        for (const { portId, state } of sw.ports()) {
          // Rules B36, E48: a port in teardown cannot be asked.
          if (state !== 'created') continue;
          for (const { settings } of sw.portProperties(portId, QUOTA)) {
            quotas.set(portId, Number(settings?.['Quota'] ?? 0));
          }
        }
      };
      return {
        restart() {
          if (sw.parameters().isActive) catchUp();
        },
        activate() {
          try {
            catchUp();
          } catch (error) {
            // Rule A72: it cannot refuse.
            sw.log(`could not learn what is there: ${String(error)}`);
          }
        },
        createPort(_port, request) {
          const pended = request.pend();
          held.add(request);
          const end = (): void => {
            if (held.delete(request)) request.forward();
          };
          const asked = sw.request('query', NIC_ARRAY, new Uint8Array(0), 4096);
          void Promise.resolve(asked).then(({ status }) => {
            if (status !== NdisStatus.RESOURCES || !mistakes.includes('held')) end();
          });
          return pended;
        },
        addPortProperty: (property) => (property.feature === QUOTA ? take(property) : 'forward'),
        updatePortProperty(property) {
          const { feature, portId, settings, request } = property;
          if (feature !== QUOTA) return 'forward';
          before.set(request.id, { portId, had: of(portId) });
          quotas.set(portId, Number(settings?.['Quota'] ?? 0));
          return 'forward';
        },
        oidRequestComplete({ id, status, oidName }: OidRequest) {
          const change = before.get(id);
          before.delete(id);
          if (change === undefined || !isErrorStatus(status)) return;
          const mistake = oidName.endsWith('_ADD') ? 'undo' : 'stale';
          if (!mistakes.includes(mistake)) quotas.set(change.portId, change.had);
        },
        deletePortProperty({ feature, portId }) {
          if (feature === QUOTA) quotas.delete(portId);
          return 'forward';
        },
        deletePort({ portId }) {
          quotas.delete(portId);
          return 'forward';
        },
        queryPortFeatureStatus: (query) =>
          query.feature === STATUS ? query.respond({ Quota: of(query.portId) }) : 'forward',
        pause() {
          for (const request of [...held]) if (held.delete(request)) request.forward();
        },
      };
    },
  });
