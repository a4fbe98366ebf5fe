import { NdisStatus } from '../../src/core/status.ts';
import type { FabricOptions } from '../../src/policy/api.ts';
import type { ExtensionHandlers, SwitchContext } from '../../src/sdk/extension.ts';
import type { Act } from './acts.ts';
import * as act from './acts.ts';
import { Observer, PORT_CLASS, SWITCH_CLASS } from './observer.ts';

export const CAPTURE = 'c0000000-0000-4000-8000-00000000000c';
/** Owner of the Fabrikam classes. */
export const FILTER = '5cbf81be-5055-47cd-9055-a76b2b4e369e';
export const FORWARD = 'f0000000-0000-4000-8000-00000000000f';
export const SWITCH = 'Golden';
export const VM = 'VM A';
const NIC = 'Ethernet';
const PROPERTY = '01020304-0506-0708-090a-0b0c0d0e0f10';
const OTHER_PROPERTY = '01020304-0506-0708-090a-0b0c0d0e0f11';
const PORT_STATUS = 'Fabrikam_CustomPortData';
const SWITCH_STATUS = 'Fabrikam_CustomSwitchData';

type Handlers = (sw: SwitchContext) => ExtensionHandlers;

/** A canonical sequence of the rule book, as what people do. */
export interface Sequence {
  /** Name of its golden file. */
  readonly name: string;
  readonly title: string;
  /** Rules it shows. */
  readonly rules: string;
  readonly options?: FabricOptions;
  readonly capture?: Handlers;
  readonly filter?: Handlers;
  readonly forward?: Handlers;
  /** Done before; not in the golden file. */
  readonly setup: readonly Act[];
  readonly acts: readonly Act[];
  /** OIDs of `acts` in their order, from the rule book: name without OID_SWITCH_, status when it is not success. */
  readonly expected: readonly string[];
}

/** The three extensions of a sequence, fresh. */
export function stackOf(sequence: Sequence): Observer[] {
  const { capture, filter, forward } = sequence;
  return [
    new Observer({ id: CAPTURE, name: 'capture', type: 'capture' }, capture),
    new Observer({ id: FILTER, name: 'filter', type: 'filter' }, filter),
    new Observer({ id: FORWARD, name: 'forward', type: 'forward' }, forward),
  ];
}

const ALL = [CAPTURE, FILTER, FORWARD];
const sw = (more: Partial<Parameters<typeof act.createSwitch>[0]> = {}): Act =>
  act.createSwitch({ name: SWITCH, type: 'external', extensions: ALL, ...more });
const adapter = { name: NIC, switch: SWITCH, mac: '00-15-5d-00-00-0a' };
const vm = act.createVm(VM, [adapter]);
const policy = act.addProperty(
  act.ofAdapter(VM, NIC),
  PORT_CLASS,
  { SettingIntA: 1, SettingIntB: 2 },
  PROPERTY,
);
const VALIDATION_WITH_POLICY = ['PORT_CREATE', 'PORT_PROPERTY_ADD', 'PORT_TEARDOWN', 'PORT_DELETE'];
const START = ['PORT_CREATE', 'PORT_PROPERTY_ADD', 'NIC_CREATE', 'NIC_CONNECT'];
const STOP = ['NIC_DISCONNECT', 'NIC_DELETE', 'PORT_TEARDOWN', 'PORT_DELETE'];
/** Rule J11: an extension that finds the switch active asks for everything (observer.ts). */
const catchUp = (ports: number): string[] => [
  'PROPERTY_ENUM',
  'NIC_ARRAY',
  'PORT_ARRAY',
  ...Array.from({ length: ports }, () => 'PORT_PROPERTY_ENUM'),
];
/** Asked first with the head alone, then with the room it was told to need (rules J5, J10). */
const grown = (oid: string): string[] => [`${oid} INVALID_LENGTH`, oid];

const adapters = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, i) => ({
    name: `Adapter ${i + 1}`,
    mac: `02-00-00-00-01-0${i + 1}`,
    ...more,
  }));

const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);

/** Saves these blobs one after the other, once for each save of a NIC. */
function saver(blobs: readonly Uint8Array[]): ExtensionHandlers {
  let next = 0;
  return {
    saveNic(state) {
      const blob = blobs[next];
      if (blob === undefined) return 'forward';
      const status = state.save(blob);
      if (status === NdisStatus.SUCCESS) next += 1;
      return status;
    },
    saveNicComplete: () => {
      next = 0;
    },
    restoreNic: (state) => (state.isMine ? NdisStatus.SUCCESS : 'forward'),
  };
}

/** Redirects encapsulated requests to the first adapter of the team, on behalf of whoever asked (rules D31-D34). */
const teaming: Handlers = (context) => ({
  nicRequest(inner) {
    const { source } = inner;
    const destination = { portId: inner.destination.portId, nicIndex: 1 };
    if (destination.portId === 0) return 'forward';
    const named = source.portId === 0 ? [destination] : [destination, source];
    const held = named.filter(
      ({ portId, nicIndex }) => context.referenceNic(portId, nicIndex) === NdisStatus.SUCCESS,
    );
    try {
      if (held.length < named.length) return NdisStatus.FAILURE;
      const { requestType, oid, data } = inner;
      const result = context.nicRequest({
        source,
        destination,
        requestType,
        oid,
        input: data,
        outputLengthBytes: data.length,
      });
      if (result instanceof Promise) throw new Error('nothing pends below');
      // What the adapter wrote is the answer to the original as well.
      data.set(result.output.subarray(0, data.length));
      return result.status;
    } finally {
      for (const { portId, nicIndex } of held) context.dereferenceNic(portId, nicIndex);
    }
  },
});

export const SEQUENCES: readonly Sequence[] = [
  {
    name: 's01-switch-creation',
    title: 'S1: switch creation with extension attach, host ports after activation',
    rules: 'A46-A48, A67, A68, J11, J12, S1',
    setup: [],
    acts: [sw({ managementOs: true })],
    expected: [
      // Step 5: in its first restart each asks for OID_SWITCH_PARAMETERS, bottom-up.
      'PARAMETERS',
      'PARAMETERS',
      'PARAMETERS',
      // Steps 8 and 9.
      ...catchUp(0),
      ...catchUp(0),
      ...catchUp(0),
      // Step 10: the management OS gets its NIC.
      'PORT_CREATE',
      'NIC_CREATE',
      'NIC_CONNECT',
    ],
  },
  {
    name: 's02-vm-start',
    title: 'S2: VM start, standing validation port first; then NIC and port are updated',
    rules: 'B44, B45, B19, C25, C28, E20, S2',
    options: { behaviour: { validationPorts: 'standing' } },
    setup: [sw(), vm, policy],
    acts: [act.startVm(VM), act.updateAdapter(VM, NIC, { mtu: 9000 })],
    expected: ['PORT_TEARDOWN', 'PORT_DELETE', ...START, 'NIC_UPDATED'],
  },
  {
    name: 's03-vm-stop',
    title: 'S3: VM stop; a validation port checks the policies afterwards',
    rules: 'B20-B22, B44, C30-C32, E38, OP-7, OP-19, S3',
    setup: [sw(), vm, policy, act.startVm(VM)],
    acts: [act.stopVm(VM)],
    expected: [...STOP, ...VALIDATION_WITH_POLICY],
  },
  {
    name: 's04-hot-add-remove',
    title: 'S4: a NIC is added to a running VM, moved to another switch, and removed',
    rules: 'B15, C22, C33, S4',
    setup: [sw(), act.createSwitch({ name: 'Other', extensions: ALL }), vm, act.startVm(VM)],
    acts: [
      act.addAdapter(VM, { name: 'Second', switch: SWITCH, mac: '00-15-5d-00-00-0b' }),
      act.connectAdapter(VM, 'Second', 'Other'),
      act.removeAdapter(VM, 'Second'),
    ],
    expected: [
      // The validation pass of S4 is optional: the operational port asks the same question.
      'PORT_CREATE',
      'NIC_CREATE',
      'NIC_CONNECT',
      ...STOP,
      'PORT_CREATE',
      'NIC_CREATE',
      'NIC_CONNECT',
      ...STOP,
    ],
  },
  {
    name: 's05-custom-port-property',
    title: 'S5: custom port property, filtering owner',
    rules: 'E14, E16, E17, E25, E28, E36, S5',
    filter: () => {
      const verdict = (value: unknown) =>
        Number(value) > 100 ? NdisStatus.DATA_NOT_ACCEPTED : 'forward';
      return {
        addPortProperty: ({ settings }) => verdict(settings?.['SettingIntA']),
        updatePortProperty: ({ settings }) => verdict(settings?.['SettingIntA']),
      };
    },
    setup: [sw(), vm, act.startVm(VM)],
    acts: [
      policy,
      act.updateProperty(act.ofAdapter(VM, NIC), PROPERTY, { SettingIntA: 3, SettingIntB: 4 }),
      act.refused(act.updateProperty(act.ofAdapter(VM, NIC), PROPERTY, { SettingIntA: 101 })),
      act.removeProperty(act.ofAdapter(VM, NIC), PROPERTY),
    ],
    expected: [
      'PORT_PROPERTY_ADD',
      'PORT_PROPERTY_UPDATE',
      'PORT_PROPERTY_UPDATE DATA_NOT_ACCEPTED',
      'PORT_PROPERTY_DELETE',
    ],
  },
  {
    name: 's06-custom-switch-property',
    title: 'S6: custom switch property, forwarding owner',
    rules: 'E15, E27, E29, OP-5, S6',
    forward: () => {
      const held = new Set<string>();
      const known = (id: string) =>
        held.has(id) ? NdisStatus.SUCCESS : NdisStatus.INVALID_PARAMETER;
      return {
        addSwitchProperty: ({ propertyInstanceId, settings }) => {
          // One it takes and does not keep shows what an unknown instance comes to.
          if (settings?.['SwitchSettingIntA'] !== 13) held.add(propertyInstanceId);
          return NdisStatus.SUCCESS;
        },
        updateSwitchProperty: ({ propertyInstanceId }) => known(propertyInstanceId),
        deleteSwitchProperty: ({ propertyInstanceId }) => known(propertyInstanceId),
      };
    },
    setup: [sw()],
    acts: [
      act.addProperty(act.ofSwitch(SWITCH), SWITCH_CLASS, { SwitchSettingIntA: 10 }, PROPERTY),
      act.updateProperty(act.ofSwitch(SWITCH), PROPERTY, { SwitchSettingIntA: 11 }),
      act.removeProperty(act.ofSwitch(SWITCH), PROPERTY),
      act.addProperty(
        act.ofSwitch(SWITCH),
        SWITCH_CLASS,
        { SwitchSettingIntA: 13 },
        OTHER_PROPERTY,
      ),
      act.refused(
        act.updateProperty(act.ofSwitch(SWITCH), OTHER_PROPERTY, { SwitchSettingIntA: 14 }),
      ),
      act.refused(act.removeProperty(act.ofSwitch(SWITCH), OTHER_PROPERTY)),
    ],
    expected: [
      'PROPERTY_ADD',
      'PROPERTY_UPDATE',
      'PROPERTY_DELETE',
      'PROPERTY_ADD',
      'PROPERTY_UPDATE INVALID_PARAMETER',
      'PROPERTY_DELETE INVALID_PARAMETER',
    ],
  },
  {
    name: 's07-feature-status',
    title: 'S7: feature status: too small, asked again, answered; nobody owns the other one',
    rules: 'F1, F5, F9, F11, F13, S7',
    filter: () => ({
      queryPortFeatureStatus(query) {
        if (query.capacityBytes < 8) {
          query.request.bytesNeeded = 64 + 16 + 8;
          return NdisStatus.INVALID_LENGTH;
        }
        return query.respondRaw(Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0), 0x0100);
      },
    }),
    setup: [sw(), vm, act.startVm(VM)],
    acts: [
      act.queryStatus(act.ofAdapter(VM, NIC), PORT_STATUS),
      act.refused(act.queryStatus(act.ofSwitch(SWITCH), SWITCH_STATUS)),
    ],
    expected: [
      'PORT_FEATURE_STATUS_QUERY INVALID_LENGTH',
      'PORT_FEATURE_STATUS_QUERY',
      'FEATURE_STATUS_QUERY NOT_SUPPORTED',
    ],
  },
  {
    name: 's08-external-nic',
    title: 'S8: a switch team of two adapters attached, the link of one lost and found, detached',
    rules: 'C3, C4, C52-C55, H1-H3, S8',
    setup: [sw()],
    acts: [
      act.connectUplink(SWITCH, { team: 'switch', adapters: adapters(2) }),
      act.setLink(SWITCH, 2, false),
      act.setLink(SWITCH, 2, true),
      act.disconnectUplink(SWITCH),
    ],
    expected: [
      'PORT_CREATE',
      'NIC_CREATE',
      'NIC_CREATE',
      'NIC_CREATE',
      'NIC_CONNECT',
      'NIC_CONNECT',
      'NIC_CONNECT',
      'NDIS_STATUS_SWITCH_NIC_STATUS',
      'NDIS_STATUS_SWITCH_NIC_STATUS',
      'NIC_DISCONNECT',
      'NIC_DISCONNECT',
      'NIC_DELETE',
      'NIC_DELETE',
      'NIC_DISCONNECT',
      'NIC_DELETE',
      'PORT_TEARDOWN',
      'PORT_DELETE',
    ],
  },
  {
    name: 's09-save',
    title:
      'S9: a VM is saved: two records of the filter, one of the forwarding extension that needs more room',
    rules: 'G1-G11, S9',
    filter: () => saver([bytes(16, 0xf1), bytes(3, 0xf2)]),
    forward: () => saver([bytes(8000, 0xd1)]),
    setup: [sw(), vm, policy, act.startVm(VM)],
    acts: [act.saveVm(VM)],
    expected: [
      'NIC_SAVE',
      'NIC_SAVE',
      'NIC_SAVE BUFFER_TOO_SHORT',
      'NIC_SAVE',
      'NIC_SAVE',
      'NIC_SAVE_COMPLETE',
      ...STOP,
      ...VALIDATION_WITH_POLICY,
    ],
  },
  {
    name: 's10-restore',
    title:
      'S10: a VM is restored: its port says so, each record finds its owner, then the guest goes on',
    rules: 'B9, G23-G29, S10',
    filter: () => saver([bytes(16, 0xf1), bytes(3, 0xf2)]),
    forward: () => saver([bytes(8000, 0xd1)]),
    setup: [sw(), vm, policy, act.startVm(VM), act.saveVm(VM)],
    acts: [act.restoreVm(VM)],
    expected: [...START, 'NIC_RESTORE', 'NIC_RESTORE', 'NIC_RESTORE', 'NIC_RESTORE_COMPLETE'],
  },
  {
    name: 's13-extension-enabled',
    title: 'S13: an extension is enabled on a live switch and catches up',
    rules: 'A46, A47, A65, E39-E44, J1-J8, J11, S13',
    setup: [sw({ extensions: [CAPTURE, FORWARD] }), vm, policy, act.startVm(VM)],
    acts: [act.changeExtension(SWITCH, FILTER, { enabled: true })],
    expected: [
      // Every module restarts, bottom-up, and asks; the one that is new has to.
      'PARAMETERS',
      'PROPERTY_ENUM',
      ...grown('NIC_ARRAY'),
      ...grown('PORT_ARRAY'),
      ...grown('PORT_PROPERTY_ENUM'),
      'PARAMETERS',
      'PROPERTY_ENUM',
      ...grown('NIC_ARRAY'),
      ...grown('PORT_ARRAY'),
      ...grown('PORT_PROPERTY_ENUM'),
      'PARAMETERS',
      'PROPERTY_ENUM',
      ...grown('NIC_ARRAY'),
      ...grown('PORT_ARRAY'),
      ...grown('PORT_PROPERTY_ENUM'),
    ],
  },
  {
    name: 's14-extension-disabled',
    title: 'S14: an extension is disabled: no property OID, the rest restarts',
    rules: 'A46, A52, A75, S14',
    setup: [sw(), vm, policy, act.startVm(VM)],
    acts: [act.changeExtension(SWITCH, FORWARD, { enabled: false })],
    expected: [
      'PARAMETERS',
      'PROPERTY_ENUM',
      ...grown('NIC_ARRAY'),
      ...grown('PORT_ARRAY'),
      ...grown('PORT_PROPERTY_ENUM'),
      'PARAMETERS',
      'PROPERTY_ENUM',
      ...grown('NIC_ARRAY'),
      ...grown('PORT_ARRAY'),
      ...grown('PORT_PROPERTY_ENUM'),
    ],
  },
  {
    name: 's15-veto-and-rollback',
    title: 'S15: the forwarding extension vetoes; those above learn it from the completion',
    rules: 'B17, B29, D14, D21, S15',
    forward: () => ({
      createPort: ({ friendlyName }) =>
        friendlyName === 'full' ? NdisStatus.RESOURCES : NdisStatus.DATA_NOT_ACCEPTED,
    }),
    setup: [sw()],
    acts: [
      act.refused(act.createPort(SWITCH, 'vetoed')),
      act.refused(act.createPort(SWITCH, 'full')),
    ],
    expected: ['PORT_CREATE DATA_NOT_ACCEPTED', 'PORT_CREATE RESOURCES'],
  },
  {
    name: 's16-teaming-provider',
    title:
      'S16: a VF is assigned; a teaming provider sends the requests to an adapter of its choice',
    rules: 'D24, D25, D28, D31-D34, S2 step 7, S16',
    forward: teaming,
    setup: [
      sw({ uplink: { team: 'switch', adapters: adapters(2, { virtualFunctions: 4 }) } }),
      vm,
      act.startVm(VM),
    ],
    acts: [act.assignVf(VM, NIC)],
    expected: ['NIC_REQUEST', 'NIC_REQUEST', 'NIC_REQUEST', 'NIC_REQUEST', 'NIC_UPDATED'],
  },
  {
    name: 's17-vf-removal',
    title:
      'S17: the forwarding extension has a VF removed; the NIC falls back to the synthetic path',
    rules: 'H8, H9, H11, H12, H14, S17',
    forward: (context) => ({
      // The adapter says its link is down: the VF on it is of no use.
      nicStatus() {
        const vf = context.nics().find(({ vfAssigned }) => vfAssigned);
        if (vf === undefined) return;
        const destination = { portId: vf.portId, nicIndex: vf.index };
        if (context.referenceNic(vf.portId, vf.index) !== NdisStatus.SUCCESS) return;
        context.indicateNicStatus({ destination, statusCode: NdisStatus.SWITCH_PORT_REMOVE_VF });
        context.dereferenceNic(vf.portId, vf.index);
      },
    }),
    setup: [
      sw({ uplink: { adapters: adapters(1, { virtualFunctions: 1 }) } }),
      vm,
      act.startVm(VM),
      act.assignVf(VM, NIC),
    ],
    acts: [act.setLink(SWITCH, 1, false)],
    expected: [
      // The trace has things in the order they ended: the adapter's own status, which started it, comes last.
      ...grown('NIC_ARRAY'),
      'NDIS_STATUS_SWITCH_NIC_STATUS',
      'NIC_REQUEST',
      'NIC_REQUEST',
      'NIC_UPDATED',
      'NDIS_STATUS_SWITCH_NIC_STATUS',
    ],
  },
];
