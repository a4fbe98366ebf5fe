import type {
  MofArray,
  MofClass,
  MofDeclaration,
  MofFeature,
  MofInstance,
  MofPragma,
  MofQualifier,
  MofQualifierDeclaration,
  MofType,
  MofValue,
} from './ast.ts';

/*
 * MOF text from declarations. Law: parsing the print gives the same declarations, places aside. Every construct is
 * printed in the one form all three dialects read; a missing `;` and type aliases come out repaired.
 */

/** Prints declarations with an empty line between them. */
export function printMof(declarations: readonly MofDeclaration[]): string {
  return declarations.map(printDeclaration).join('\n');
}

function printDeclaration(declaration: MofDeclaration): string {
  switch (declaration.kind) {
    case 'class':
      return printClass(declaration);
    case 'instance':
      return printInstance(declaration);
    case 'pragma':
      return printPragma(declaration);
    case 'qualifier':
      return printQualifierDeclaration(declaration);
  }
}

/** Prints a class declaration. */
export function printClass(declaration: MofClass): string {
  const { name, alias, superclass, qualifiers, features } = declaration;
  const as = alias === undefined ? '' : ` as $${alias}`;
  const base = superclass === undefined ? '' : ` : ${superclass.text}`;
  const body = features.map((feature) => printFeature(feature)).join('\n');
  return `${printQualifiers(qualifiers, '')}class ${name}${as}${base}\n{\n${body}};\n`;
}

/** Prints an instance with its nested instances. */
export function printInstance(instance: MofInstance): string {
  return `${printInstanceText(instance, '')};\n`;
}

function printInstanceText(instance: MofInstance, indent: string): string {
  const { className, alias, qualifiers, properties } = instance;
  const inner = `${indent}  `;
  const as = alias === undefined ? '' : ` as $${alias}`;
  const lines = properties.map(
    ({ name, value, qualifiers: list }) =>
      `${printQualifiers(list, inner)}${inner}${name} = ${printValue(value, inner)};\n`,
  );
  const head = `${printQualifiers(qualifiers, indent)}instance of ${className}${as}`;
  return `${head}\n${indent}{\n${lines.join('')}${indent}}`;
}

/** A namespace stands in the text as it is: backslashes single, since that literal has no escapes. */
function printPragma(pragma: MofPragma): string {
  const { name, arguments: list } = pragma;
  if (list.length === 0) return `#pragma ${name}\n`;
  const isNamespace = name.toLowerCase() === 'namespace';
  const items = list.map((text) => (isNamespace ? `"${text}"` : quote(text)));
  return `#pragma ${name}(${items.join(', ')})\n`;
}

function printQualifierDeclaration(declaration: MofQualifierDeclaration): string {
  const { name, type, array, initial, scopes, flavors } = declaration;
  if (type === undefined) return `Qualifier ${name} : ${flavors.join(' ')};\n`;
  const value = initial === undefined ? '' : ` = ${printValue(initial, '')}`;
  const scope = scopes.length === 0 ? '' : `, Scope(${scopes.join(', ')})`;
  const flavor = flavors.length === 0 ? '' : `, Flavor(${flavors.join(', ')})`;
  return `Qualifier ${name} : ${type}${printBrackets(array)}${value}${scope}${flavor};\n`;
}

function printFeature(feature: MofFeature): string {
  const indent = '  ';
  const list = printQualifiers(feature.qualifiers, indent);
  if (feature.kind === 'property') {
    const { name, type, array, initial } = feature;
    const value = initial === undefined ? '' : ` = ${printValue(initial, indent)}`;
    return `${list}${indent}${printType(type)} ${name}${printBrackets(array)}${value};\n`;
  }
  const parameters = feature.parameters.map(({ name, type, array, qualifiers }) => {
    const own = qualifiers.length === 0 ? '' : `[${qualifiers.map(printQualifier).join(', ')}] `;
    return `${own}${printType(type)} ${name}${printBrackets(array)}`;
  });
  const returns = feature.returns === undefined ? 'void' : printType(feature.returns);
  return `${list}${indent}${returns} ${feature.name}(${parameters.join(', ')});\n`;
}

function printType(type: MofType): string {
  return type.kind === 'reference' ? `${type.name} REF` : type.name;
}

function printBrackets(array: MofArray | undefined): string {
  return array === undefined ? '' : `[${array.size ?? ''}]`;
}

function printQualifiers(list: readonly MofQualifier[], indent: string): string {
  if (list.length === 0) return '';
  return `${indent}[${list.map(printQualifier).join(`,\n${indent} `)}]\n`;
}

function printQualifier(qualifier: MofQualifier): string {
  const { name, value, flavors } = qualifier;
  const behind = flavors.length === 0 ? '' : ` : ${flavors.join(' ')}`;
  if (value === undefined) return `${name}${behind}`;
  const text = printValue(value, '');
  return `${name}${value.kind === 'array' ? text : `(${text})`}${behind}`;
}

function printValue(value: MofValue, indent: string): string {
  switch (value.kind) {
    case 'integer':
      return String(value.value);
    case 'real':
      return printReal(value.value);
    case 'string':
      return quote(value.value);
    case 'char':
      return printCharacter(value.value);
    case 'boolean':
      return value.value ? 'TRUE' : 'FALSE';
    case 'null':
      return 'NULL';
    case 'alias':
      return `$${value.name}`;
    case 'array':
      return `{${value.items.map((item) => printValue(item, indent)).join(', ')}}`;
    case 'instance':
      return printInstanceText(value.instance, indent).trimStart();
  }
}

/** A real needs a point with a digit behind it. */
function printReal(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  const [digits = '', exponent] = text.split('e');
  const whole = digits.includes('.') ? digits : `${digits}.0`;
  return exponent === undefined ? whole : `${whole}E${exponent}`;
}

function printCharacter(unit: number): string {
  const isPlain = unit >= 32 && unit < 127 && unit !== 39 && unit !== 92;
  if (isPlain) return `'${String.fromCharCode(unit)}'`;
  return `'\\x${unit.toString(16).padStart(4, '0')}'`;
}

const NAMED: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

const UNSAFE = /["\\\u2028\u2029\ufeff]|\p{Cc}|\p{Surrogate}/gu;

/** Control characters and lone surrogates are escaped, so the text survives any encoding. */
function quote(text: string): string {
  const escaped = text.replace(UNSAFE, (sign) => {
    return NAMED[sign] ?? `\\x${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}
