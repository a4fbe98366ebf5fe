/**
 * `extswitch/extension`: everything a switch extension is written against. The least that works:
 *
 * ```ts
 * import { defineExtension, NdisStatus } from 'extswitch/extension';
 *
 * export default defineExtension({
 *   id: '5CBF81BE-5055-47CD-9055-A76B2B4E369E',
 *   name: 'Fabrikam Port Filter',
 *   vendor: 'Fabrikam',
 *   version: '1.0',
 *   type: 'filter',
 *   attach: () => ({ addPortProperty: () => NdisStatus.DATA_NOT_ACCEPTED }),
 * });
 * ```
 */
import type { OidRequest, Pended } from './extension.ts';

export { ExtSwitchError, isExtSwitchError } from '../core/errors.ts';
export type { Guid } from '../core/guid.ts';
export { isErrorStatus, isNdisStatus, NdisStatus, statusName } from '../core/status.ts';
export { defineExtension } from './define.ts';
export type {
  ExtensionDefinition,
  ExtensionHandlers,
  ExtensionType,
  FeatureStatusQuery,
  FeatureTypes,
  FinalVerdict,
  NetPnPEvent,
  NicAddress,
  NicOidRequest,
  NicParameters,
  NicRequestOptions,
  NicRestoreState,
  NicSaveState,
  NicState,
  NicStatusIndication,
  NicStatusOptions,
  NicType,
  OidRequest,
  OidResult,
  Pended,
  PortFeatureStatusQuery,
  PortParameters,
  PortProperty,
  PortPropertyType,
  PortState,
  PortType,
  PropertyEntry,
  RequestType,
  Settings,
  SettingsOf,
  SettingValue,
  SwitchContext,
  SwitchParameters,
  SwitchProperty,
  Verdict,
} from './extension.ts';
export { settingsOf } from './settings-of.ts';

/**
 * The verdict `'forward'` as a constant. TypeScript reads a lone `return 'forward'` in an async handler as any string;
 * `return FORWARD` keeps its type.
 */
export const FORWARD: 'forward' = 'forward';

/** Keeps a request to complete it later by `request.complete(status)` or `request.forward()`; the same as `request.pend()`. */
export function pend(request: OidRequest): Pended {
  return request.pend();
}
