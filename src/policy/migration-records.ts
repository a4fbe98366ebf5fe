import type { Guid } from '../core/guid.ts';
import type { StoreOp } from '../store/store.ts';
import type { RestoreReport, VmState } from './api.ts';
import type {
  CompatibilityReport,
  MigrationDestination,
  MigrationDocument,
  MigrationMapping,
  MigrationRuling,
  MigrationStep,
  PortableDocument,
  PortableRecord,
  SupersededCopy,
} from './migration-api.ts';
import type { ArrivalState, DepartureState } from './migration-states.ts';
import { put } from './records.ts';

/** Run-time data by adapter, as it is stored. */
export type StoredData = readonly {
  readonly adapter: Guid;
  readonly records: readonly PortableRecord[];
}[];

/** What the source keeps of a migration. */
export interface DepartureRecord {
  readonly role: 'source';
  readonly state: DepartureState;
  readonly order: number;
  /** Since it is shown. */
  readonly started?: number;
  readonly vm: { readonly id: Guid; readonly name: string };
  readonly destination: MigrationDestination;
  readonly steps: readonly MigrationStep[];
  /** `handing`, `released`: state of the VM and its run-time data, so that nothing of it hangs on this process. */
  readonly vmState?: VmState;
  readonly data?: StoredData;
  readonly report?: CompatibilityReport;
  readonly restore?: RestoreReport;
  readonly error?: { readonly code: string; readonly message: string };
  readonly ruling?: MigrationRuling;
  readonly kept?: PortableDocument;
}

/** What the destination keeps of one. */
export interface ArrivalRecord {
  readonly role: 'destination';
  readonly state: Exclude<ArrivalState, 'unknown'>;
  readonly order: number;
  readonly vm: { readonly id: Guid; readonly name: string };
  /** `prepared`: what a process that was started again makes the skeleton of. */
  readonly document?: MigrationDocument;
  readonly switches?: MigrationMapping;
  /** `taken`: the answer, for a source that asks again. */
  readonly restore?: RestoreReport;
  /** `superseded`: the answer, and what was taken away. */
  readonly found?: SupersededCopy;
  readonly kept?: PortableDocument;
}

export const migrationKey = (id: Guid): string => `migration/${id}`;

/** A put without the members that are `undefined`. */
export function putMigration(id: Guid, record: DepartureRecord | ArrivalRecord): StoreOp {
  return put(migrationKey(id), record);
}

export function storedData(
  data: ReadonlyMap<{ readonly id: Guid }, readonly PortableRecord[]>,
): StoredData {
  return Array.from(data, ([{ id }, records]) => ({ adapter: id, records }));
}

export function recordsOf(data: StoredData = []): Map<Guid, readonly PortableRecord[]> {
  return new Map(data.map(({ adapter, records }) => [adapter, records]));
}
