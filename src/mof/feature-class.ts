import type { Guid } from '../core/guid.ts';

/** Scalar types a feature member may have (management.md 1.2, 2.2). */
export type ScalarType =
  | 'boolean'
  | 'uint8'
  | 'sint8'
  | 'uint16'
  | 'sint16'
  | 'uint32'
  | 'sint32'
  | 'uint64'
  | 'sint64'
  | 'real32'
  | 'real64'
  | 'char16'
  | 'string'
  | 'datetime';

/** Default of a member as written in the class; 64-bit values as `bigint`. */
export type MemberValue =
  | boolean
  | number
  | bigint
  | string
  | readonly (boolean | number | bigint | string)[];

/** One serialized member of a feature class: a property that carries WmiDataId. */
export interface FeatureMember {
  readonly name: string;
  readonly wmiDataId: number;
  readonly type: ScalarType;
  /** Absent: scalar. `max` present: inline, at most `max` elements (R8, R16); absent: variable (R9). */
  readonly array?: { readonly max?: number };
  /** Strings: at most this many characters, inline (R5); absent: variable (R7). */
  readonly maxLen?: number;
  readonly minValue?: number | bigint;
  readonly maxValue?: number | bigint;
  /** Interface version that introduced it, major * 256 + minor; class version when not said. */
  readonly version: number;
  readonly default?: MemberValue;
  readonly displayName?: string;
  readonly description?: string;
  /** Names of values, for people (`Values`/`ValueMap`). */
  readonly valueNames?: Readonly<Record<string, string>>;
}

/** A compiled feature class: what a custom policy or a feature status is made of. Members in WmiDataId order. */
export interface FeatureClass {
  readonly name: string;
  /** UUID qualifier. */
  readonly id: Guid;
  readonly extensionId: Guid;
  readonly scope: 'port' | 'switch';
  readonly kind: 'setting' | 'status';
  /** InterfaceVersion: major * 256 + minor. */
  readonly version: number;
  readonly displayName: string;
  readonly description: string;
  readonly superclass: string;
  readonly members: readonly FeatureMember[];
  /** File or name it came from, with the line of its declaration. */
  readonly source: { readonly file: string; readonly line: number };
  readonly builtIn: boolean;
}

/** Switches of the serialization (management.md 2.4). Defaults: `native`, `bytes`, `appended`. */
export interface SerializationProfile {
  readonly uint16: 'native' | 'doc32';
  readonly stringUnit: 'bytes' | 'chars';
  readonly nul: 'none' | 'appended' | 'counted';
}

/** Layout of a class in memory, as `mof layout` prints it. */
export interface FeatureLayout {
  /** Size of the fixed part including trailing pad (R11), bytes. */
  readonly size: number;
  readonly alignment: number;
  /** One entry per C struct member, e.g. FixedLengthStringByteCount and FixedLengthString for one string. */
  readonly members: readonly LayoutMember[];
}
export interface LayoutMember {
  /** C member name. */
  readonly name: string;
  readonly wmiDataId: number;
  /** e.g. `UINT32`, `WCHAR[256]`. */
  readonly ctype: string;
  readonly offset: number;
  readonly size: number;
}
