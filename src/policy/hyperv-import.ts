import { createHash } from 'node:crypto';
import { ExtSwitchError, isExtSwitchError } from '../core/errors.ts';
import { type Guid, tryParseGuid } from '../core/guid.ts';
import { builtinFeatures } from '../mof/builtin-features.ts';
import { compileMof } from '../mof/compiler.ts';
import { isMofValid, mofError } from '../mof/diagnostic.ts';
import type { FeatureClass } from '../mof/feature-class.ts';
import { classOfFeature } from '../mof/feature-mof.ts';
import { printMof } from '../mof/print.ts';
import { normalizeSettings, settingsToJson } from '../mof/settings.ts';
import type { ProfileName } from './api.ts';
import { checkHyperVDump, type HyperVDump, type HyperVFeature } from './hyperv-dump.ts';
import type {
  PortableAdapter,
  PortableContent,
  PortableFeature,
  PortablePort,
  PortableProperty,
  PortableSwitch,
  PortableVm,
} from './migration-api.ts';
import { pnpInstanceId, teamInstanceId } from './nic-names.ts';
import { wrongAt } from './portable-shape.ts';
import type { NicRecord } from './records.ts';

type DumpSwitch = HyperVDump['switches'][number];
type DumpVm = HyperVDump['vms'][number];
type DumpAdapter = DumpVm['adapters'][number];

/** First build of each Windows Server generation (Windows Server release information, Microsoft Learn). */
const BUILDS: readonly (readonly [build: number, profile: ProfileName])[] = [
  [26_100, 'ws2025'],
  [20_348, 'ws2022'],
  [17_763, 'ws2019'],
  [14_393, 'ws2016'],
  [9_600, 'ws2012r2'],
  [0, 'ws2012'],
];

/** The multiplexor driver is an LBFO team (rule C5). */
const LBFO = 'Microsoft Network Adapter Multiplexor Driver';
const MTU = 1500;

/** What a dump of a Hyper-V host says as the content of a portable document, with notes on what could not be taken over. */
export function contentOfHyperVDump(given: unknown): {
  readonly content: PortableContent;
  readonly notes: readonly string[];
} {
  const dump = checkHyperVDump(given);
  const reader = new DumpReader(dump);
  const switches = dump.switches.map((one, i) => reader.switch(one, `switches[${i}]`));
  const vms = dump.vms.map((one, i) => reader.vm(one, `vms[${i}]`));
  const profile = BUILDS.find(([build]) => dump.build >= build)?.[1] ?? 'ws2012';
  const features = reader.features();
  const content = { format: 'extswitch-portable', version: 1, profile } as const;
  return { content: { ...content, features, switches, vms }, notes: reader.notes };
}

class DumpReader {
  readonly notes: string[] = [];
  readonly #mof = new Map<
    Guid,
    { readonly name: string; readonly text: string; readonly path: string }
  >();
  readonly #used = new Map<Guid, FeatureClass>();
  readonly #builtIn = new Map(builtinFeatures().map((one) => [`${one.kind}/${one.id}`, one]));

  constructor({ classes }: HyperVDump) {
    classes.forEach(({ featureId, name, mof }, i) => {
      this.#mof.set(featureId, { name, text: mof, path: `classes[${i}].mof` });
    });
  }

  #note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  /** The built-in class, else the one of the dump. */
  #class({ featureId, className }: HyperVFeature, path: string): FeatureClass {
    const known = this.#builtIn.get(`setting/${featureId}`) ?? this.#used.get(featureId);
    if (known !== undefined) return known;
    const mof = this.#mof.get(featureId);
    if (mof === undefined) {
      throw new ExtSwitchError(
        'NOT_FOUND',
        `${path}: the dump has no class ${className} (${featureId}): run the script as an administrator, so that it can read the classes`,
        { member: `${path}.featureId`, found: featureId },
      );
    }
    const compiled = compileMof(mof.text, { file: mof.path, installedExtensions: () => true });
    if (!isMofValid(compiled)) throw mofError(compiled);
    const found = compiled.features.find(({ id }) => id === featureId);
    if (found === undefined)
      throw wrongAt(mof.path, `class ${className} (${featureId})`, 'another');
    this.#used.set(featureId, found);
    return found;
  }

  features(): PortableFeature[] {
    return [...this.#used.values()].map((feature) => {
      const { id, name, kind, version, extensionId } = feature;
      const mof = printMof([classOfFeature(feature)]);
      return { id, name, kind, version, extensionId, uint16: 'native', mof };
    });
  }

  #properties(given: readonly HyperVFeature[], path: string): PortableProperty[] {
    return given.map((one, i) => this.#property(one, `${path}[${i}]`));
  }

  #property(given: HyperVFeature, path: string): PortableProperty {
    const feature = this.#class(given, path);
    // Microsoft:<owner>\…\<FEATURE-ID>\<INSTANCE> (management.md 3.8).
    const id = tryParseGuid(given.instanceId.split('\\').at(-1) ?? '');
    if (id === undefined) {
      throw wrongAt(`${path}.instanceId`, 'an InstanceID that ends with a GUID', given.instanceId);
    }
    const members = new Set(feature.members.map(({ name }) => name));
    const known: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(given.settings)) {
      if (members.has(name)) known[name] = value;
      else this.#note(`member ${name} of ${feature.name} is not known here and was left out`);
    }
    try {
      const settings = settingsToJson(feature, normalizeSettings(feature, known));
      const { id: featureId, name, version } = feature;
      return { id, featureId, feature: name, version, settings, revision: 1 };
    } catch (error) {
      if (!isExtSwitchError(error)) throw error;
      throw new ExtSwitchError(error.code, `${path}: ${error.message}`, error.place);
    }
  }

  // --- switches -----------------------------------------------------------------------------------------------------

  switch(given: DumpSwitch, path: string): PortableSwitch {
    const { id, name, type } = given;
    const ports: Omit<PortablePort, 'portId'>[] = [];
    if (given.adapters.length > 0) ports.push(this.#external(given, path));
    given.internal.forEach((one, i) => {
      const at = `${path}.internal[${i}]`;
      const nic = { index: 0, friendlyName: one.name, mac: one.mac, mtu: MTU };
      const facts = {
        name: derivedGuid(id, one.name, 'name'),
        netCfgInstanceId: derivedGuid(id, one.name, 'adapter'),
      };
      ports.push({
        id: portId(one.features, id, one.name),
        name: one.name,
        type: 'internal',
        nics: [{ ...nic, ...facts }],
        properties: this.#properties(one.features, `${at}.features`),
      });
    });
    return {
      id,
      name,
      type: type.toLowerCase() as PortableSwitch['type'],
      extensions: given.extensions.map((one) => ({ ...one, required: false })),
      properties: this.#properties(given.features, `${path}.features`),
      ports: ports.map((port, i) => ({ ...port, portId: i + 1 })),
    };
  }

  #external(given: DumpSwitch, path: string): Omit<PortablePort, 'portId'> {
    const { id, name, adapters } = given;
    const isLbfo = adapters.some(({ description }) => description.startsWith(LBFO));
    const team = isLbfo ? 'lbfo' : given.isTeam && adapters.length > 1 ? 'switch' : 'none';
    const lower = adapters.map((one, i): NicRecord => {
      const mac = Uint8Array.from(Buffer.from(one.mac.replaceAll('-', ''), 'hex'));
      const pnp = one.pnpId === '' ? pnpInstanceId(mac) : one.pnpId;
      return {
        index: i + 1,
        name: isLbfo ? teamInstanceId(one.id) : pnp,
        friendlyName: one.name,
        mac: one.mac,
        mtu: MTU,
        netCfgInstanceId: one.id,
        adapter: { name: one.name, virtualFunctions: 0, queues: 0 },
      };
    });
    const [first] = lower;
    if (first === undefined) throw wrongAt(`${path}.adapters`, 'an adapter', adapters);
    const { adapter: _adapter, ...facts } = first;
    const isTeam = team === 'switch';
    const top = {
      ...facts,
      index: 0,
      friendlyName: isTeam ? name : facts.friendlyName,
      netCfgInstanceId: isTeam ? derivedGuid(id, 'team') : facts.netCfgInstanceId,
    } as NicRecord;
    return {
      id: portId(given.externalFeatures, id, 'external'),
      name: `${name.slice(0, 247)}_External`,
      type: 'external',
      team,
      nics: [top, ...lower],
      properties: this.#properties(given.externalFeatures, `${path}.externalFeatures`),
    };
  }

  // --- VMs ----------------------------------------------------------------------------------------------------------

  vm(given: DumpVm, path: string): PortableVm {
    const { id, name, state } = given;
    if (state === 'Saved') {
      this.#note(`VM ${JSON.stringify(name)} is saved there; its run-time data stays on the host`);
    }
    const adapters = given.adapters.map((one, i) =>
      this.#adapter(one, name, `${path}.adapters[${i}]`),
    );
    return { id, name, state: state === 'Running' ? 'running' : 'off', adapters };
  }

  #adapter(given: DumpAdapter, vm: string, path: string): PortableAdapter {
    const { id, name, isLegacy, isDynamicMac, switchId, switchName } = given;
    const isUnset = given.mac === '00-00-00-00-00-00';
    if (isUnset) {
      this.#note(
        `network adapter ${JSON.stringify(name)} of VM ${JSON.stringify(vm)} has no address yet: it was given one`,
      );
    }
    const own = `00-15-5d-${derivedGuid(id)
      .slice(0, 6)
      .replaceAll(/(..)(?=.)/g, '$1-')}`;
    return {
      id,
      name,
      type: isLegacy ? 'emulated' : 'synthetic',
      mac: isUnset ? own : given.mac,
      macType: isDynamicMac || isUnset ? 'dynamic' : 'static',
      mtu: MTU,
      numaNode: 0,
      isKnown: true,
      ...(switchId === undefined || switchName === undefined
        ? {}
        : { switch: { id: switchId, name: switchName } }),
      requiredFeatures: given.requiredFeatures.map((one) => ({ id: one, name: this.#nameOf(one) })),
      properties: this.#properties(given.features, `${path}.features`),
      saved: [],
    };
  }

  #nameOf(id: Guid): string {
    return (this.#builtIn.get(`setting/${id}`) ?? this.#mof.get(id))?.name ?? id;
  }
}

/** A port has its GUID in the InstanceIDs of its policies: `Microsoft:<SWITCH>\<PORT>\…` (management.md 3.8). */
function portId(features: readonly HyperVFeature[], ...parts: readonly string[]): Guid {
  for (const { instanceId } of features) {
    const [, port = ''] = instanceId.split('\\');
    const id = tryParseGuid(port);
    if (id !== undefined) return id;
  }
  return derivedGuid(...parts);
}

/** The same dump gives the same ids: RFC 9562 version 8 of what identifies the thing. */
function derivedGuid(...parts: readonly string[]): Guid {
  const digits = createHash('sha256').update(parts.join('\n')).digest('hex');
  const text = `${digits.slice(0, 12)}8${digits.slice(13, 16)}8${digits.slice(17, 32)}`;
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
