import { isExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface, PropertyCollection } from '../../policy/api.ts';
import type { Act, Places } from './change.ts';
import { policyId } from './policy-id.ts';
import { policyLine, switchPolicyLine } from './state-lines.ts';
import type { Change } from './step.ts';

/** Policies of classes that whoever simulates has brought. */
export type ClassChange = Extract<Change, { feature: string }>;

/** Where the policy is, and the line that shows it. */
function placeOf(
  change: ClassChange,
  places: Places,
): { host: string; key: string; on: (fabric: FabricInterface) => PropertyCollection } | undefined {
  const id = policyId(change.policy);
  if ('vm' in change) {
    const { vm, adapter } = change;
    const host = places.hostOf(vm);
    const handle = host === undefined ? undefined : places.world(host)?.vms.get(vm);
    if (host === undefined || !handle?.info.adapters.some(({ name }) => name === adapter))
      return undefined;
    const key = policyLine(vm, adapter, id);
    return { host, key, on: (fabric) => fabric.vms.get(vm).adapter(adapter).properties };
  }
  const { host, switch: name } = change;
  const all = [...(places.world(host)?.switches.list() ?? [])];
  if (!all.some((each) => each.name === name)) return undefined;
  const key = switchPolicyLine(host, name, id);
  return { host, key, on: (fabric) => fabric.switches.get(name).properties };
}

export function ofClass(change: ClassChange, places: Places): Act | undefined {
  const place = placeOf(change, places);
  const world = place === undefined ? undefined : places.world(place.host);
  if (place === undefined || world === undefined) return undefined;
  const { host, key, on } = place;
  const { feature, settings, isValid } = change;
  const isNew = change.do === 'addClassPolicy' || change.do === 'addSwitchClassPolicy';
  const id = policyId(change.policy);
  if ([...on(world).list()].some((each) => each.id === id) === isNew) return undefined;
  return {
    host,
    touches: [key],
    run: async (fabric) => {
      try {
        if (isNew) await on(fabric).add(feature, settings, { id });
        else await on(fabric).update(id, settings);
      } catch (error) {
        const isWrong = isExtSwitchError(error) && error.code === 'SETTINGS_INVALID';
        if (!isWrong || !isValid) throw error;
        throw new Error(`${feature} takes these values, and they were refused: ${String(error)}`);
      }
    },
    missing: (after) => {
      if (!isValid) return `${key}: what is none of ${feature} was accepted`;
      return after.has(key) ? undefined : `${key} is not there`;
    },
  };
}
