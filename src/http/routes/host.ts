import { ExtSwitchError } from '../../core/errors.ts';
import type { HostConnections, UplinkInfo, UplinkOptions } from '../../policy/api.ts';
import { defineRoute, type Route } from '../route.ts';
import { macInput, object, port, text } from '../schemas.ts';
import { physicalAdapter, uplink, uplinkInput } from '../vm-schemas.ts';

type SwitchParams = { readonly switch: string };
type LinkParams = SwitchParams & { readonly index: string };

const switchParam = { switch: 'Switch id or unique name' };
const path = '/switches/{switch}/host/uplink';
const conflicts = ['NOT_FOUND', 'VETOED', 'ILLEGAL_TRANSITION', 'INVALID_ARGUMENT'];

/** The host's own connections to a switch: its uplink, and the management OS. */
export const hostRoutes: readonly Route[] = [
  defineRoute<SwitchParams>({
    method: 'GET',
    path,
    operationId: 'getUplink',
    tag: 'host',
    summary: 'What is below the external NIC of a switch',
    schema: { params: switchParam, response: { 200: uplink }, errors: ['NOT_FOUND'] },
    handle: ({ world, params }) => ({
      status: 200,
      body: uplinkOf(world.switches.get(params.switch).host, params.switch),
    }),
  }),
  defineRoute<SwitchParams, object, UplinkOptions>({
    method: 'PUT',
    path,
    operationId: 'connectUplink',
    tag: 'host',
    summary: 'Connect an external switch to a physical adapter or a team',
    description:
      'External port, NIC index 0 and one NIC for each adapter are created, then connected (S8, rule C52). A switch has at ' +
      'most one (rule C8): DELETE it first to change it.',
    schema: {
      params: switchParam,
      body: uplinkInput,
      response: { 201: uplink },
      errors: [...conflicts, 'ALREADY_EXISTS'],
    },
    async handle({ world, base, params, body }) {
      const sw = world.switches.get(params.switch);
      const info = await sw.host.connectUplink(body);
      return { status: 201, body: info, location: `${base}/switches/${sw.info.id}/host/uplink` };
    },
  }),
  defineRoute<SwitchParams>({
    method: 'DELETE',
    path,
    operationId: 'disconnectUplink',
    tag: 'host',
    summary: 'Disconnect the uplink: adapters first, then the external NIC and its port',
    schema: { params: switchParam, response: { 204: null }, errors: ['NOT_FOUND'] },
    async handle({ world, params }) {
      const { host } = world.switches.get(params.switch);
      uplinkOf(host, params.switch);
      await host.disconnectUplink();
      return { status: 204 };
    },
  }),
  defineRoute<LinkParams, object, { readonly linkUp: boolean }>({
    method: 'PATCH',
    path: `${path}/adapters/{index}`,
    operationId: 'setLink',
    tag: 'host',
    summary: 'Take the link of a physical adapter up or down',
    description: 'The extensions see NDIS_STATUS_LINK_STATE inside a NIC_STATUS indication.',
    schema: {
      params: { ...switchParam, index: 'Index of the adapter, from 1' },
      body: object({ linkUp: { type: 'boolean' } }),
      response: { 200: physicalAdapter },
      errors: ['NOT_FOUND'],
    },
    async handle({ world, params, body }) {
      const { host } = world.switches.get(params.switch);
      const { adapters } = uplinkOf(host, params.switch);
      const found = adapters.find(({ index }) => String(index) === params.index);
      if (found === undefined) {
        throw new ExtSwitchError(
          'NOT_FOUND',
          `the uplink of switch ${params.switch} has no adapter with index ${JSON.stringify(params.index)}`,
        );
      }
      return { status: 200, body: await host.setLink(found.index, body.linkUp) };
    },
  }),
  defineRoute<SwitchParams, object, { readonly name?: string; readonly mac?: string } | undefined>({
    method: 'POST',
    path: '/switches/{switch}/host/internal',
    operationId: 'addInternalNic',
    tag: 'host',
    summary: 'Give the management OS a NIC on an internal or external switch',
    schema: {
      params: switchParam,
      body: object({ name: text(256), mac: macInput }, ['name', 'mac']),
      bodyOptional: true,
      response: { 201: port },
      errors: conflicts,
    },
    async handle({ world, base, params, body }) {
      const sw = world.switches.get(params.switch);
      const { info } = await sw.host.addInternalNic(body ?? {});
      return {
        status: 201,
        body: info,
        location: `${base}/switches/${sw.info.id}/ports/${info.id}`,
      };
    },
  }),
];

function uplinkOf(host: HostConnections, name: string): UplinkInfo {
  if (host.uplink !== undefined) return host.uplink;
  throw new ExtSwitchError('NOT_FOUND', `switch ${name} has no uplink`);
}
