import type { FeatureClass } from '../mof/feature-class.ts';
import type { MofFile } from './scenario.ts';

/** What an adapter of the file is called, and the switch it is on at first. */
export interface AdapterNames {
  readonly name: string | undefined;
}

/**
 * The names a scenario may use, known before anything runs. Names that steps make are added as the steps are read, in
 * order; nothing is ever taken out, since only running shows what was refused.
 */
export interface Names {
  readonly file: string;
  /** Absolute; paths in the file are relative to it. */
  readonly folder: string;
  readonly hosts: Set<string>;
  /** Of all hosts. */
  readonly switches: Set<string>;
  readonly vms: Map<string, AdapterNames[]>;
  /** Aliases of `extensions`. */
  readonly extensions: Set<string>;
  /** By class name and by id, in lower case: versions of one class may differ from host to host. */
  readonly features: Map<string, FeatureClass[]>;
  /** `as` of added properties. */
  readonly properties: Set<string>;
  /** `as` of exported documents. */
  readonly documents: Set<string>;
  /** `as` of snapshots, of all hosts. */
  readonly snapshots: Set<string>;
  /** `as` of backups. */
  readonly backups: Set<string>;
  /** MOF files that steps register, by absolute path; `undefined`: wrong, and told. */
  readonly mofFiles: Map<string, MofFile | undefined>;
}

export function noNames(file: string, folder = '.'): Names {
  return {
    file,
    folder,
    hosts: new Set(),
    switches: new Set(),
    vms: new Map(),
    extensions: new Set(),
    features: new Map(),
    properties: new Set(),
    documents: new Set(),
    snapshots: new Set(),
    backups: new Set(),
    mofFiles: new Map(),
  };
}

/** Adds a class under its name and its id. */
export function addFeature({ features }: Names, feature: FeatureClass): void {
  for (const key of [feature.name.toLowerCase(), feature.id.toLowerCase()]) {
    const known = features.get(key);
    if (known === undefined) features.set(key, [feature]);
    else known.push(feature);
  }
}
