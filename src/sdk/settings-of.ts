import type { PropertyEntry, Settings, SettingsOf } from './extension.ts';

/**
 * The typed settings of a property when its class is `name`, else `undefined`: how an extension with several classes tells
 * them apart. `undefined` also for a delete, which carries no values, and for bytes that do not fit the class. The type is
 * the one `extswitch mof types` wrote for the class.
 *
 * ```ts
 * addPortProperty(property) {
 *   const limit = settingsOf(property, 'Contoso_LimitSettingData');
 *   if (limit === undefined) return 'forward';
 *   return limit.PerSecond > 0 ? 'forward' : NdisStatus.DATA_NOT_ACCEPTED;
 * }
 * ```
 */
export function settingsOf<Name extends string>(
  property: {
    readonly feature: string | undefined;
    readonly settings: PropertyEntry['settings'];
  },
  name: Name,
): SettingsOf<Name> | undefined {
  const settings: Settings | undefined = property.feature === name ? property.settings : undefined;
  return settings as SettingsOf<Name> | undefined;
}
