import { OID_LIST, oidIndex, oidName } from '../abi/index.ts';

/**
 * What one extension has done and met in a run: which input exercised which rule is told from it. Counts, by what happened;
 * OIDs by name.
 */
export class Activity {
  /** By dense index of the OID. */
  readonly #arrived = new Float64Array(OID_LIST.length);
  readonly #unknown = new Map<number, number>();
  readonly #issued = new Map<number, number>();
  /** Requests it pended. */
  pended = 0;
  /** Requests it ended with an error. */
  refused = 0;
  portReferences = 0;
  nicReferences = 0;
  /** References it asked for and did not get. */
  refusedReferences = 0;
  /** Indications it raised, and that passed it. */
  indicated = 0;
  sawIndications = 0;
  /** NIC_REQUESTs of its own in the place of one from above (rules D30, D38). */
  redirected = 0;
  /** Of those it raised: REMOVE_VF (rules H11-H13). */
  vfRemovals = 0;
  attached = 0;
  /** Restarts of the stack it was in after its first. */
  restarts = 0;
  /** Feature statuses it answered when a stage asked. */
  statusAnswers = 0;
  /** Records it gave when a stage saved a NIC. */
  savedRecords = 0;
  /** Own properties that were sent in odd ways; standard ones that were sent. */
  oddProperties = 0;
  standardProperties = 0;
  /** NICs below an external NIC that were made, index 1 and more. */
  lowerNics = 0;
  /** Requests for a port that arrived after its teardown (rule B34). */
  lateArrivals = 0;
  paused = 0;
  /** Malformed property requests a stage sent to it (rule D11). */
  malformed = 0;
  /** Sets with an empty buffer a stage sent (rule D12). */
  emptySets = 0;
  /** Requests it had forwarded that came back with an error. */
  failedBelow = 0;

  sawArrival(oid: number, index = oidIndex(oid)): void {
    if (index < 0) this.#unknown.set(oid, (this.#unknown.get(oid) ?? 0) + 1);
    else this.#arrived[index] = (this.#arrived[index] as number) + 1;
  }
  sawIssue(oid: number): void {
    this.#issued.set(oid, (this.#issued.get(oid) ?? 0) + 1);
  }

  /**
   * How often an OID reached it, e.g. `OID_SWITCH_PORT_CREATE`; a prefix counts all that begin with it. An encapsulated request
   * counts as OID_SWITCH_NIC_REQUEST and as the OID inside.
   */
  arrivals(prefix: string): number {
    let sum = count(this.#unknown, prefix);
    for (const [index, times] of this.#arrived.entries()) {
      if (times > 0 && OID_LIST[index]?.name.startsWith(prefix)) sum += times;
    }
    return sum;
  }
  /** How often it issued an OID itself. */
  issues(prefix: string): number {
    return count(this.#issued, prefix);
  }
}

function count(by: ReadonlyMap<number, number>, prefix: string): number {
  let sum = 0;
  for (const [oid, times] of by) if (oidName(oid).startsWith(prefix)) sum += times;
  return sum;
}
