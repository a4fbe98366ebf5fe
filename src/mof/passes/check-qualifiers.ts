import type { MofQualifier, MofValue } from '../ast.ts';
import { REVISION_TYPO } from '../qualifiers.ts';
import { describeValue } from '../values.ts';
import type { CompileState } from './state.ts';

type Shape =
  | 'flag'
  | 'string'
  | 'id'
  | 'integer'
  | 'number'
  | 'version'
  | 'strings'
  | 'integerOrString';

const row = (shape: Shape, names: string): [string, Shape][] =>
  names.split(' ').map((name) => [name, shape]);

/** Values of the qualifiers this product reads (management.md 1.5); the others may have any. */
const SHAPES: ReadonlyMap<string, Shape> = new Map([
  ...row('flag', 'dynamic abstract association aggregation indication key read write octetstring'),
  ...row('flag', 'embeddedobject static singleton in out required experimental terminal wmi'),
  ...row(
    'string',
    'uuid extensionid provider displayname description embeddedinstance guid override',
  ),
  ...row('id', 'wmidataid'),
  ...row('integer', 'maxlen minlen max min'),
  ...row('number', 'minvalue maxvalue'),
  ...row('version', `interfaceversion interfacerevision ${REVISION_TYPO}`),
  ...row('strings', 'values valuemap bitmap bitvalues'),
  ...row('integerOrString', 'locale applicability'),
]);

const EXPECTED: Readonly<Record<Shape, string>> = {
  flag: 'TRUE, FALSE or nothing',
  string: 'a string',
  id: 'a number',
  integer: 'a number',
  number: 'a number',
  version: 'a version such as ("1") or ("1.1")',
  strings: 'strings in braces',
  integerOrString: 'a number or a string',
};

/** The qualifiers DSP0004 gives to everybody; a DMTF file need not declare them. */
const STANDARD = new Set('association indication key override abstract read write'.split(' '));

/**
 * Every qualifier list has each name once and values of the right kind. In a file with DMTF declarations (`strict` only)
 * each qualifier must have one (DSP0004; pywbem does the same).
 */
export function checkQualifiers(state: CompileState): void {
  const declared = declaredNames(state);
  const check = (list: readonly MofQualifier[]): void => checkList(state, list, declared);
  for (const declaration of state.classes) {
    check(declaration.qualifiers);
    for (const feature of declaration.features) {
      check(feature.qualifiers);
      if (feature.kind === 'method') for (const each of feature.parameters) check(each.qualifiers);
    }
  }
  for (const instance of state.instances) {
    check(instance.qualifiers);
    for (const property of instance.properties) check(property.qualifiers);
  }
}

function declaredNames(state: CompileState): ReadonlySet<string> | undefined {
  if (!state.sink.strict) return undefined;
  const full = state.qualifierDeclarations.filter((each) => each.type !== undefined);
  if (full.length === 0) return undefined;
  return new Set(state.qualifierDeclarations.map((each) => each.name.toLowerCase()));
}

function checkList(
  state: CompileState,
  list: readonly MofQualifier[],
  declared: ReadonlySet<string> | undefined,
): void {
  const seen = new Map<string, MofQualifier>();
  for (const qualifier of list) {
    const { name, span } = qualifier;
    let key = name.toLowerCase();
    if (key === REVISION_TYPO) {
      key = 'interfacerevision';
      const hint = 'write InterfaceRevision';
      const message = `qualifier ${name} is read as InterfaceRevision`;
      state.sink.report('W-QUALIFIER-TYPO', span, message, { hint });
    }
    const first = seen.get(key);
    if (first !== undefined) {
      const message = `qualifier ${name} is given twice`;
      state.sink.report('E-QUALIFIER-DUPLICATE', span, message, { related: first.span });
    }
    seen.set(key, qualifier);
    const shape = SHAPES.get(key);
    if (shape !== undefined && !fits(shape, qualifier.value)) {
      const found = qualifier.value === undefined ? 'nothing' : describeValue(qualifier.value);
      const message = `qualifier ${name} needs ${EXPECTED[shape]}; found ${found}`;
      state.sink.report('E-QUALIFIER-VALUE', qualifier.value?.span ?? span, message);
    }
    if (declared !== undefined && !declared.has(key) && !STANDARD.has(key)) {
      const message = `qualifier ${name} is not declared`;
      const hint = `add "Qualifier ${name} : …;", or leave strict mode`;
      state.sink.report('E-QUALIFIER-UNDECLARED', span, message, { hint });
    }
  }
}

function fits(shape: Shape, value: MofValue | undefined): boolean {
  const kind = value?.kind;
  switch (shape) {
    case 'flag':
      return kind === undefined || kind === 'boolean';
    case 'string':
      return kind === 'string' || kind === 'null';
    case 'id':
      return kind === 'integer';
    case 'integer':
      // DMTF files write MaxLen(NULL) for no limit.
      return kind === 'integer' || kind === 'null';
    case 'number':
      return kind === 'integer' || kind === 'real' || kind === 'string';
    case 'version':
    case 'integerOrString':
      return kind === 'integer' || kind === 'string';
    case 'strings':
      return kind === 'array' || kind === 'string' || kind === 'null';
  }
}
