import type { Test } from 'tap';
import { type FakeCluster, FakeNetwork } from '../support/fake-cluster.ts';
import { MOF, openPlane, type TestPlane } from './plane.ts';
import { extensions } from './vm-plane.ts';

/** A plane that is a host of a cluster. */
export interface HostPlane extends TestPlane {
  readonly cluster: FakeCluster;
  /** Number of questions `service` it asked so far. */
  asked(service: string): number;
}

export interface Hosts {
  readonly network: FakeNetwork;
  readonly a: HostPlane;
  readonly b: HostPlane;
  readonly c: HostPlane;
}

/** Three hosts with a switch `s` each, the classes of the tests registered and every extension running. */
export async function openHosts(t: Test, token?: string): Promise<Hosts> {
  const network = new FakeNetwork();
  const open = async (host: string): Promise<HostPlane> => {
    const cluster = network.join(host);
    const plane = await openPlane(t, {
      cluster,
      // Ids are of the seed: each host makes others.
      fabric: { name: host, hosts: network.hosts, seed: `host ${host}`, extensions },
      ...(token === undefined ? {} : { token }),
    });
    cluster.url = `http://${host}.example:4630`;
    const asked = (service: string): number =>
      network.asked.filter((one) => one.from === host && one.service === service).length;
    return { ...plane, cluster, asked };
  };
  const [a, b, c] = [await open('a'), await open('b'), await open('c')];
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  for (const { call } of [a, b, c]) {
    await call('POST', '/v1/features', { mof: MOF }, headers);
    await call('POST', '/v1/switches', { name: 's' }, headers);
    for (const { id } of extensions) {
      await call('PATCH', `/v1/switches/s/extensions/${id}`, { enabled: true }, headers);
    }
  }
  return { network, a, b, c };
}

/** Waits until a migration has ended, asking `plane`. */
export async function ended(
  { call }: TestPlane,
  location: unknown,
): Promise<Record<string, unknown>> {
  for (;;) {
    const { body, status } = await call('GET', String(location));
    if (status !== 200 || body.state !== 'running') return body;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Moves a VM and waits for it. */
export async function move(plane: TestPlane, vm: string, host: string): Promise<void> {
  const { headers } = await plane.call('POST', '/v1/migrations', { vm, destination: { host } });
  const { state, error } = await ended(plane, headers['location']);
  if (state !== 'succeeded') throw new Error(`VM ${vm} did not move: ${JSON.stringify(error)}`);
}
