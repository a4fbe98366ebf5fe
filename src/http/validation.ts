import { ExtSwitchError } from '../core/errors.ts';
import type { JsonSchema } from './route.ts';

/** One complaint of ajv, as far as it is read here. */
interface SchemaComplaint {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** With ajv's `verbose`: the schema that complains, and what it complains about. */
  readonly parentSchema?: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
}
/** A compiled schema. `errors` belongs to the last call. */
export interface Validator {
  (value: unknown): boolean;
  errors?: readonly SchemaComplaint[] | null | undefined;
}

/** Keywords that say a value of the right type is outside its bounds: well-formed but wrong. */
const BOUNDS = new Set([
  'enum',
  'const',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
]);

const RULES = new WeakMap<object, string>();

/** A schema whose bounds are a rule of the rule book: a value outside them is refused with `rule`. */
export function keeping(rule: string, schema: JsonSchema): JsonSchema {
  RULES.set(schema, rule);
  return schema;
}

/** The error of the first complaint about a body (400, or 422 outside bounds) or a query (400). Never repeats values. */
export function schemaError(
  complaints: readonly SchemaComplaint[] | null | undefined,
  part: 'body' | 'query',
  value: unknown,
): ExtSwitchError {
  const complaint = complaints?.[0];
  if (complaint === undefined) return new ExtSwitchError('MALFORMED', `the ${part} is malformed`);
  const at = pathOf(complaint.instancePath);
  const what = part === 'query' ? 'query parameter' : 'field';
  const unknown = unknownName(complaint);
  if (unknown !== undefined) {
    const member = join(at, unknown.slice(0, 100));
    return new ExtSwitchError('UNKNOWN_FIELD', `unknown ${what} ${JSON.stringify(member)}`, {
      member,
    });
  }
  if (complaint.keyword === 'required') {
    const member = join(at, String(complaint.params['missingProperty']));
    return new ExtSwitchError('MALFORMED', `${what} ${JSON.stringify(member)} is missing`, {
      member,
    });
  }
  const expected = expectation(complaint);
  const message =
    at === '' ? `the ${part} ${expected}` : `${what} ${JSON.stringify(at)} ${expected}`;
  const rule = RULES.get(complaint.parentSchema ?? {});
  const code = part === 'body' && BOUNDS.has(complaint.keyword) ? 'INVALID_ARGUMENT' : 'MALFORMED';
  return new ExtSwitchError(code, message, {
    ...(at === '' ? {} : { member: at }),
    expected,
    found: kindOf(value, complaint.instancePath),
    ...(rule === undefined ? {} : { rule }),
  });
}

/** A name the schema does not have. Looked for when one is missing, too: often the one is the other, misspelled. */
function unknownName(complaint: SchemaComplaint): string | undefined {
  if (complaint.keyword === 'additionalProperties') {
    return String(complaint.params['additionalProperty']);
  }
  if (complaint.keyword !== 'required') return undefined;
  const { parentSchema, data } = complaint;
  if (parentSchema?.['additionalProperties'] !== false) return undefined;
  const known = Object.keys(parentSchema['properties'] ?? {});
  return Object.keys(data ?? {}).find((name) => !known.includes(name));
}

function expectation(complaint: SchemaComplaint): string {
  const allowed = complaint.params['allowedValues'];
  if (Array.isArray(allowed)) return `must be one of ${allowed.join(', ')}`;
  // A regular expression tells nobody what to type.
  const { title, examples } = complaint.parentSchema ?? {};
  if (complaint.keyword === 'pattern' && title !== undefined && Array.isArray(examples)) {
    return `must be ${title} such as ${examples[0]}`;
  }
  return complaint.message ?? 'is wrong';
}

/** `/operations/3/body` → `operations[3].body`. */
function pathOf(pointer: string): string {
  let path = '';
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~').slice(0, 100);
    path = /^[0-9]+$/.test(name) && path !== '' ? `${path}[${name}]` : join(path, name);
  }
  return path;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** The JSON type of what stands at a pointer. */
function kindOf(root: unknown, pointer: string): string {
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[name];
  }
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
