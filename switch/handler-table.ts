import { OID_LIST, type OidName } from '../src/abi/index.ts';
import type { ExtensionHandlers, NicParameters, PortParameters } from '../src/sdk/extension.ts';
import { NicRequestView } from './encapsulated-request.ts';
import type { FilterModule } from './filter-module.ts';
import { type OidRequest, RequestHandle } from './oid-request.ts';
import { readNicParameters, readPortParameters } from './parameters.ts';
import type { Pipeline } from './pipeline.ts';
import { NicRestoreView, NicSaveView, readNicAddress } from './save-state-view.ts';
import { PortStatusQueryView, StatusQueryView } from './status-query.ts';

/** A specific handler, ready to be called with a request. */
export type Handler = (request: OidRequest, module: FilterModule, pipeline: Pipeline) => unknown;

/** How one OID reaches its handler: `bind` gives the caller, or `undefined` when the extension has no such handler. */
export interface HandlerEntry {
  readonly name: keyof ExtensionHandlers;
  bind(handlers: ExtensionHandlers): Handler | undefined;
}

type PortHandlerName = 'createPort' | 'updatePort' | 'teardownPort' | 'deletePort';
type NicHandlerName = 'createNic' | 'connectNic' | 'updateNic' | 'disconnectNic' | 'deleteNic';
type PortPropertyName = 'addPortProperty' | 'updatePortProperty' | 'deletePortProperty';
type NicTransferEndName = 'saveNicComplete' | 'restoreNicComplete';
type SwitchPropertyName = 'addSwitchProperty' | 'updateSwitchProperty' | 'deleteSwitchProperty';

/** Port and NIC requests: the handler gets the decoded parameters. */
function parameters(
  name: PortHandlerName | NicHandlerName,
  read: (bytes: Uint8Array) => PortParameters | NicParameters,
): HandlerEntry {
  return {
    name,
    bind: (handlers) => {
      const handler: ((values: never, request: RequestHandle) => unknown) | undefined =
        handlers[name];
      if (handler === undefined) return undefined;
      return (request, module, pipeline) =>
        handler.call(
          handlers,
          decoded(request, read) as never,
          new RequestHandle(request, module, pipeline),
        );
    },
  };
}

/** Decoded once for all modules, as long as nobody had a hand on the bytes (an extension may lower MTU, rule C19). */
function decoded(
  request: OidRequest,
  read: (bytes: Uint8Array) => PortParameters | NicParameters,
): PortParameters | NicParameters {
  if (request.pristine !== undefined) return read(request.buffer);
  request.parameters ??= Object.freeze(read(request.buffer));
  return request.parameters;
}

/** Property requests: the handler gets the typed view that the request carries. */
function property(name: PortPropertyName | SwitchPropertyName): HandlerEntry {
  return {
    name,
    bind: (handlers) => {
      const handler: ((view: never) => unknown) | undefined = handlers[name];
      if (handler === undefined) return undefined;
      return (request) => handler.call(handlers, request.property as never);
    },
  };
}

/** SAVE_COMPLETE and RESTORE_COMPLETE: the handler gets the NIC whose save or restore ended (rules G21, G34). */
function transferEnd(name: NicTransferEndName): HandlerEntry {
  return {
    name,
    bind: (handlers) => {
      const handler = handlers[name];
      if (handler === undefined) return undefined;
      return (request, module, pipeline) =>
        handler.call(
          handlers,
          readNicAddress(request.buffer),
          new RequestHandle(request, module, pipeline),
        );
    },
  };
}

const port = (name: PortHandlerName): HandlerEntry => parameters(name, readPortParameters);
const nic = (name: NicHandlerName): HandlerEntry => parameters(name, readNicParameters);

const ENTRIES: Readonly<Partial<Record<OidName, HandlerEntry>>> = {
  OID_SWITCH_PORT_CREATE: port('createPort'),
  OID_SWITCH_PORT_UPDATED: port('updatePort'),
  OID_SWITCH_PORT_TEARDOWN: port('teardownPort'),
  OID_SWITCH_PORT_DELETE: port('deletePort'),
  OID_SWITCH_NIC_CREATE: nic('createNic'),
  OID_SWITCH_NIC_CONNECT: nic('connectNic'),
  OID_SWITCH_NIC_UPDATED: nic('updateNic'),
  OID_SWITCH_NIC_DISCONNECT: nic('disconnectNic'),
  OID_SWITCH_NIC_DELETE: nic('deleteNic'),
  OID_SWITCH_PORT_PROPERTY_ADD: property('addPortProperty'),
  OID_SWITCH_PORT_PROPERTY_UPDATE: property('updatePortProperty'),
  OID_SWITCH_PORT_PROPERTY_DELETE: property('deletePortProperty'),
  OID_SWITCH_PROPERTY_ADD: property('addSwitchProperty'),
  OID_SWITCH_PROPERTY_UPDATE: property('updateSwitchProperty'),
  OID_SWITCH_PROPERTY_DELETE: property('deleteSwitchProperty'),
  OID_SWITCH_NIC_REQUEST: {
    name: 'nicRequest',
    bind: (handlers) => {
      const handler = handlers.nicRequest;
      if (handler === undefined) return undefined;
      return (request, module, pipeline) => {
        const inner = request.encapsulated;
        if (inner === undefined) return undefined;
        return handler.call(handlers, new NicRequestView(request, inner, module, pipeline));
      };
    },
  },
  OID_SWITCH_NIC_SAVE: {
    name: 'saveNic',
    bind: (handlers) => {
      const handler = handlers.saveNic;
      if (handler === undefined) return undefined;
      return (request, module, pipeline) =>
        handler.call(handlers, new NicSaveView(request, module, pipeline));
    },
  },
  OID_SWITCH_NIC_SAVE_COMPLETE: transferEnd('saveNicComplete'),
  OID_SWITCH_NIC_RESTORE: {
    name: 'restoreNic',
    bind: (handlers) => {
      const handler = handlers.restoreNic;
      if (handler === undefined) return undefined;
      return (request, module, pipeline) =>
        handler.call(handlers, new NicRestoreView(request, module, pipeline));
    },
  },
  OID_SWITCH_NIC_RESTORE_COMPLETE: transferEnd('restoreNicComplete'),
  OID_SWITCH_PORT_FEATURE_STATUS_QUERY: {
    name: 'queryPortFeatureStatus',
    bind: (handlers) => {
      const handler = handlers.queryPortFeatureStatus;
      if (handler === undefined) return undefined;
      return (request, module, pipeline) =>
        handler.call(handlers, new PortStatusQueryView('port', request, module, pipeline));
    },
  },
  OID_SWITCH_FEATURE_STATUS_QUERY: {
    name: 'querySwitchFeatureStatus',
    bind: (handlers) => {
      const handler = handlers.querySwitchFeatureStatus;
      if (handler === undefined) return undefined;
      return (request, module, pipeline) =>
        handler.call(handlers, new StatusQueryView('switch', request, module, pipeline));
    },
  },
};

/** By dense OID index. */
export const SPECIFIC_HANDLERS: readonly (HandlerEntry | undefined)[] = OID_LIST.map(
  (oid) => ENTRIES[oid.name],
);

/** Handlers this version calls. */
export const CALLED_HANDLERS: ReadonlySet<string> = new Set([
  ...Object.values(ENTRIES).map((entry) => entry.name),
  'oidRequest',
  'oidRequestComplete',
  'nicRequestComplete',
  'nicStatus',
  'netPnPEvent',
  'activate',
  'restart',
  'pause',
  'detach',
]);

/** Handlers of the sample library that later versions call: the data path. */
export const LATER_HANDLERS: ReadonlySet<string> = new Set([
  'startIngress',
  'startEgress',
  'completeIngress',
  'completeEgress',
]);
