import type { ScalarType } from './feature-class.ts';
import type { Span } from './source.ts';

/** A constant as written. Integers stay exact; `char` is one UTF-16 unit. */
export type MofValue =
  | { readonly kind: 'integer'; readonly value: bigint; readonly span: Span }
  | { readonly kind: 'real'; readonly value: number; readonly span: Span }
  | { readonly kind: 'string'; readonly value: string; readonly span: Span }
  | { readonly kind: 'char'; readonly value: number; readonly span: Span }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly span: Span }
  | { readonly kind: 'null'; readonly span: Span }
  /** `$Name`, without the dollar sign. */
  | { readonly kind: 'alias'; readonly name: string; readonly span: Span }
  | { readonly kind: 'array'; readonly items: readonly MofValue[]; readonly span: Span }
  | { readonly kind: 'instance'; readonly instance: MofInstance; readonly span: Span };

/** A name with its place. */
export interface MofName {
  readonly text: string;
  readonly span: Span;
}

/** `Name`, `Name(value)` or `Name{…}`, with the flavors behind the colon. */
export interface MofQualifier {
  readonly name: string;
  readonly value?: MofValue;
  readonly flavors: readonly string[];
  readonly span: Span;
}

/** Type of a property or parameter: one of the scalar types, or a class (embedded object). */
export type MofType =
  | { readonly kind: 'scalar'; readonly name: ScalarType; readonly span: Span }
  /** `object` stands for any class. */
  | { readonly kind: 'class'; readonly name: string; readonly span: Span }
  | { readonly kind: 'reference'; readonly name: string; readonly span: Span };

export interface MofArray {
  /** Number in the brackets; WMI takes it as `Max` (R16). */
  readonly size?: number;
}

/** Property or reference (type kind `reference`) of a class. */
export interface MofProperty {
  readonly kind: 'property';
  readonly name: string;
  readonly type: MofType;
  readonly array?: MofArray;
  readonly initial?: MofValue;
  readonly qualifiers: readonly MofQualifier[];
  /** Of the name. */
  readonly span: Span;
}

export interface MofParameter {
  readonly name: string;
  readonly type: MofType;
  readonly array?: MofArray;
  readonly qualifiers: readonly MofQualifier[];
  readonly span: Span;
}

export interface MofMethod {
  readonly kind: 'method';
  readonly name: string;
  /** Absent: `void`. */
  readonly returns?: MofType;
  readonly parameters: readonly MofParameter[];
  readonly qualifiers: readonly MofQualifier[];
  readonly span: Span;
}

export type MofFeature = MofProperty | MofMethod;

/** A class declaration. */
export interface MofClass {
  readonly kind: 'class';
  readonly name: string;
  readonly alias?: string;
  /** As written; `ClassTree` knows the repaired one. */
  readonly superclass?: MofName;
  readonly qualifiers: readonly MofQualifier[];
  readonly features: readonly MofFeature[];
  /** A syntax error was inside: members may be missing, so checks of the whole are skipped. */
  readonly broken: boolean;
  /** Of the name. */
  readonly span: Span;
}

export interface MofAssignment {
  readonly name: string;
  readonly value: MofValue;
  readonly qualifiers: readonly MofQualifier[];
  readonly span: Span;
}

/** `instance of Class as $Alias { … }`. */
export interface MofInstance {
  readonly kind: 'instance';
  readonly className: string;
  readonly alias?: string;
  readonly qualifiers: readonly MofQualifier[];
  readonly properties: readonly MofAssignment[];
  /** Of the class name. */
  readonly span: Span;
}

export interface MofPragma {
  readonly kind: 'pragma';
  readonly name: string;
  readonly arguments: readonly string[];
  readonly span: Span;
}

/** `Qualifier Name : type = default, Scope(…), Flavor(…);` or `Qualifier Name : flavors;`. */
export interface MofQualifierDeclaration {
  readonly kind: 'qualifier';
  readonly name: string;
  /** Absent in the short WMI form. */
  readonly type?: ScalarType;
  readonly array?: MofArray;
  readonly initial?: MofValue;
  readonly scopes: readonly string[];
  readonly flavors: readonly string[];
  readonly span: Span;
}

export type MofDeclaration = MofClass | MofInstance | MofPragma | MofQualifierDeclaration;
