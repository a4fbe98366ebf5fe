import type {
  ExtensionHandlers,
  FeatureStatusQuery,
  NicOidRequest,
  NicRestoreState,
  NicSaveState,
  NicStatusIndication,
  OidRequest,
  PortProperty,
} from '../sdk/extension.ts';
import type { ArgumentFacts, HandlersFacts } from './facts.ts';
import { plainFacts, type ServerObjects } from './server-objects.ts';

type Pack = (
  objects: ServerObjects,
  instance: number,
  args: readonly unknown[],
) => readonly ArgumentFacts[];

const plainAndRequest: Pack = (objects, instance, [value, request]) => [
  plainFacts(value),
  objects.request(instance, request as OidRequest),
];
const property: Pack = (objects, instance, [view]) => [
  objects.property(instance, view as PortProperty),
];
const statusQuery: Pack = (objects, instance, [view]) => [
  objects.statusQuery(instance, view as FeatureStatusQuery),
];
const request: Pack = (objects, instance, [handle]) => [
  objects.request(instance, handle as OidRequest),
];
const nicRequest: Pack = (objects, instance, [view]) => [
  objects.nicRequest(instance, view as NicOidRequest),
];
const nothing: Pack = () => [];

/** How each handler's arguments cross. */
const PACKS: Readonly<Record<keyof ExtensionHandlers, Pack>> = {
  createPort: plainAndRequest,
  updatePort: plainAndRequest,
  teardownPort: plainAndRequest,
  deletePort: plainAndRequest,
  createNic: plainAndRequest,
  connectNic: plainAndRequest,
  updateNic: plainAndRequest,
  disconnectNic: plainAndRequest,
  deleteNic: plainAndRequest,
  addPortProperty: property,
  updatePortProperty: property,
  deletePortProperty: property,
  addSwitchProperty: property,
  updateSwitchProperty: property,
  deleteSwitchProperty: property,
  queryPortFeatureStatus: statusQuery,
  querySwitchFeatureStatus: statusQuery,
  saveNic: (objects, instance, [view]) => [objects.saveState(instance, view as NicSaveState)],
  saveNicComplete: plainAndRequest,
  restoreNic: (objects, instance, [view]) => [
    objects.restoreState(instance, view as NicRestoreState),
  ],
  restoreNicComplete: plainAndRequest,
  nicRequest,
  nicRequestComplete: nicRequest,
  nicStatus: (objects, _instance, [view]) => [objects.indication(view as NicStatusIndication)],
  netPnPEvent: (_objects, _instance, [event]) => [plainFacts(event)],
  oidRequest: request,
  oidRequestComplete: request,
  activate: nothing,
  restart: nothing,
  pause: nothing,
  detach: nothing,
};

/** Nobody waits for what they say: without a worker there is nothing to do, and nothing to refuse. */
export const UNANSWERED: ReadonlySet<string> = new Set([
  'oidRequestComplete',
  'nicRequestComplete',
  'nicStatus',
  'netPnPEvent',
  'activate',
  'pause',
  'detach',
]);

/**
 * Handlers that look, from the switch, as those `attach` returned in the worker: the same names, the same mistakes. `call` does
 * one in the worker.
 */
export function handlersLike(
  { isPlain, members }: HandlersFacts,
  objects: ServerObjects,
  instance: number,
  call: (name: string, args: readonly ArgumentFacts[]) => unknown,
): ExtensionHandlers {
  const made: Record<string, unknown> = isPlain ? {} : (Object.create({}) as object as never);
  for (const [name, value] of members) {
    if (value.is === 'function') {
      const pack = PACKS[name as keyof ExtensionHandlers] ?? nothing;
      made[name] = (...args: readonly unknown[]) => call(name, pack(objects, instance, args));
    } else {
      made[name] = value.is === 'object' ? {} : value.value;
    }
  }
  return made as ExtensionHandlers;
}
