import { NdisStatus } from '../../core/status.ts';
import type { FeatureClass } from '../../mof/feature-class.ts';
import { defineExtension } from '../../sdk/define.ts';
import type { ExtensionDefinition, ExtensionHandlers, SwitchContext } from '../../sdk/extension.ts';
import { Witness } from '../life-cycles/witness.ts';
import type { Planted } from './plants.ts';
import { probed } from './probe.ts';
import type { MischiefList } from './rogue.ts';
import { StackLog } from './stack-log.ts';

export const PORT_CLASS = 'Fabrikam_PortCustomSettingData';
export const SWITCH_CLASS = 'Fabrikam_SwitchCustomSettingData';
export const PORT_SETTING = 'SettingIntA';
export const SWITCH_SETTING = 'SwitchSettingIntA';
export const PORT_STATUS = 'Fabrikam_CustomPortData';
export const SWITCH_STATUS = 'Fabrikam_CustomSwitchData';
/** The extension that keeps settings, and says how it is when it is asked. */
export const KEEPER_NAME = 'fabrikam';
/** NetCfgInstanceId of the fictional extension of the documentation's samples. */
const KEEPER_ID = '5cbf81be-5055-47cd-9055-a76b2b4e369e';
const WATCHER_ID = 'c0000000-0000-4000-8000-00000000000c';
/** Ids of the extensions that behave. */
export const WELL_IDS: readonly string[] = [KEEPER_ID, WATCHER_ID];

const head = (uuid: string, version = 1): string =>
  `[Dynamic, Provider("VmmsWmiInstanceAndMethodProvider"), UUID("${uuid}"), ExtensionId("${KEEPER_ID}"), ` +
  `DisplayName("Fabrikam"), InterfaceVersion("${version}"), InterfaceRevision("0")]`;

/** The settings and states of policies/fabrikam.mof that a simulated world works with; each version has one member more. */
export const mofOf = (version: number): string => `
${head('eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb', version)}
class ${PORT_CLASS} : Msvm_EthernetSwitchPortFeatureSettingData {
  [Read, Write, WmiDataId(1)] uint32 ${PORT_SETTING} = 0;
  [Read, Write, WmiDataId(2)] uint64 SettingIntB = 0;${later(version)}
};
${head('ff36c3a6-d2f1-46ed-a376-32b43d6b8390', version)}
class ${SWITCH_CLASS} : Msvm_EthernetSwitchFeatureSettingData {
  [Read, Write, WmiDataId(1)] uint32 ${SWITCH_SETTING} = 0;
  [Read, Write, WmiDataId(2)] uint64 SwitchSettingIntB = 0;${later(version)}
};
${head('daa0b7cc-74db-41ef-8354-7002f9fa463e')}
class ${PORT_STATUS} : Msvm_EthernetPortData { [Read, WmiDataId(1)] uint32 CurrentStatus = 0; };
${head('b3e57d77-8e95-4977-97de-524f8daf03e4')}
class ${SWITCH_STATUS} : Msvm_EthernetSwitchData { [Read, WmiDataId(1)] uint32 CurrentStatus = 0; };`;

const later = (version: number): string =>
  Array.from(
    { length: version - 1 },
    (_, i) => ` [Read, Write, WmiDataId(${i + 3})] uint32 Later${i} = ${i + 7};`,
  ).join('');

/** What the keeper says of a port, or of a switch. */
export const expectedStatus = (portId: number | undefined): number =>
  portId === undefined ? 4242 : 1000 + portId;

/** The two extensions of a host that do as the documents want; what they believe must be what management shows. */
export class WellBehaved {
  /** A world beside is being opened: what it tells is no matter of the host's. */
  #isAside = false;
  readonly #watcher: Witness;
  readonly #keeper: Witness;
  readonly definitions: readonly ExtensionDefinition[];

  /** What they saw that may not be, each with the name of the invariant. */
  readonly complaints: [invariant: string, message: string][] = [];
  readonly log = new StackLog((invariant, message) => this.#complain(invariant, message));

  /** `others`: classes of whoever simulates. */
  constructor(
    { planted, firstWords }: Pick<MischiefList, 'planted' | 'firstWords'>,
    others: readonly FeatureClass[] = [],
  ) {
    const names = (of: FeatureClass['scope']): readonly string[] =>
      others.filter(({ scope }) => scope === of).map(({ name }) => name);
    const watched = {
      port: [PORT_CLASS, ...names('port')],
      switch: [SWITCH_CLASS, ...names('switch')],
    };
    const classes = () => watched;
    this.#watcher = new Witness({ id: WATCHER_ID, name: 'watcher', type: 'capture' }, classes);
    this.#keeper = new Witness({ id: KEEPER_ID, name: KEEPER_NAME, type: 'filter' }, classes);
    const options = { log: this.log, complain: this.#complain, firstWords, planted };
    const watcher = forgetful(this.#watcher.definition, planted);
    const keeper = withData(this.#keeper.definition);
    this.definitions = [
      this.#apart(probed(watcher, { ...options, place: 'top' })),
      this.#apart(probed(keeper, { ...options, place: 'middle' })),
    ];
  }

  readonly #complain = (invariant: string, message: string): void => {
    this.complaints.push([invariant, message]);
  };

  /** While `work` lasts those who are attached forward everything, and believe nothing. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    this.#isAside = true;
    try {
      return await work();
    } finally {
      this.#isAside = false;
    }
  }

  #apart(definition: ExtensionDefinition): ExtensionDefinition {
    const attach = (sw: SwitchContext): ExtensionHandlers =>
      this.#isAside ? {} : definition.attach(sw);
    return defineExtension({ ...definition, attach });
  }

  /** By id of the extension. */
  witness(id: string): Witness | undefined {
    if (id === WATCHER_ID) return this.#watcher;
    return id === KEEPER_ID ? this.#keeper : undefined;
  }
}

/** It misses a policy where a defect is planted to be found. */
function forgetful(definition: ExtensionDefinition, planted: Planted): ExtensionDefinition {
  return defineExtension({
    ...definition,
    attach(sw) {
      const handlers = definition.attach(sw);
      return {
        ...handlers,
        addPortProperty(property) {
          if (planted.misses(property.propertyInstanceId)) return 'forward';
          return handlers.addPortProperty?.(property);
        },
      };
    },
  });
}

/** It carries some bytes a port over a save. */
function withData(definition: ExtensionDefinition): ExtensionDefinition {
  return defineExtension({
    ...definition,
    attach(sw): ExtensionHandlers {
      const saved = new Set<number>();
      let times = 0;
      return {
        ...definition.attach(sw),
        queryPortFeatureStatus: (query) =>
          query.feature === PORT_STATUS
            ? query.respond({ CurrentStatus: expectedStatus(query.portId) })
            : 'forward',
        querySwitchFeatureStatus: (query) =>
          query.feature === SWITCH_STATUS
            ? query.respond({ CurrentStatus: expectedStatus(undefined) })
            : 'forward',
        saveNic(state) {
          if (saved.has(state.portId)) return 'forward';
          // Of another length each time, and now and then more than there is room for (rule G17).
          const data = new Uint8Array(times % 8 === 7 ? 5000 : 4 + (times % 7));
          new DataView(data.buffer).setUint32(0, (sw.now() << 8) + times, true);
          const status = state.save(data);
          if (status !== NdisStatus.SUCCESS) return status;
          times += 1;
          saved.add(state.portId);
          return status;
        },
        saveNicComplete: ({ portId }) => {
          saved.delete(portId);
        },
        restoreNic: ({ isMine }) => (isMine ? NdisStatus.SUCCESS : 'forward'),
      };
    },
  });
}
