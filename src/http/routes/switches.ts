import type { FabricInterface, SwitchInfo, UplinkOptions } from '../../policy/api.ts';
import type { FaultRuleOptions } from '../../policy/faults-api.ts';
import { faultRuleInputs } from '../fault-schemas.ts';
import { type PageQuery, pageByKey } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { listOf, object, pageQuery, switchShape, switchTypes, text } from '../schemas.ts';
import { uplinkInput } from '../vm-schemas.ts';

type SwitchParams = { readonly switch: string };
type SwitchBody = {
  readonly name: string;
  readonly type?: SwitchInfo['type'];
  readonly uplink?: UplinkOptions;
  readonly managementOs?: boolean;
  readonly extensions?: readonly string[];
  readonly faults?: readonly FaultRuleOptions[];
};

const params = { switch: 'Switch id or unique name' };

export const switchRoutes: readonly Route[] = [
  defineRoute<object, object, SwitchBody>({
    method: 'POST',
    path: '/switches',
    operationId: 'createSwitch',
    tag: 'switches',
    summary: 'Create a switch, with its uplink and a NIC of the management OS if asked for',
    schema: {
      body: object(
        {
          name: text(256),
          type: switchTypes,
          uplink: uplinkInput,
          managementOs: {
            type: 'boolean',
            description: 'External and internal switches: the management OS gets a NIC on it',
          },
          extensions: {
            type: 'array',
            items: text(256),
            maxItems: 256,
            description: 'Ids or names of installed extensions that are enabled from the start',
          },
          faults: {
            ...faultRuleInputs,
            description:
              'Fault rules in force from its first OID, of this switch unless they name one; taken back when it is refused',
          },
        },
        ['type', 'uplink', 'managementOs', 'extensions', 'faults'],
      ),
      response: { 201: switchShape },
      errors: [
        'ALREADY_EXISTS',
        'AMBIGUOUS_NAME',
        'EXTENSION_FAILED',
        'ILLEGAL_TRANSITION',
        'INVALID_ARGUMENT',
        'NOT_FOUND',
        'SECOND_FORWARDING_EXTENSION',
        'VETOED',
      ],
    },
    async handle({ world, base, body }) {
      const { faults = [], ...options } = body;
      const { info } = await withFaults(world, options.name, faults, () =>
        world.switches.create(options),
      );
      return { status: 201, body: info, location: `${base}/switches/${info.id}` };
    },
  }),
  defineRoute<object, PageQuery>({
    method: 'GET',
    path: '/switches',
    operationId: 'listSwitches',
    tag: 'switches',
    summary: 'Switches, by name',
    schema: { query: pageQuery(), response: { 200: listOf(switchShape) } },
    handle: ({ world, query }) => ({
      status: 200,
      body: pageByKey(world.switches.list(), (s) => `${s.name}/${s.id}`, query),
    }),
  }),
  defineRoute<SwitchParams>({
    method: 'GET',
    path: '/switches/{switch}',
    operationId: 'getSwitch',
    tag: 'switches',
    summary: 'One switch',
    schema: { params, response: { 200: switchShape }, errors: ['NOT_FOUND', 'AMBIGUOUS_NAME'] },
    handle: (context) => ({
      status: 200,
      body: context.world.switches.get(context.params.switch).info,
    }),
  }),
  defineRoute<SwitchParams>({
    method: 'DELETE',
    path: '/switches/{switch}',
    operationId: 'deleteSwitch',
    tag: 'switches',
    summary: 'Delete a switch with its ports',
    schema: { params, response: { 204: null }, errors: ['NOT_FOUND', 'VETOED'] },
    async handle(context) {
      await context.world.switches.get(context.params.switch).delete();
      return { status: 204 };
    },
  }),
];

/** Sets the rules, which are of this switch where they name none, and takes them back when `create` fails. */
async function withFaults<T>(
  { faults }: FabricInterface,
  name: string,
  given: readonly FaultRuleOptions[],
  create: () => Promise<T>,
): Promise<T> {
  const rules = given.map((rule) => (rule.at === 'message' ? rule : { switch: name, ...rule }));
  const added = faults.add(...rules);
  try {
    return await create();
  } catch (error) {
    const there = new Set(faults.list().map(({ id }) => id));
    for (const { id } of added) if (there.has(id)) faults.remove(id);
    throw error;
  }
}
