import { type ObjectInfo, Objm } from '@nats-io/obj';
import type { ClusterSession } from '../../src/cluster/session.ts';

/** The objects of a cluster, as the client library of NATS lists them: it sees what we write without it. */
export async function objectsOf(session: ClusterSession): Promise<readonly ObjectInfo[]> {
  const store = await new Objm(session.jetstream).open(session.bucketName('state'), false);
  return store.list();
}
