import { ExtSwitchError } from '../core/errors.ts';
import type { NdisVersion, SinceVersion } from './ndis-version.ts';
import { NDIS_VERSIONS, ndisHas } from './ndis-version.ts';
import type { FieldRow, StructureRow } from './tables/row.ts';

/** One revision of a structure with a header. */
export interface Revision {
  readonly revision: number;
  /** Value of Header.Size: where the last member of the revision ends. */
  readonly size: number;
  readonly since: SinceVersion;
}

/** End of a member, in bytes from the start of the structure. */
export function fieldEnd(field: FieldRow): number {
  return field.offset + field.size;
}

/**
 * Revision that first covers a member: the smallest whose Size reaches the member's end. Handler table revision 1 stops
 * before two handlers that 6.30 already declares (ndis-switch-abi.md, quirk 14), so this asks Size, not `since`.
 */
export function revisionOf(row: StructureRow, field: FieldRow): number {
  const index = row.revisionSizes.findIndex((size) => fieldEnd(field) <= size);
  return index < 0 ? 1 : index + 1;
}

/** Revisions of a structure, oldest first; empty for one without header. */
export function revisionsOf(row: StructureRow): readonly Revision[] {
  return row.revisionSizes.map((size, index) => {
    let since = row.since;
    for (const field of row.fields) {
      if (index > 0 && revisionOf(row, field) === index + 1) since = newer(since, field.since);
    }
    return { revision: index + 1, size, since };
  });
}

function newer(a: SinceVersion, b: SinceVersion | undefined): SinceVersion {
  if (b === undefined) return a;
  return NDIS_VERSIONS.some((version) => ndisHas(version, a) && !ndisHas(version, b)) ? b : a;
}

/** Value for `ndis` of a table by version: that of the newest version named that is not newer than `ndis`. */
function byVersion(
  table: Readonly<Partial<Record<SinceVersion, number>>> | undefined,
  ndis: NdisVersion,
  otherwise: number,
): number {
  let value = otherwise;
  for (const version of NDIS_VERSIONS) {
    const known = table?.[version];
    if (known !== undefined && ndisHas(ndis, version)) value = known;
  }
  return value;
}

/** sizeof of a build for `ndis`, in bytes; 0 when that version does not declare the structure. */
export function sizeofFor(row: StructureRow, ndis: NdisVersion): number {
  return ndisHas(ndis, row.since) ? byVersion(row.sizeByNdisVersion, ndis, row.size) : 0;
}

/** Alignment of a build for `ndis`, in bytes. */
export function alignofFor(row: StructureRow, ndis: NdisVersion): number {
  return byVersion(row.alignByNdisVersion, ndis, row.align);
}

/** Revision a sender built for `ndis` writes; 0 for a structure without header or newer than `ndis`. */
export function revisionAt(revisions: readonly Revision[], ndis: NdisVersion): number {
  let current = 0;
  for (const { revision, since } of revisions) {
    if (ndisHas(ndis, since)) current = revision;
  }
  return current;
}

/** sizeof of the oldest build that has `revision`; `INVALID_ARGUMENT` when there is no such revision. */
export function sizeofRevision(
  name: string,
  row: StructureRow,
  revisions: readonly Revision[],
  revision: number,
): number {
  const found = revisions[revision - 1];
  if (found === undefined) {
    throw new ExtSwitchError('INVALID_ARGUMENT', `${name} has no revision ${revision}`, {
      structure: name,
      member: 'revision',
      expected: revisions.length === 0 ? 'none: no header' : `1 to ${revisions.length}`,
      found: String(revision),
    });
  }
  const oldest = NDIS_VERSIONS.find((version) => ndisHas(version, found.since));
  return oldest === undefined ? row.size : sizeofFor(row, oldest);
}
