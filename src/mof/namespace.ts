/** A namespace in one spelling. */
export interface Namespace {
  /** With single backslashes and without host, e.g. `root\virtualization\v2`. */
  readonly namespace: string;
  /** `.` for this machine, or a name; absent when none was written. */
  readonly host?: string;
}

/**
 * Brings the spellings of a namespace into one (management.md 1.3): slashes or backslashes, single or doubled as in a
 * literal, with a host in front or not. Takes the literal as it stands in the file, escapes included.
 */
export function normalizeNamespace(literal: string): Namespace {
  const parts = literal.split(/[\\/]+/).filter((part) => part !== '');
  const [first, second] = parts;
  const isHost =
    first !== undefined && first.toLowerCase() !== 'root' && second?.toLowerCase() === 'root';
  const path = (isHost ? parts.slice(1) : parts).join('\\');
  return isHost ? { namespace: path, host: first } : { namespace: path };
}
