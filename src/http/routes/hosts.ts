import type { RemovedHost } from '../../cluster/api.ts';
import { ExtSwitchError } from '../../core/errors.ts';
import { type PageQuery, pageByKey } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { host, listOf, pageQuery, removedHost } from '../schemas.ts';

/** A host as `GET /v1/hosts` shows it. */
export interface HostInfo {
  readonly host: string;
  readonly state: 'alive' | 'silent' | 'left';
  /** The one that answers. */
  readonly isSelf: boolean;
  /** In a cluster. */
  readonly epoch?: number;
  readonly url?: string;
  readonly version: string;
  readonly profile: string;
  readonly since: string;
  /** Left out when it did not answer. */
  readonly vms?: number;
}

/** Who is there, and who is to be no more. */
export interface HostsAccess {
  list(): Promise<readonly HostInfo[]>;
  remove(host: string, withVms: boolean): Promise<RemovedHost>;
}

type HostParams = { readonly host: string };
type RemoveQuery = { readonly vms?: 'keep' | 'delete' };

/** The hosts of the cluster; only below `/v1`. */
export function clusterHostRoutes(hosts: HostsAccess): readonly Route[] {
  return [
    defineRoute<object, PageQuery>({
      method: 'GET',
      path: '/hosts',
      operationId: 'listHosts',
      tag: 'hosts',
      summary: 'Hosts of the cluster, by name; without a cluster this one',
      description:
        '`silent`: no sign of life for the length of its lease; `left`: it closed. Its VMs are its own until it is back. Any ' +
        'route of a host is below /hosts/{host}/v1, at every host.',
      scope: 'server',
      batch: false,
      schema: { query: pageQuery(), response: { 200: listOf(host) } },
      handle: async ({ query }) => ({
        status: 200,
        body: pageByKey(await hosts.list(), (one) => one.host, query),
      }),
    }),
    defineRoute<HostParams>({
      method: 'GET',
      path: '/hosts/{host}',
      operationId: 'getHost',
      tag: 'hosts',
      summary: 'One host: its state, epoch (fencing token), address and number of VMs',
      scope: 'server',
      batch: false,
      schema: { params: { host: 'Host name' }, response: { 200: host }, errors: ['NOT_FOUND'] },
      async handle({ params }) {
        const found = (await hosts.list()).find((one) => one.host === params.host);
        if (found !== undefined) return { status: 200, body: found };
        throw new ExtSwitchError('NOT_FOUND', `there is no host ${JSON.stringify(params.host)}`, {
          found: params.host,
        });
      },
    }),
    defineRoute<HostParams, RemoveQuery>({
      method: 'DELETE',
      path: '/hosts/{host}',
      operationId: 'removeHost',
      tag: 'hosts',
      summary: 'Remove a host that is not alive, for good, with all it has stored',
      description:
        'Refused while it has VMs (`problems` names them), unless `vms=delete`: then they go with it. A process of it that comes ' +
        'back ends. Its name is free afterwards.',
      scope: 'server',
      batch: false,
      schema: {
        params: { host: 'Host name' },
        query: {
          vms: {
            type: 'string',
            enum: ['keep', 'delete'],
            default: 'keep',
            description:
              'What becomes of VMs it still has: `keep` refuses, `delete` removes them too',
          },
        },
        response: { 200: removedHost },
        errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION', 'STORE_UNAVAILABLE', 'LEASE_LOST'],
      },
      handle: async ({ params, query }) => ({
        status: 200,
        body: await hosts.remove(params.host, query.vms === 'delete'),
      }),
    }),
  ];
}
