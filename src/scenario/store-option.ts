import { randomBytes } from 'node:crypto';
import { ExtSwitchError } from '../core/errors.ts';
import { ClusterGround } from './cluster-ground.ts';
import { type Ground, LocalGround } from './ground.ts';

/** Makes what one scenario's hosts stand on; `index` is its place among all that are played. */
export type GroundMaker = (index: number) => Ground;

/**
 * What `--store` of a run says: `memory` (default), or `nats://server[,server…][/name]`, a cluster for every scenario. Without a
 * name each gets a new one, which goes with it; a name is kept, with `-2`, `-3`, … for the second of several scenarios and on.
 *
 * Errors: `USAGE` for anything else, and those of the address.
 */
export async function groundMaker(store: string | undefined): Promise<GroundMaker> {
  if (store === undefined || store === 'memory') return () => new LocalGround();
  const { isClusterAddress, parseClusterAddress } = await import('../cluster/address.ts');
  if (!isClusterAddress(store)) {
    const expected = '"memory", or nats://host:port[,host:port…][/name]';
    throw new ExtSwitchError('USAGE', `the store of scenarios: expected ${expected}`, { expected });
  }
  parseClusterAddress(store);
  const { before, name, options } = partsOf(store);
  return (index) => {
    const own = name === '' ? `run-${randomBytes(6).toString('hex')}` : undefined;
    const given = index === 0 ? name : `${name}-${index + 1}`;
    return new ClusterGround(`${before}/${own ?? given}${options}`, own !== undefined);
  };
}

/** An address that was checked: servers, name and options. What stands before the last `@` may hold any character. */
function partsOf(address: string): Readonly<Record<'before' | 'name' | 'options', string>> {
  const at = address.lastIndexOf('@');
  const from = at < 0 ? address.indexOf('://') + 3 : at + 1;
  const [, servers = '', name = '', options = ''] =
    /^([^/?]*)(?:\/([^?]*))?(\?.*)?$/.exec(address.slice(from)) ?? [];
  return { before: `${address.slice(0, from)}${servers}`, name, options };
}
