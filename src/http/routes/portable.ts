import type { ImportOptions } from '../../policy/migration-api.ts';
import { BODY_LIMITS } from '../body-limits.ts';
import { importInput, importReport, portableDocument } from '../portable-schemas.ts';
import { defineRoute, type Route } from '../route.ts';
import { object } from '../schemas.ts';

type ImportBody = (ImportOptions & { readonly document: object }) | { readonly format: unknown };
type VmParams = { readonly vm: string };
type SwitchParams = { readonly switch: string };

const IMPORT_ERRORS = [
  'ALREADY_EXISTS',
  'AMBIGUOUS_NAME',
  'CLASS_MISMATCH',
  'EXTENSION_FAILED',
  'ILLEGAL_TRANSITION',
  'INVALID_ARGUMENT',
  'MOF_INVALID',
  'NOT_FOUND',
  'SECOND_FORWARDING_EXTENSION',
  'SETTINGS_INVALID',
  'SINGLE_INSTANCE',
  'STORE_UNAVAILABLE',
  'TOO_LARGE',
  'VETOED',
];

/** Export and import of VMs and switches as one document, in both representations. */
export const portableRoutes: readonly Route[] = [
  defineRoute<VmParams>({
    method: 'POST',
    path: '/vms/{vm}/export',
    operationId: 'exportVm',
    tag: 'vms',
    summary: 'A VM with its policies and kept run-time data as one document',
    description: 'Whatever state it is in; no extension is asked and nothing is changed.',
    schema: {
      params: { vm: 'VM id or unique name' },
      response: { 200: portableDocument },
      errors: ['NOT_FOUND', 'AMBIGUOUS_NAME'],
    },
    handle: async (context) => ({
      status: 200,
      body: await context.world.vms.get(context.params.vm).export(),
    }),
  }),
  defineRoute<object, object, ImportBody>({
    method: 'POST',
    path: '/vms/import',
    operationId: 'importVms',
    tag: 'vms',
    summary: 'The VMs of a document, off or saved: all of them, or none',
    description:
      'Registers classes that are missing; a newer class here takes the values over, an older one refuses (CLASS_MISMATCH). ' +
      'The extensions are asked on validation ports, as when a VM is created.',
    bodyLimit: BODY_LIMITS.documentBytes,
    schema: { body: importInput, response: { 201: importReport }, errors: IMPORT_ERRORS },
    async handle({ world, body }) {
      const { document, options } = given(body);
      return { status: 201, body: await world.vms.import(document, options) };
    },
  }),
  defineRoute<SwitchParams, object, { readonly vms?: boolean } | undefined>({
    method: 'POST',
    path: '/switches/{switch}/export',
    operationId: 'exportSwitch',
    tag: 'switches',
    summary: 'A switch with its extensions, policies and host ports as one document',
    schema: {
      params: { switch: 'Switch id or unique name' },
      body: object(
        { vms: { type: 'boolean', description: 'Also the VMs that are configured for it' } },
        ['vms'],
      ),
      bodyOptional: true,
      response: { 200: portableDocument },
      errors: ['NOT_FOUND', 'AMBIGUOUS_NAME'],
    },
    handle: async ({ world, params, body }) => ({
      status: 200,
      body: await world.switches.get(params.switch).export(body ?? {}),
    }),
  }),
  defineRoute<object, object, ImportBody>({
    method: 'POST',
    path: '/switches/import',
    operationId: 'importSwitches',
    tag: 'switches',
    summary:
      'The switches of a document with their policies, host ports and VMs: all of it, or nothing',
    description:
      'Extensions that are not installed stay bound and do not run, which is noted; a required one refuses (rule A50).',
    bodyLimit: BODY_LIMITS.documentBytes,
    schema: { body: importInput, response: { 201: importReport }, errors: IMPORT_ERRORS },
    async handle({ world, body }) {
      const { document, options } = given(body);
      return { status: 201, body: await world.switches.import(document, options) };
    },
  }),
];

function given(body: ImportBody): { readonly document: object; readonly options: ImportOptions } {
  if ('format' in body) return { document: body, options: {} };
  const { document, ...options } = body;
  return { document, options };
}
