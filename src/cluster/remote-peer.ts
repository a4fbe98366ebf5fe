import type { Guid } from '../core/guid.ts';
import type { RestoreReport, VmInfo } from '../policy/api.ts';
import type {
  CompatibilityReport,
  MigrationDocument,
  MigrationMapping,
  MigrationPeer,
  PortableRecord,
} from '../policy/migration-api.ts';
import type { Cluster } from './api.ts';
import { decodePeerAnswer, encodePeerCall, PEER_SERVICE, type PeerCall } from './peer-service.ts';

/**
 * Milliseconds for what asks extensions about every policy: they may hold each OID as long as a verifier lets them. When it was too
 * short, nothing is lost: the source asks for the outcome, which the destination gives when it has done what it was asked.
 */
const LONG_MS = 60_000;
/** For what only looks, or waits for what is under way. */
const SHORT_MS = 10_000;

type Asking = Pick<Cluster, 'ask'>;

/** Another host of the cluster, whichever process that is when it is asked. */
export class RemotePeer implements MigrationPeer {
  readonly host: string;
  readonly #cluster: Asking;

  constructor(cluster: Asking, host: string) {
    this.#cluster = cluster;
    this.host = host;
  }

  compare(document: MigrationDocument, switches: MigrationMapping): Promise<CompatibilityReport> {
    return this.#call({ call: 'compare', document, switches }, LONG_MS);
  }

  prepare(
    migration: Guid,
    document: MigrationDocument,
    switches: MigrationMapping,
  ): Promise<CompatibilityReport> {
    return this.#call({ call: 'prepare', migration, document, switches }, LONG_MS);
  }

  take(
    migration: Guid,
    records: ReadonlyMap<Guid, readonly PortableRecord[]>,
    state: VmInfo['state'],
  ): Promise<RestoreReport> {
    return this.#call({ call: 'take', migration, records: [...records], state }, LONG_MS);
  }

  async abandon(migration: Guid): Promise<void> {
    await this.#call({ call: 'abandon', migration }, SHORT_MS);
  }

  outcome(migration: Guid): ReturnType<MigrationPeer['outcome']> {
    return this.#call({ call: 'outcome', migration }, SHORT_MS);
  }

  supersede(migration: Guid): ReturnType<MigrationPeer['supersede']> {
    return this.#call({ call: 'supersede', migration }, LONG_MS);
  }

  async forget(migration: Guid): Promise<void> {
    await this.#call({ call: 'forget', migration }, SHORT_MS);
  }

  async #call<T>(call: PeerCall, timeoutMs: number): Promise<T> {
    const bytes = await this.#cluster.ask(this.host, PEER_SERVICE, encodePeerCall(call), timeoutMs);
    return decodePeerAnswer(bytes) as unknown as T;
  }
}
