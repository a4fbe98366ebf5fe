import type { RemovedHost } from '../../cluster/api.ts';
import { ExtSwitchError } from '../../core/errors.ts';
import type { Plane } from '../plane.ts';
import type { HostInfo } from '../routes/hosts.ts';

/** The hosts of a plane's cluster, with the number of their VMs where they tell it; without one, the plane alone. */
export async function listHosts(plane: Plane): Promise<readonly HostInfo[]> {
  const { routing, deps } = plane;
  if (routing === undefined) return [aloneInfo(plane)];
  const { cluster } = routing;
  const answers = await routing.askHosts();
  return cluster.members().map(({ host, epoch, state, url, profile, version, since, isSelf }) => {
    const told = isSelf ? routing.hostAnswer() : answers.get(host);
    const place = isSelf ? (plane.url ?? url) : url;
    return {
      host,
      state,
      isSelf,
      epoch,
      ...(place === undefined ? {} : { url: place }),
      version: isSelf ? deps.version : version,
      profile,
      since,
      ...(told === undefined ? {} : { vms: told.vms }),
    };
  });
}

/** Removes a host from the plane's cluster; errors are those of `Cluster.removeHost`. */
export async function removeHost(
  { deps, here }: Plane,
  host: string,
  withVms: boolean,
): Promise<RemovedHost> {
  if (deps.cluster !== undefined) return deps.cluster.removeHost(host, { withVms });
  const name = JSON.stringify(host.slice(0, 100));
  const place = { member: 'host', found: host.slice(0, 100) };
  if (host !== here.host) throw new ExtSwitchError('NOT_FOUND', `there is no host ${name}`, place);
  const message = `host ${name} is this server, of no cluster: there is nothing to remove it from`;
  throw new ExtSwitchError('ILLEGAL_TRANSITION', message, place);
}

function aloneInfo({ here, deps, since, url }: Plane): HostInfo {
  const { fabric } = deps.worlds.main;
  return {
    host: here.host,
    state: 'alive',
    isSelf: true,
    ...(url === undefined ? {} : { url }),
    version: deps.version,
    profile: fabric.profile,
    since,
    vms: [...fabric.vms.keys()].length,
  };
}
