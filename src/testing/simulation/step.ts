import type { BehaviourOptions, ProfileName } from '../../policy/api.ts';
import type { FaultRuleOptions } from '../../policy/faults-api.ts';
import type { Plant } from './plants.ts';
import type { ClassSettings } from './user-classes.ts';

/*
 * A simulated history as data. Steps name what they work on, and do nothing where that is not there: so every part of a list of
 * steps is a list of steps, and a failing one can be shortened.
 */

/** What an extension that misbehaves does to one request. */
export const BEHAVIOURS = [
  'veto',
  'resources',
  'succeed',
  'throw',
  'nonsense',
  'scribble',
  'pendForward',
  'pendVeto',
  'pendForEver',
  'completeInside',
  'completeTwice',
  'pendAndAnswer',
  'promiseForward',
  'promiseVeto',
  'promiseRejects',
  'reference',
  'endlessSaves',
  'restartThrows',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

export interface Mischief {
  readonly extension: 'rogue' | 'forwarder';
  /** The request of this step that is met, from 1; queries do not count. */
  readonly nth: number;
  readonly what: Behaviour;
  /** Virtual milliseconds before what comes late. */
  readonly delayMs: number;
}

/** A fault rule of one host's world (`fabric.faults`), in force while the step lasts. */
export interface HostRule extends FaultRuleOptions {
  readonly host: string;
}

/** Faults that the step meets. */
export interface Faults {
  readonly mischief?: readonly Mischief[];
  readonly rules?: readonly HostRule[];
  /** Who dies in this step stays away until a step brings it back. */
  readonly staysAway?: boolean;
}

type On<T> = T & Faults;
export const VM_VERBS = ['start', 'stop', 'pause', 'resume', 'save', 'restore', 'delete'] as const;
export type VmVerb = (typeof VM_VERBS)[number];

/** One change of one host's world. */
export type Change =
  | On<{ do: 'createVm'; host: string; vm: string; adapters: readonly (string | null)[] }>
  | On<{ do: 'vm'; verb: VmVerb; vm: string }>
  | On<{ do: 'addAdapter'; vm: string; adapter: string; switch: string }>
  | On<{
      do: 'removeAdapter' | 'disconnectAdapter' | 'assignVf' | 'removeVf';
      vm: string;
      adapter: string;
    }>
  /** Exported, and imported on a host as another one. */
  | On<{ do: 'copyVm'; vm: string; to: string; copy: string }>
  | On<{ do: 'connectAdapter'; vm: string; adapter: string; switch: string }>
  | On<{ do: 'updateAdapter'; vm: string; adapter: string; mtu: number }>
  | On<{
      do: 'addPolicy' | 'updatePolicy';
      vm: string;
      adapter: string;
      policy: number;
      value: number;
      /** Not of what is added. */
      revision?: Revision;
    }>
  | On<{ do: 'removePolicy'; vm: string; adapter: string; policy: number; revision?: Revision }>
  | On<{
      do: 'addSwitchPolicy' | 'updateSwitchPolicy';
      host: string;
      switch: string;
      policy: number;
      value: number;
    }>
  /** Of a class that whoever simulates has brought; `isValid`: the values are of the class. */
  | On<{
      do: 'addClassPolicy' | 'updateClassPolicy';
      vm: string;
      adapter: string;
      policy: number;
      feature: string;
      settings: ClassSettings;
      isValid: boolean;
    }>
  | On<{
      do: 'addSwitchClassPolicy' | 'updateSwitchClassPolicy';
      host: string;
      switch: string;
      policy: number;
      feature: string;
      settings: ClassSettings;
      isValid: boolean;
    }>
  | On<{ do: 'removeSwitchPolicy'; host: string; switch: string; policy: number }>
  | On<{
      do: 'createSwitch';
      host: string;
      switch: string;
      type: 'private' | 'internal' | 'external';
    }>
  | On<{ do: 'deleteSwitch'; host: string; switch: string }>
  | On<{
      do: 'createPort' | 'deletePort' | 'connectNic' | 'disconnectNic';
      host: string;
      switch: string;
      port: string;
    }>
  | On<{ do: 'renamePort'; host: string; switch: string; port: string; to: string }>
  | On<{ do: 'updateNic'; host: string; switch: string; port: string; mtu: number }>
  | On<{
      do: 'connectUplink';
      host: string;
      switch: string;
      team: 'none' | 'lbfo' | 'switch';
      /** Physical adapters, each with two virtual functions. */
      adapters: number;
    }>
  | On<{ do: 'disconnectUplink'; host: string; switch: string }>
  | On<{ do: 'setLink'; host: string; switch: string; index: number; up: boolean }>
  | On<{ do: 'addInternalNic'; host: string; switch: string; port: string }>
  /** Exported, and imported as another one. */
  | On<{
      do: 'copySwitch';
      host: string;
      switch: string;
      to: string;
      copy: string;
      /** With the ids it has, and the numbers of its ports. */
      keepsIds?: boolean;
    }>
  | On<{
      do: 'changeExtension';
      host: string;
      switch: string;
      extension: string;
      enabled?: boolean;
      order?: number;
      required?: boolean;
    }>
  /** The classes of the simulation in this version. */
  | On<{ do: 'registerClasses'; host: string; version: number }>
  /** One more extension comes; a host that is started without it is rid of it. */
  | On<{ do: 'installGuest'; host: string }>
  | On<{ do: 'askStatus'; vm: string; adapter: string }>
  | On<{ do: 'askSwitchStatus'; host: string; switch: string }>
  /** An operator decides of a VM on its way from, or to, a host. */
  | On<{ do: 'settleMigration'; host: string; vm: string; owner: 'source' | 'destination' }>
  | On<{ do: 'resumeMigration' | 'abandonArrival' | 'discardKept'; host: string; vm: string }>;

/** The change names the revision that its policy has, or one that it had. */
export type Revision = 'right' | 'stale';

export type Move = On<{ do: 'migrate'; vm: string; to: string }>;

export type Atomic = On<{ do: 'atomic'; host: string; throws: boolean; steps: readonly Change[] }>;

export type Step =
  | Change
  | Move
  | On<{ do: 'together'; steps: readonly (Change | Move | Atomic)[] }>
  | Atomic
  | On<{ do: 'crashHost' | 'hostComesBack'; host: string }>
  /** `withoutGuest`: the extension that came later is not there any more. */
  | On<{ do: 'restartHost'; host: string; withoutGuest?: boolean }>
  | On<{ do: 'takeSnapshot' | 'restoreSnapshot'; host: string; snapshot: string }>
  /** `steps` are made on the fork. */
  | On<{ do: 'forkSnapshot'; host: string; snapshot: string; steps?: readonly Change[] }>
  /** Emptied, and set up again. */
  | On<{ do: 'resetHost'; host: string }>
  | On<{ do: 'wait'; ms: number }>;

/** What one step came to. */
export type Result = 'skipped' | 'done' | 'refused' | 'unknown';

/** What a world is before its first step. */
export interface Setting {
  readonly seed: string;
  /** Names of the hosts. */
  readonly hosts: readonly string[];
  readonly profile: ProfileName;
  /** By host: profiles that are others than {@link profile}. */
  readonly profiles?: Readonly<Record<string, ProfileName>>;
  readonly scheduling: 'fifo' | 'seeded';
  readonly behaviour: BehaviourOptions;
  /** A request with which an extension breaks a rule fails; default: nobody watches. */
  readonly verifier?: 'enforce';
  readonly plant?: Plant;
}

/** A whole history: what `--replay` reads. */
export interface History {
  readonly setting: Setting;
  readonly steps: readonly Step[];
}
