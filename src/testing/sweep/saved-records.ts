import type { StateLines } from '../simulation/state-lines.ts';
import type { Course } from './course.ts';

/** In the line of a VM. */
const RECORDS = /"savedRecords":(\d+)/;
const HOST = /^\{"host":"([^"]*)"/;

const recordsIn = (line: string | undefined): number => Number(RECORDS.exec(line ?? '')?.[1] ?? 0);

/** Whether extensions gave records in this change or a later one: a VM was saved, or moved to another host. */
export function hasSavedSince(course: Course, number: number): boolean {
  return course.from(number).some(({ before, after }) =>
    [...after].some(([key, line]) => {
      const was = before.get(key);
      if (was === undefined || was === line || !key.startsWith('vm/')) return false;
      return recordsIn(line) > recordsIn(was) || HOST.exec(line)?.[1] !== HOST.exec(was)?.[1];
    }),
  );
}

/**
 * What an extension that went and came may leave of saved records: `found` with the number of `without` where the difference is
 * allowed. More may be there: a record that nobody claims by its GUID stays with the VM (rule G26). Fewer, only if it was
 * asked to save since then (`hasSaved`): who has just been attached has nothing to save and forwards (rule G18).
 */
export function withAllowedRecords(
  without: StateLines,
  found: StateLines,
  hasSaved: boolean,
): StateLines {
  return new Map(
    [...found].map(([key, line]) => {
      const wanted = without.get(key);
      const number = RECORDS.exec(wanted ?? '')?.[0];
      if (number === undefined) return [key, line];
      const isAllowed = hasSaved || recordsIn(line) > recordsIn(wanted);
      return [key, isAllowed ? line.replace(RECORDS, number) : line];
    }),
  );
}
