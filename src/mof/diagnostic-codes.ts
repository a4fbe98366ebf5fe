/** What one diagnostic code means. `docs/reference/mof.md` is checked against this table both ways. */
export interface DiagnosticRule {
  readonly title: string;
  /** A warning that becomes an error with `strict` (management.md 1.4: every quirk does). */
  readonly strict?: 'error';
}

const quirk = (title: string): DiagnosticRule => ({ title, strict: 'error' });
const rule = (title: string): DiagnosticRule => ({ title });

/** Every diagnostic of the compiler. `E-…` is an error, `W-…` a warning. */
export const DIAGNOSTIC_CODES = {
  // Text
  'E-ENCODING': rule('The bytes are not MOF text'),
  'E-SIZE': rule('The text is too large'),
  'E-TOO-MANY': rule('Too many errors; the rest was not checked'),
  'E-CHAR': rule('A character that MOF does not use'),
  'E-COMMENT': rule('A comment that is not closed'),
  'E-STRING': rule('A string that is not closed on its line'),
  'E-ESCAPE': rule('An escape sequence MOF does not have'),
  'E-NUMBER': rule('A malformed number'),
  'E-CHAR16': rule('A malformed character constant'),
  'E-DUMP-LINE': rule('A `#` line that is neither a pragma nor a directive'),
  'E-CPP': rule('C-preprocessed MOF without the preprocess option'),
  'E-CPP-DIRECTIVE': rule('A preprocessor directive that is wrong'),
  'E-CPP-INCLUDE': rule('A header that cannot be read'),
  'E-CPP-MACRO': rule('A macro that cannot be expanded'),
  // Syntax
  'E-SYNTAX': rule('Something else was expected'),
  'E-DEPTH': rule('Nested too deeply'),
  'E-MOF3': rule('MOF version 3 syntax'),
  'E-INCLUDE': rule('An included file that cannot be read'),
  'E-INCLUDE-CYCLE': rule('A file that includes itself'),
  'E-NAMESPACE-HOST': rule('A namespace with a host part (strict only)'),
  // Classes, qualifiers, values
  'E-SUPER': rule('Unknown superclass'),
  'E-SUPER-FORWARD': rule('The superclass is declared later'),
  'E-CLASS-DUPLICATE': rule('A feature class declared twice'),
  'E-CLASS-CLASH': rule('A vendor class named like a system class'),
  'E-NAME-DUPLICATE': rule('A name used twice in one place'),
  'E-QUALIFIER-DUPLICATE': rule('A qualifier given twice'),
  'E-QUALIFIER-VALUE': rule('A qualifier with a wrong value'),
  'E-QUALIFIER-UNDECLARED': rule('A qualifier without a declaration (strict DMTF files)'),
  'E-TYPE': rule('Unknown type'),
  'E-VALUE-TYPE': rule('A value of the wrong type'),
  'E-VALUE-RANGE': rule('A value out of range'),
  'E-VALUE-LENGTH': rule('A value too long'),
  'E-ALIAS': rule('An alias that names nothing'),
  'E-ALIAS-DUPLICATE': rule('An alias given twice'),
  'E-INSTANCE-CLASS': rule('An instance of an unknown class'),
  'E-INSTANCE-PROPERTY': rule('An instance sets a property its class does not have'),
  // Feature classes
  'E-UUID-MISSING': rule('A feature class without UUID'),
  'E-UUID-DUPLICATE': rule('Two feature classes of one kind with the same UUID'),
  'E-EXTENSION-MISSING': rule('A feature class without ExtensionId'),
  'E-PROVIDER-MISSING': rule('A feature class without Provider'),
  'E-GUID': rule('Text that is not a GUID'),
  'E-VERSION-MISSING': rule('A feature class without InterfaceVersion'),
  'E-VERSION': rule('A malformed version'),
  'E-PROPERTY-VERSION': rule('A property newer than its class'),
  'E-DATAID': rule('A WmiDataId that is not a positive number'),
  'E-DATAID-DUPLICATE': rule('A WmiDataId used twice'),
  'E-DATAID-GAP': rule('WmiDataIds that are not 1, 2, 3, …'),
  'E-MAXLEN-TYPE': rule('MaxLen on something that is not a string'),
  'E-MAXLEN-RANGE': rule('MaxLen out of range'),
  'E-MAX-TYPE': rule('Max on something that is not an array'),
  'E-MAX-RANGE': rule('Max out of range, or not the size in brackets'),
  'E-CLASS-SIZE': rule('A feature class whose fixed part is too large'),
  'E-RANGE': rule('MinValue or MaxValue that cannot be'),
  'E-APPLICABILITY': rule('Applicability and superclass disagree'),
  'E-FEATURE-METHOD': rule('A feature class with a method'),
  'E-FEATURE-REFERENCE': rule('A feature class with a reference'),
  'E-FEATURE-EMBEDDED': rule('A feature class with an embedded object'),
  'E-FEATURE-KEY': rule('A feature class with a key'),
  'E-FEATURE-OCTETSTRING': rule('A feature class with an octet string'),
  'E-FEATURE-ASSOCIATION': rule('A feature class that is an association or indication'),
  // Quirks of published files: management.md 1.4; with strict each is an error
  'W-SUPER': quirk('A misspelled superclass, repaired'),
  'W-QUALIFIER-TYPO': quirk('InterfaceRevison for InterfaceRevision'),
  'W-QUALIFIER-ALIAS': quirk('Version or Revision for InterfaceVersion or InterfaceRevision'),
  'W-VERSION-TYPE': quirk('A version written as a number'),
  'W-GUID-BRACES': quirk('A GUID written with braces'),
  'W-STATUS-BASE': quirk('A status class with a setting base'),
  'W-UUID-SHARED': quirk('A setting and a status class with the same UUID'),
  'W-ACCESS': quirk('Properties without Read or Write'),
  'W-TYPE-ALIAS': quirk('A type word that is not MOF'),
  'W-SEMICOLON': quirk('A missing `;` after a class or instance'),
  'W-SCALAR-TO-ARRAY': quirk('One value for an array'),
  'W-REAL': quirk('A real number for an integer, rounded'),
  'W-QUOTED-NUMBER': quirk('A number in quotes'),
  'W-ENCODING': quirk('Text that is neither UTF-8 nor UTF-16'),
  'W-CLASS-AGAIN': quirk('A class declared twice; the later one counts'),
  'W-FLAVOR': quirk('Unknown qualifier flavor'),
  // Advice; stays a warning with strict
  'W-PRAGMA': rule('Unknown pragma'),
  'W-NAMESPACE': rule('Feature classes outside root\\virtualization\\v2'),
  'W-CLASS-BUILTIN': rule('A built-in class declared again'),
  'W-DYNAMIC': rule('A feature class without Dynamic'),
  'W-PROVIDER': rule('Another provider: not a feature class'),
  'W-DISPLAYNAME': rule('A feature class without DisplayName'),
  'W-VENDOR': rule('A class name without a vendor'),
  'W-EXTENSION-UNKNOWN': rule('No such extension is installed'),
  'W-DATAID-MISSING': rule('A property without WmiDataId'),
  'W-NO-MEMBERS': rule('A feature class without data'),
  'W-REVISION': rule('InterfaceRevision and InterfaceVersion disagree'),
} as const satisfies Record<string, DiagnosticRule>;

export type DiagnosticCode = keyof typeof DIAGNOSTIC_CODES;
