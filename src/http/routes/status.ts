import { defineRoute, type Route } from '../route.ts';
import { featureStatus } from '../schemas.ts';

type SwitchParams = { readonly switch: string; readonly feature: string };
type AdapterParams = { readonly vm: string; readonly adapter: string; readonly feature: string };
type PortParams = SwitchParams & { readonly port: string };

const feature = 'GUID or class name of a feature status';
const errors = ['NOT_FOUND', 'NO_FEATURE_STATUS', 'EXTENSION_FAILED'];

export const statusRoutes: readonly Route[] = [
  defineRoute<PortParams>({
    method: 'GET',
    path: '/switches/{switch}/ports/{port}/status/{feature}',
    operationId: 'getPortStatus',
    tag: 'status',
    summary: 'Ask the extensions for a port feature status',
    description: 'Travels down the stack as OID_SWITCH_PORT_FEATURE_STATUS_QUERY.',
    schema: {
      params: {
        switch: 'Switch id or unique name',
        port: 'Port GUID, port id (decimal) or unique name',
        feature,
      },
      response: { 200: featureStatus },
      errors,
    },
    async handle({ world, params }) {
      const port = world.switches.get(params.switch).ports.get(params.port);
      return { status: 200, body: await port.status(params.feature) };
    },
  }),
  defineRoute<SwitchParams>({
    method: 'GET',
    path: '/switches/{switch}/status/{feature}',
    operationId: 'getSwitchStatus',
    tag: 'status',
    summary: 'Ask the extensions for a switch feature status',
    description: 'Travels down the stack as OID_SWITCH_FEATURE_STATUS_QUERY.',
    schema: {
      params: { switch: 'Switch id or unique name', feature },
      response: { 200: featureStatus },
      errors,
    },
    async handle({ world, params }) {
      const sw = world.switches.get(params.switch);
      return { status: 200, body: await sw.status(params.feature) };
    },
  }),
  defineRoute<AdapterParams>({
    method: 'GET',
    path: '/vms/{vm}/adapters/{adapter}/status/{feature}',
    operationId: 'getAdapterStatus',
    tag: 'status',
    summary: 'Ask the extensions for a port feature status of a connected adapter',
    description: 'Travels down the stack of its switch as OID_SWITCH_PORT_FEATURE_STATUS_QUERY.',
    schema: {
      params: { vm: 'VM id or unique name', adapter: 'Adapter id or unique name', feature },
      response: { 200: featureStatus },
      errors,
    },
    async handle({ world, params }) {
      const adapter = world.vms.get(params.vm).adapter(params.adapter);
      return { status: 200, body: await adapter.status(params.feature) };
    },
  }),
];
