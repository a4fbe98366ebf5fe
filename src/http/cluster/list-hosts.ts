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
