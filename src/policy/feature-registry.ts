import type { FeatureCatalog, PropertyCodec } from '../../switch/environment.ts';
import type { NdisVersion } from '../abi/index.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { type Guid, tryParseGuid } from '../core/guid.ts';
import { builtinFeatures } from '../mof/builtin-features.ts';
import type { FeatureClass, SerializationProfile } from '../mof/feature-class.ts';
import type { FeatureCodec } from '../mof/feature-codec.ts';
import type { Settings } from '../sdk/extension.ts';
import { CustomCodec } from './custom-codec.ts';
import { missingFact, type VersionFact } from './profile.ts';
import { StandardCodec, standardClassName, standardMapping } from './standard-codec.ts';

export type FeatureKind = 'setting' | 'status';

/** A registered class with what writes its bytes. */
export interface RegisteredFeature {
  readonly feature: FeatureClass;
  readonly uint16: SerializationProfile['uint16'];
  readonly layout: FeatureCodec;
  /** Settings of port and switch policies, and custom status classes. */
  readonly codec: PropertyCodec;
  /** Why the class cannot be used in this NDIS version. */
  readonly missing: VersionFact | undefined;
  /** False once the class was removed or replaced: settings checked against it are of no use any more. */
  isCurrent: boolean;
}

/** Classes in the order they came; one that replaces another has its place. A map for each kind: no key is put together, and hashed, to find one. */
class FeatureTable {
  readonly #all = new Map<string, RegisteredFeature>();
  readonly #byId: Readonly<Record<FeatureKind, Map<Guid, RegisteredFeature>>> = {
    setting: new Map(),
    status: new Map(),
  };

  get(kind: FeatureKind, id: Guid): RegisteredFeature | undefined {
    return this.#byId[kind].get(id);
  }

  add(entry: RegisteredFeature): void {
    const { kind, id } = entry.feature;
    this.#all.set(`${kind}/${id}`, entry);
    this.#byId[kind].set(id, entry);
  }

  delete(kind: FeatureKind, id: Guid): void {
    this.#all.delete(`${kind}/${id}`);
    this.#byId[kind].delete(id);
  }

  values(): Iterable<RegisteredFeature> {
    return this.#all.values();
  }
}

/** The built-in classes never change: their layouts are made once per process, their wire form once per NDIS version. */
const builtinShared = new Map<NdisVersion, FeatureTable>();

function builtins(ndis: NdisVersion): FeatureTable {
  let shared = builtinShared.get(ndis);
  if (shared === undefined) {
    shared = new FeatureTable();
    for (const feature of builtinFeatures()) shared.add(new Registered(feature, 'native', ndis));
    builtinShared.set(ndis, shared);
  }
  return shared;
}

/** Layout and codec are made when first asked for: most worlds use few of the built-in classes. */
class Registered implements RegisteredFeature {
  readonly feature: FeatureClass;
  readonly uint16: SerializationProfile['uint16'];
  isCurrent = true;
  readonly #ndis: NdisVersion;
  #layout: FeatureCodec | undefined;
  #codec: PropertyCodec | undefined;

  constructor(feature: FeatureClass, uint16: SerializationProfile['uint16'], ndis: NdisVersion) {
    this.feature = feature;
    this.uint16 = uint16;
    this.#ndis = ndis;
  }

  get layout(): FeatureCodec {
    this.#layout ??= customCodec(this.feature, this.uint16);
    return this.#layout;
  }

  get codec(): PropertyCodec {
    this.#codec ??= this.#makeCodec();
    return this.#codec;
  }

  get missing(): VersionFact | undefined {
    return this.feature.builtIn ? missingFact(this.#ndis, this.feature.name) : undefined;
  }

  #makeCodec(): PropertyCodec {
    const { feature } = this;
    const mapping = feature.builtIn ? standardMapping(feature.name) : undefined;
    if (mapping !== undefined && this.missing === undefined) {
      return new StandardCodec(mapping, feature, this.#ndis);
    }
    return customCodec(feature, this.uint16);
  }
}

/** A compiled class is never changed: worlds that got it from one compilation share its codec. */
const codecs = {
  native: new WeakMap<FeatureClass, CustomCodec>(),
  doc32: new WeakMap<FeatureClass, CustomCodec>(),
};

function customCodec(feature: FeatureClass, uint16: SerializationProfile['uint16']): CustomCodec {
  const known = codecs[uint16].get(feature);
  if (known !== undefined) return known;
  const isPolicy = feature.builtIn && feature.kind === 'setting';
  const made = new CustomCodec(feature, { uint16 }, isPolicy ? 0 : 1);
  codecs[uint16].set(feature, made);
  return made;
}

/** The feature classes of one world: built-in and registered, by kind and UUID (uniqueness is per kind, management.md 1.4). */
export class FeatureRegistry implements FeatureCatalog {
  readonly #ndis: NdisVersion;
  readonly #custom = new FeatureTable();

  constructor(ndis: NdisVersion) {
    this.#ndis = ndis;
  }

  /** Registered classes, then the built-in ones. */
  *all(): Iterable<RegisteredFeature> {
    yield* this.#custom.values();
    yield* builtins(this.#ndis).values();
  }

  byId(kind: FeatureKind, id: Guid): RegisteredFeature | undefined {
    return this.#custom.get(kind, id) ?? builtins(this.#ndis).get(kind, id);
  }

  /** By GUID or class name (any case); a setting before a status class unless `kind` says otherwise. */
  find(idOrName: string, kind?: FeatureKind): RegisteredFeature | undefined {
    const id = tryParseGuid(idOrName);
    if (id !== undefined) {
      return kind === undefined
        ? (this.byId('setting', id) ?? this.byId('status', id))
        : this.byId(kind, id);
    }
    const name = idOrName.toLowerCase();
    for (const entry of this.all()) {
      if (entry.feature.name.toLowerCase() !== name) continue;
      if (kind === undefined || entry.feature.kind === kind) return entry;
    }
    return undefined;
  }

  /** As {@link find}; throws `NOT_FOUND`. */
  get(idOrName: string, kind?: FeatureKind): RegisteredFeature {
    const found = this.find(idOrName, kind);
    if (found === undefined) {
      throw new ExtSwitchError(
        'NOT_FOUND',
        `no ${kind === undefined ? '' : `${kind} `}feature class ${JSON.stringify(idOrName)} is registered`,
        { member: 'feature', found: idOrName },
      );
    }
    return found;
  }

  /** What registering `feature` would mean. Throws `ALREADY_EXISTS` when another class has its UUID or name. */
  compare(feature: FeatureClass, uint16: SerializationProfile['uint16']): 'new' | 'same' | 'newer' {
    const existing = this.byId(feature.kind, feature.id);
    if (existing === undefined) {
      const sameName = this.find(feature.name, feature.kind);
      if (sameName !== undefined) throw clash(feature, sameName.feature, 'name');
      return 'new';
    }
    if (sameClass(existing.feature, feature) && existing.uint16 === uint16) return 'same';
    const upgrade =
      !existing.feature.builtIn &&
      existing.feature.name === feature.name &&
      existing.feature.scope === feature.scope &&
      feature.version > existing.feature.version;
    if (upgrade) return 'newer';
    throw clash(feature, existing.feature, 'UUID');
  }

  put(feature: FeatureClass, uint16: SerializationProfile['uint16']): RegisteredFeature {
    // Its layout at once: a class whose layout is impossible is refused here.
    customCodec(feature, uint16);
    const entry = new Registered(feature, uint16, this.#ndis);
    this.#retire(feature.kind, feature.id);
    this.#custom.add(entry);
    return entry;
  }

  remove(kind: FeatureKind, id: Guid): void {
    this.#retire(kind, id);
    this.#custom.delete(kind, id);
  }

  #retire(kind: FeatureKind, id: Guid): void {
    const old = this.#custom.get(kind, id);
    if (old !== undefined) old.isCurrent = false;
  }

  /** Removes every registered class; {@link put} takes each of them back. */
  clear(): readonly RegisteredFeature[] {
    const all = [...this.#custom.values()];
    for (const { feature } of all) this.remove(feature.kind, feature.id);
    return all;
  }

  // --- FeatureCatalog: what a switch asks ----------------------------------------------------------------------------

  setting(scope: 'port' | 'switch', id: Guid): PropertyCodec | undefined {
    const found = this.byId('setting', id);
    return found?.feature.scope === scope ? found.codec : undefined;
  }
  status(scope: 'port' | 'switch', id: Guid): PropertyCodec | undefined {
    const found = this.byId('status', id);
    return found?.feature.scope === scope ? found.codec : undefined;
  }
  standard(propertyType: number): PropertyCodec | undefined {
    const name = standardClassName(propertyType);
    const codec = name === undefined ? undefined : this.find(name, 'setting')?.codec;
    return codec?.propertyType === propertyType ? codec : undefined;
  }
  standardDefault(propertyType: number): Settings | undefined {
    const codec = this.standard(propertyType);
    return codec instanceof StandardCodec ? codec.inForce : undefined;
  }
  resolve(scope: 'port' | 'switch', nameOrId: string): PropertyCodec | undefined {
    const found = this.find(nameOrId, 'setting');
    return found?.feature.scope === scope ? found.codec : undefined;
  }
}

/** Two compilations of the same class, wherever the text came from. */
function sameClass(a: FeatureClass, b: FeatureClass): boolean {
  return describeClass(a) === describeClass(b);
}

function describeClass(feature: FeatureClass): string {
  const { source: _source, ...facts } = feature;
  return JSON.stringify(facts, (_name, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
}

function clash(feature: FeatureClass, other: FeatureClass, what: 'UUID' | 'name'): ExtSwitchError {
  const where = ({ source }: FeatureClass): string => `${source.file}:${source.line}`;
  return new ExtSwitchError(
    'ALREADY_EXISTS',
    `${feature.kind} class ${feature.name} (${where(feature)}) has the ${what} of ${other.name} ` +
      `(${where(other)}, version ${other.version >> 8}.${other.version & 255}): delete that one or raise InterfaceVersion`,
    { member: what, file: feature.source.file, line: feature.source.line, found: feature.id },
  );
}
