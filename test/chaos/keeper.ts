import { randomBytes } from 'node:crypto';
import { defineExtension, isErrorStatus, NdisStatus } from 'extswitch/extension';

/*
 * The extension of the chaos tests. It holds the value of each policy of each port, and a token for each connection, drawn when the
 * NIC was connected: run-time data, which only a save, a restore and a migration carry on. It tells both as a feature status,
 * so that a client can compare what it holds with what the store has.
 */

const SETTING = 'Chaos_PortSettingData';
const STATUS = 'Chaos_PortStatus';
/** Bytes of the second record: more than fits beside a policy, so that blobs are real ones. */
const BALLAST = 3_000;

export default defineExtension({
  id: '0c4a05e1-3b52-4d0e-9d6a-5a1f7b2c9e01',
  name: 'Chaos Keeper',
  vendor: 'extswitch',
  version: '1.0',
  type: 'filter',
  mof: ['./keeper.mof'],
  attach(sw) {
    /** Port → property instance → value. */
    const held = new Map<number, Map<string, number>>();
    const tokens = new Map<number, string>();
    /** Records of a save that were given. */
    const given = new Map<number, number>();
    const undo = new Map<number, () => void>();

    function ofPort(portId: number): Map<string, number> {
      const values = held.get(portId) ?? new Map<string, number>();
      held.set(portId, values);
      return values;
    }

    function set(portId: number, id: string, value: number | undefined, request?: number): void {
      const values = ofPort(portId);
      const before = values.get(id);
      if (value === undefined) values.delete(id);
      else values.set(id, value);
      if (request === undefined) return;
      undo.set(request, () => {
        if (before === undefined) values.delete(id);
        else values.set(id, before);
      });
    }

    /** On a live switch nothing is told again (rules J11, J12). */
    function catchUp(): void {
      held.clear();
      for (const { portId, state } of sw.ports()) {
        if (state !== 'created') continue;
        for (const { propertyInstanceId, settings } of sw.portProperties(portId, SETTING)) {
          set(portId, propertyInstanceId, Number(settings?.['Value']));
        }
      }
    }

    return {
      addPortProperty({ feature, portId, propertyInstanceId, settings, request }) {
        if (feature !== SETTING) return 'forward';
        // What a client is refused must be found nowhere afterwards.
        if (Number(settings?.['Value']) % 10 === 7) return NdisStatus.DATA_NOT_ACCEPTED;
        set(portId, propertyInstanceId, Number(settings?.['Value']), request.id);
        return 'forward';
      },
      updatePortProperty({ feature, portId, propertyInstanceId, settings, request }) {
        if (feature !== SETTING) return 'forward';
        if (Number(settings?.['Value']) % 10 === 7) return NdisStatus.DATA_NOT_ACCEPTED;
        set(portId, propertyInstanceId, Number(settings?.['Value']), request.id);
        return 'forward';
      },
      deletePortProperty({ feature, portId, propertyInstanceId, request }) {
        if (feature === SETTING) set(portId, propertyInstanceId, undefined, request.id);
        return 'forward';
      },
      oidRequestComplete(request) {
        if (isErrorStatus(request.status)) undo.get(request.id)?.();
        undo.delete(request.id);
      },
      connectNic({ portId }) {
        if (!tokens.has(portId)) tokens.set(portId, randomBytes(8).toString('hex'));
      },
      saveNic(state) {
        const at = given.get(state.portId) ?? 0;
        const token = tokens.get(state.portId);
        if (at === 2 || token === undefined) return 'forward';
        const data = new TextEncoder().encode(at === 0 ? token : token.padEnd(BALLAST, token));
        const status = state.save(data);
        if (status === NdisStatus.SUCCESS) given.set(state.portId, at + 1);
        return status;
      },
      saveNicComplete: ({ portId }) => {
        given.delete(portId);
      },
      restoreNic(state) {
        if (!state.isMine) return 'forward';
        const text = new TextDecoder().decode(state.data);
        if (text.length < BALLAST) tokens.set(state.portId, text);
        return NdisStatus.SUCCESS;
      },
      deletePort({ portId }) {
        held.delete(portId);
        tokens.delete(portId);
        return 'forward';
      },
      queryPortFeatureStatus(query) {
        if (query.feature !== STATUS) return 'forward';
        const view = [...ofPort(query.portId)].map(([id, value]) => `${id}=${value}`).sort();
        return query.respond({ Token: tokens.get(query.portId) ?? '', View: view.join(',') });
      },
      restart() {
        if (sw.parameters().isActive) catchUp();
      },
      activate: catchUp,
    };
  },
});
