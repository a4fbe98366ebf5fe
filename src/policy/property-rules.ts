import type { PropertyInstance, PropertyOwner } from '../../switch/ports.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { tryParseGuid } from '../core/guid.ts';
import type { UpdateOptions } from './api.ts';
import type { RegisteredFeature } from './feature-registry.ts';
import { opaqueClass } from './opaque-codec.ts';
import type { PropertyRecord } from './records.ts';

/*
 * What holds for policies wherever they are: on the switch, on a port made by hand, on a VM's network adapter.
 */

type Properties = PropertyOwner['properties'];

/** Built-in classes of which an owner has at most one instance (management.md 3.6, one-instance rule). */
const MANY_INSTANCES = /(Acl|RoutingDomain)SettingData$/;

/** The stored form of a property. */
export function propertyRecord(property: PropertyInstance): PropertyRecord {
  const opaque = opaqueClass(property);
  return {
    feature: property.codec.id,
    name: property.codec.name,
    version: property.codec.version,
    settings: property.settings,
    revision: property.revision,
    order: property.order,
    ...(opaque === undefined ? {} : { opaque }),
  };
}

/** Rules E54, E1: a class is for ports or for switches, and some came with a later NDIS version. */
export function checkScope(registered: RegisteredFeature, scope: 'port' | 'switch'): void {
  checkVersion(registered);
  const { feature } = registered;
  if (feature.scope === scope) return;
  throw new ExtSwitchError(
    'INVALID_ARGUMENT',
    `${feature.name} is a ${feature.scope} feature; it cannot be set on a ${scope} (rule E54)`,
    { rule: 'E54', member: 'feature', expected: `a ${scope} feature`, found: feature.name },
  );
}

/** Throws `INVALID_ARGUMENT` naming the version for a class that this world's NDIS does not have. */
export function checkVersion({ feature, missing }: RegisteredFeature): void {
  if (missing === undefined) return;
  throw new ExtSwitchError(
    'INVALID_ARGUMENT',
    `${feature.name} needs NDIS ${missing.since}, which the profile of this world does not have: ${missing.what}`,
    { rule: 'E1', member: 'feature', expected: `NDIS ${missing.since}`, found: feature.name },
  );
}

/** In the turn of an addition: the class is still there, the id is free (rule E57), a single-instance class has no instance. */
export function checkAddition(
  properties: Properties,
  registered: RegisteredFeature,
  id: string,
): void {
  const { feature } = registered;
  if (!registered.isCurrent) {
    throw new ExtSwitchError(
      'NOT_FOUND',
      `class ${feature.name} was removed or replaced while the property waited for its turn`,
      { member: 'feature', found: feature.id },
    );
  }
  if (properties.has(id)) {
    throw new ExtSwitchError(
      'ALREADY_EXISTS',
      `a property with id ${id} exists already (rule E57)`,
      { rule: 'E57', member: 'id', found: id },
    );
  }
  if (!feature.builtIn || MANY_INSTANCES.test(feature.name)) return;
  for (const property of properties.values()) {
    if (property.codec.id !== feature.id) continue;
    throw new ExtSwitchError(
      'SINGLE_INSTANCE',
      `${feature.name} is there already as ${property.id}: update that one`,
      { member: 'feature', found: property.id },
    );
  }
}

/** The property with this id; `NOT_FOUND` names `where`, given as a function since it is rarely needed. */
export function findProperty(
  properties: Properties,
  id: string,
  where: () => string,
): PropertyInstance {
  const guid = tryParseGuid(id);
  const property = guid === undefined ? undefined : properties.get(guid);
  if (property === undefined) {
    // What is no GUID names no property, as one that nobody has.
    const found = guid ?? JSON.stringify(id);
    throw new ExtSwitchError('NOT_FOUND', `${where()} has no property ${found}`, { found });
  }
  return property;
}

/** `STALE_REVISION` unless the property has the revision the caller saw. */
export function checkRevision(property: PropertyInstance, options: UpdateOptions): void {
  if (options.ifRevision === undefined || options.ifRevision === property.revision) return;
  throw new ExtSwitchError(
    'STALE_REVISION',
    `property ${property.id} has revision ${property.revision}, not ${options.ifRevision}`,
    { expected: String(options.ifRevision), found: String(property.revision) },
  );
}
