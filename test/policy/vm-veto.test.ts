import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { VmHandle } from '../../src/policy/api.ts';
import type { Fabric } from '../../src/policy/fabric.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { PORT_SETTING } from './open-world.ts';
import { contents, first, KeptStore, openVmWorld, visible } from './vm-world.ts';

/** OIDs an extension may refuse (rule book D.2). */
const VETOABLE = /_(PORT_CREATE|NIC_CREATE|PROPERTY_ADD|PROPERTY_UPDATE|NIC_SAVE|NIC_RESTORE)$/;

interface Scene {
  readonly name: string;
  /** Requests of the sequence that can be refused, in each lifetime of validation ports. */
  readonly vetoes: { readonly short: number; readonly standing: number };
  readonly before?: (vm: VmHandle) => Promise<unknown>;
  readonly act: (vm: VmHandle, fabric: Fabric) => Promise<unknown>;
}

/** The VM has two adapters on S, each with a policy. */
const SCENES: readonly Scene[] = [
  {
    name: 'create',
    vetoes: { short: 2, standing: 2 },
    act: (_vm, fabric) =>
      fabric.vms.create({ name: 'W', adapters: [{ switch: 'S' }, { switch: 'T' }] }),
  },
  // S2: PORT_CREATE, PORT_PROPERTY_ADD, NIC_CREATE, twice.
  { name: 'start', vetoes: { short: 6, standing: 6 }, act: (vm) => vm.start() },
  {
    name: 'save',
    // S9 step 2, a record and the end for each NIC; the passes afterwards refuse nothing.
    vetoes: { short: 4, standing: 4 },
    before: (vm) => vm.start(),
    act: (vm) => vm.save(),
  },
  {
    name: 'restore',
    vetoes: { short: 8, standing: 8 },
    before: async (vm) => {
      await vm.start();
      await vm.save();
    },
    act: (vm) => vm.restore(),
  },
  {
    name: 'hot add',
    vetoes: { short: 2, standing: 2 },
    before: (vm) => vm.start(),
    act: (vm) => vm.addAdapter({ switch: 'S' }),
  },
  { name: 'add', vetoes: { short: 1, standing: 1 }, act: (vm) => vm.addAdapter({ switch: 'S' }) },
  {
    name: 'move',
    vetoes: { short: 3, standing: 3 },
    before: (vm) => vm.start(),
    act: (vm) => first(vm).connect('T'),
  },
  {
    name: 'connect elsewhere while off',
    vetoes: { short: 2, standing: 2 },
    act: (vm) => first(vm).connect('T'),
  },
  {
    name: 'policy while off',
    vetoes: { short: 3, standing: 1 },
    act: (vm) => first(vm).properties.add(PORT_SETTING, { SettingIntA: 2 }),
  },
  {
    name: 'update while off',
    vetoes: { short: 2, standing: 1 },
    act: (vm) => {
      const [property] = first(vm).properties.list();
      return first(vm).properties.update(property?.id ?? '', { SettingIntA: 9 });
    },
  },
];

/** An extension that refuses the n-th request it may refuse, from when it is armed, and remembers what it was told. */
function refuser() {
  const state = { left: Number.POSITIVE_INFINITY, seen: 0 };
  const view = new Map<string, Set<string>>();
  const extension = extensionWith((sw: { readonly name: string }) => {
    const saved = new Set<number>();
    const at = (portId: number): Set<string> => {
      const key = `${sw.name}/${portId}`;
      const known = view.get(key) ?? new Set<string>();
      view.set(key, known);
      return known;
    };
    return {
      oidRequest: ({ oidName }) => {
        if (!VETOABLE.test(oidName)) return 'forward';
        state.seen += 1;
        state.left -= 1;
        return state.left === 0 ? NdisStatus.DATA_NOT_ACCEPTED : 'forward';
      },
      createPort: (port) => {
        at(port.portId);
        return 'forward';
      },
      deletePort: (port) => {
        view.delete(`${sw.name}/${port.portId}`);
        return 'forward';
      },
      addPortProperty: (property) => {
        at(property.portId).add(property.propertyInstanceId);
        return 'forward';
      },
      createNic: (nic) => {
        at(nic.portId).add('NIC');
        return 'forward';
      },
      deleteNic: (nic) => {
        at(nic.portId).delete('NIC');
        return 'forward';
      },
      saveNic: (state) => {
        if (saved.has(state.portId)) return 'forward';
        saved.add(state.portId);
        return state.save(Uint8Array.of(1));
      },
      saveNicComplete: (nic) => {
        saved.delete(nic.portId);
        return 'forward';
      },
      restoreNic: (state) => (state.isMine ? NdisStatus.SUCCESS : 'forward'),
    };
  });
  return { state, view, extension };
}

/** Ports that stand for validation are other ports afterwards: their ids are left out. */
function ofPorts(text: string): string {
  return text.replaceAll(/"portId":\d+/g, '"portId":0');
}

/** What is on the switches: ports with what hangs on them, without their ids. */
function told(view: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return [...view].map(([key, things]) => `${key.split('/')[0]} ${[...things].sort()}`).sort();
}

for (const validationPorts of ['short', 'standing'] as const) {
  for (const { name, vetoes, before, act } of SCENES) {
    t.test(
      `${name}, ${validationPorts}: a veto at each step leaves everything as before (S15, B47)`,
      async (t) => {
        const open = async () => {
          const { state, view, extension } = refuser();
          const store = new KeptStore();
          const { fabric } = await openVmWorld(
            [extension],
            { store, behaviour: { validationPorts } },
            ['S', 'T'],
          );
          const vm = await fabric.vms.create({
            name: 'V',
            adapters: [
              { switch: 'S', name: 'A' },
              { switch: 'S', name: 'B' },
            ],
          });
          for (const adapter of vm.adapters) {
            await adapter.properties.add(PORT_SETTING, { SettingIntA: 1 });
          }
          await before?.(vm);
          state.seen = 0;
          return { state, view, store, fabric, vm };
        };
        for (let step = 1; step <= vetoes[validationPorts]; step += 1) {
          const { state, view, store, fabric, vm } = await open();
          const seen = [ofPorts(visible(fabric)), contents(store), told(view)];
          state.left = step;
          await t.rejects(act(vm, fabric), { code: 'VETOED' }, `refused at request ${step}`);
          t.ok(state.seen >= step);
          t.same(
            [ofPorts(visible(fabric)), contents(store), told(view)],
            seen,
            `as before ${step}`,
          );
          state.left = Number.POSITIVE_INFINITY;
          await act(vm, fabric);
          await fabric.close();
        }
        const { state, fabric, vm } = await open();
        await act(vm, fabric);
        const passes = name === 'save' ? state.seen - vetoes[validationPorts] : 0;
        t.equal(state.seen - passes, vetoes[validationPorts], 'every request was refused once');
        await fabric.close();
      },
    );
  }
}
