import { isExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface, FeatureInfo } from '../../policy/api.ts';
import { jsonText } from './json-text.ts';
import type { LifeCycleFailure, LifeCycleOptions } from './life-cycle.ts';
import type { PolicyOwner } from './policy-owner.ts';
import type { WatchedClasses } from './witness.ts';

type Settings = Readonly<Record<string, unknown>>;

/** Classes that belong to a witness: they pass the extension under test, which has to forward them (rule D13). */
const NEUTRAL_PORT_CLASS = 'ExtSwitch_LifeCyclePortSettingData';
const NEUTRAL_SWITCH_CLASS = 'ExtSwitch_LifeCycleSwitchSettingData';

/** MOF of the neutral classes, owned by the extension with this id. */
export function neutralMof(extensionId: string): string {
  const classText = (uuid: string, name: string, base: string): string => `
[ Dynamic, UUID("${uuid}"), ExtensionId("${extensionId}"), Provider("VmmsWmiInstanceAndMethodProvider"),
  InterfaceVersion("1"), InterfaceRevision("0") ]
class ${name} : ${base}
{
  [ Read, Write, WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0") ]
  uint32 Value = 0;
};`;
  return [
    classText(
      '3f1d7c52-8a64-4b09-9e2b-5c0f6a71e302',
      NEUTRAL_PORT_CLASS,
      'Msvm_EthernetSwitchPortFeatureSettingData',
    ),
    classText(
      '3f1d7c52-8a64-4b09-9e2b-5c0f6a71e303',
      NEUTRAL_SWITCH_CLASS,
      'Msvm_EthernetSwitchFeatureSettingData',
    ),
  ].join('\n');
}

interface Policy {
  readonly owner: PolicyOwner;
  readonly feature: string;
  settings: Settings;
}

/** The policies a life cycle has set, so that none is lost and none comes back. */
export class Policies {
  readonly notes: string[] = [];
  readonly #fabric: () => FabricInterface;
  readonly #extensionId: string;
  readonly #given: LifeCycleOptions['settings'];
  /** By property instance id. */
  readonly #set = new Map<string, Policy>();
  /** Own classes that were accepted once, or never will be. */
  readonly #accepted = new Map<string, boolean>();
  /** `class of owner` the extension answered for. */
  readonly #answered = new Set<string>();
  #ownClasses: readonly FeatureInfo[] = [];
  #value = 0;

  constructor(
    fabric: () => FabricInterface,
    extensionId: string,
    settings: LifeCycleOptions['settings'],
  ) {
    this.#fabric = fabric;
    this.#extensionId = extensionId;
    this.#given = settings;
  }

  /** Looks up the classes of the extension under test, once all are registered. */
  findClasses(): void {
    const all = this.#fabric().features.list();
    this.#ownClasses = all.filter((it) => it.extensionId === this.#extensionId);
  }

  /** Custom classes whose instances are on the switches. */
  classes(): WatchedClasses {
    return { port: this.#settingClasses('port'), switch: this.#settingClasses('switch') };
  }

  #settingClasses(scope: PolicyOwner['scope']): string[] {
    const neutral = scope === 'port' ? NEUTRAL_PORT_CLASS : NEUTRAL_SWITCH_CLASS;
    return [neutral, ...this.#own(scope, 'setting')];
  }

  #own(scope: PolicyOwner['scope'], kind: FeatureInfo['kind']): readonly string[] {
    return this.#ownClasses
      .filter((it) => it.scope === scope && it.kind === kind)
      .map(({ name }) => name);
  }

  #isNeutral(feature: string): boolean {
    return feature === NEUTRAL_PORT_CLASS || feature === NEUTRAL_SWITCH_CLASS;
  }

  #settingsOf(feature: string): Settings {
    if (!this.#isNeutral(feature)) return this.#given?.[feature] ?? {};
    this.#value += 1;
    return { Value: this.#value };
  }

  /** One policy of each class: the neutral one, and those of the extension under test. */
  async add(owner: PolicyOwner): Promise<void> {
    for (const feature of this.#settingClasses(owner.scope)) {
      if (this.#accepted.get(feature) !== false) await this.#add(owner, feature);
    }
  }

  async #add(owner: PolicyOwner, feature: string): Promise<void> {
    const properties = owner.properties(this.#fabric());
    const settings = this.#settingsOf(feature);
    try {
      const { id } = await properties.add(feature, settings);
      this.#set.set(id, { owner, feature, settings: properties.get(id).settings });
      this.#accepted.set(feature, true);
    } catch (error) {
      const code = isExtSwitchError(error) ? error.code : '';
      const isGiven = this.#isNeutral(feature) || this.#given?.[feature] !== undefined;
      if (isGiven || this.#accepted.has(feature)) throw error;
      if (code !== 'VETOED' && code !== 'SETTINGS_INVALID') throw error;
      this.#accepted.set(feature, false);
      const why = error instanceof Error ? error.message : code;
      this.notes.push(`no instance of ${feature} was used: give settings it accepts (${why})`);
    }
  }

  #of(owner: PolicyOwner): [string, Policy][] {
    return [...this.#set].filter(([, policy]) => policy.owner.title === owner.title);
  }

  /** A new value for each neutral policy, the same again for the others (rule E26). */
  async update(owner: PolicyOwner): Promise<void> {
    for (const [id, policy] of this.#of(owner)) {
      const properties = owner.properties(this.#fabric());
      await properties.update(id, this.#settingsOf(policy.feature));
      policy.settings = properties.get(id).settings;
    }
  }

  async remove(owner: PolicyOwner): Promise<void> {
    for (const [id] of this.#of(owner)) {
      await owner.properties(this.#fabric()).delete(id);
      this.#set.delete(id);
    }
  }

  /** Deleted by somebody else. */
  forgetOne(id: string): void {
    this.#set.delete(id);
  }

  /** What went with its owner (rule E38). */
  forget(owner: PolicyOwner): void {
    for (const [id] of this.#of(owner)) this.#set.delete(id);
  }

  /**
   * Asks for every status class of the extension (S7). What it answered once it has to answer again: it throws when it does
   * not.
   */
  async ask(owner: PolicyOwner): Promise<void> {
    await this.#ask(owner, true);
  }

  /** {@link ask} while the extension comes or goes: it may be silent. */
  async askWhileItGoes(owner: PolicyOwner): Promise<void> {
    await this.#ask(owner, false);
  }

  async #ask(owner: PolicyOwner, mustAnswer: boolean): Promise<void> {
    for (const feature of this.#own(owner.scope, 'status')) {
      const what = `${feature} of ${owner.scope}`;
      try {
        await this.#status(owner, feature);
        this.#answered.add(what);
      } catch (error) {
        if (!isSilent(error) || (mustAnswer && this.#answered.has(what))) throw error;
      }
    }
  }

  /** It may fail for reasons of the moment (rule F12): once more. */
  async #status(owner: PolicyOwner, feature: string): Promise<void> {
    try {
      await owner.status(this.#fabric(), feature);
    } catch (error) {
      if (!isSilent(error)) throw error;
      await owner.status(this.#fabric(), feature);
    }
  }

  /** Every policy is where it was put, with its value. */
  check(): LifeCycleFailure[] {
    const failures: LifeCycleFailure[] = [];
    for (const [id, { owner, feature, settings }] of this.#set) {
      const found = [...owner.properties(this.#fabric()).list()].find((it) => it.id === id);
      const what = `policy ${feature} of ${owner.title}`;
      if (found === undefined) failures.push({ message: `${what} is gone`, rule: 'E38' });
      else if (jsonText(found.settings) !== jsonText(settings)) {
        const message = `${what} is ${jsonText(found.settings)}, expected ${jsonText(settings)}`;
        failures.push({ message, rule: 'E26' });
      }
    }
    return failures;
  }
}

function isSilent(error: unknown): boolean {
  return isExtSwitchError(error) && error.code === 'NO_FEATURE_STATUS';
}
