import type { Port } from '../../switch/ports.ts';
import type { StatusAnswer } from '../../switch/status-operations.ts';
import { ExtSwitchError, isExtSwitchError } from '../core/errors.ts';
import { tryParseGuid } from '../core/guid.ts';
import { NdisStatus, statusName } from '../core/status.ts';
import type { Settings } from '../sdk/extension.ts';
import type { FeatureStatusInfo } from './api.ts';
import type { RegisteredFeature } from './feature-registry.ts';
import { mustBeThere, type SwitchEntry, type World } from './world.ts';

/** Asks the extensions for a feature status and reads the answer by its class (rules F1, F5, F13-F15). */
export async function queryStatus(
  world: World,
  entry: SwitchEntry,
  port: Port | undefined,
  feature: string,
): Promise<FeatureStatusInfo> {
  world.mustHold();
  mustBeThere(entry);
  const scope = port === undefined ? 'switch' : 'port';
  const registered = world.registry.find(feature, 'status');
  const id = registered?.feature.id ?? tryParseGuid(feature);
  if (id === undefined) {
    throw new ExtSwitchError(
      'NOT_FOUND',
      `no status class ${JSON.stringify(feature)} is registered`,
      {
        member: 'featureId',
        found: feature,
      },
    );
  }
  if (registered !== undefined && registered.feature.scope !== scope) {
    throw new ExtSwitchError(
      'INVALID_ARGUMENT',
      `${registered.feature.name} is the status of a ${registered.feature.scope}, not of a ${scope}`,
      { member: 'featureId', expected: `a ${scope} status`, found: registered.feature.name },
    );
  }
  const oid =
    port === undefined ? 'OID_SWITCH_FEATURE_STATUS_QUERY' : 'OID_SWITCH_PORT_FEATURE_STATUS_QUERY';
  const answer = await entry.machine.queryStatus(port?.portId ?? -1, id, registered?.codec);
  if (answer.status !== NdisStatus.SUCCESS || answer.completedBy === undefined) {
    const nobody = answer.completedBy === undefined;
    throw new ExtSwitchError(
      'NO_FEATURE_STATUS',
      nobody
        ? `no extension of switch ${entry.name} reports ${feature}`
        : `the extension completed the query with ${statusName(answer.status)}`,
      {
        ndisStatus: statusName(answer.status),
        oid,
        ...(nobody ? {} : { extensionId: answer.completedBy as string }),
      },
    );
  }
  const data = registered === undefined ? {} : decodeAnswer(registered, answer);
  return {
    featureId: id,
    feature: registered?.feature.name ?? '',
    extensionId: answer.completedBy,
    version: answer.version,
    data,
    raw: answer.data,
  };
}

/** Rule F15. Bytes that do not fit the class are the extension's fault: it is named. */
function decodeAnswer({ codec }: RegisteredFeature, answer: StatusAnswer): Settings {
  try {
    return codec.decode(answer.data, 0, answer.data.length);
  } catch (error) {
    if (!isExtSwitchError(error) || answer.completedBy === undefined) throw error;
    throw new ExtSwitchError(
      'EXTENSION_FAILED',
      `the extension answered with bytes that are no ${codec.name}: ${error.message}`,
      { ...error.place, extensionId: answer.completedBy },
      { cause: error },
    );
  }
}
