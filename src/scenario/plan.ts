import { nearestName } from '../mof/nearest-name.ts';
import type { ProfileName } from '../policy/api.ts';
import { FILE_FIELDS, PROFILE, PROFILE_NAMES } from './file-fields.ts';
import type { ScenarioSource } from './load.ts';
import { noNames } from './names.ts';
import { Problems } from './problems.ts';
import { Reader, type Scope } from './reader.ts';
import { nodeOf, plainValue, type SourceNode, shown } from './source-node.ts';

/** What the command line says over what the file says. */
export interface PlanOptions {
  readonly seed?: string;
  /** `all`: every profile there is. */
  readonly profile?: ProfileName | 'all';
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** One time a scenario is played: a cell of its matrix. */
export interface Cell {
  /** What tells it from the other cells, e.g. `profile=ws2016`; empty when there is one. */
  readonly label: string;
  readonly profile: ProfileName | undefined;
  readonly seed: string;
  readonly parameters: Scope;
}

const DEFAULT_SEED = 'scenario';

/** The cells of a scenario's matrix, in order: the last name changes fastest. Throws `INVALID_ARGUMENT` with all problems. */
export function planScenario({ node, file }: ScenarioSource, options: PlanOptions): Cell[] {
  const problems = new Problems(file);
  if (node.kind !== 'map') {
    problems.add(node.place, `a scenario: expected a map of fields, found ${shown(node)}`);
    problems.throwIfAny();
    return [];
  }
  for (const [name, { key }] of node.entries) {
    if (Object.hasOwn(FILE_FIELDS, name)) continue;
    const known = Object.keys(FILE_FIELDS);
    problems.add(
      key,
      `unknown field ${JSON.stringify(name)} in the file`,
      nearestName(name, known),
    );
  }
  const scope = parametersOf(node, options, problems);
  const reader = new Reader(problems, noNames(file), scope, () => []);
  const axes = axesOf(node, scope, options, reader);
  const profile = options.profile === 'all' ? undefined : options.profile;
  const own = node.entries.get('profile');
  const base: Cell = {
    label: '',
    profile: profile ?? (own && PROFILE.read(own.value, reader, 'profile')),
    seed: options.seed ?? textAt(node, 'seed') ?? DEFAULT_SEED,
    parameters: scope,
  };
  let cells = [base];
  for (const [name, values] of axes) {
    cells = cells.flatMap((cell) => values.map((value) => onAxis(cell, name, value, reader)));
  }
  problems.throwIfAny();
  return cells;
}

function textAt(node: SourceNode & { readonly kind: 'map' }, name: string): string | undefined {
  const value = node.entries.get(name)?.value;
  return value?.kind === 'scalar' && value.value !== null ? String(value.value) : undefined;
}

/** Defaults of the file, and over them what was given. */
function parametersOf(
  node: SourceNode & { readonly kind: 'map' },
  { parameters = {} }: PlanOptions,
  problems: Problems,
): Scope {
  const declared = node.entries.get('parameters')?.value;
  const scope = new Map<string, SourceNode>();
  if (declared?.kind === 'map') {
    for (const [name, { value }] of declared.entries) scope.set(name, value);
  } else if (declared !== undefined) {
    problems.add(declared.place, `parameters: expected a map, found ${shown(declared)}`);
  }
  for (const [name, value] of Object.entries(parameters)) {
    // Of several files, one has it: {@link unknownParameters}.
    if (!scope.has(name)) continue;
    scope.set(name, nodeOf(value));
  }
  return scope;
}

function axesOf(
  node: SourceNode & { readonly kind: 'map' },
  scope: Scope,
  options: PlanOptions,
  { problems }: Reader,
): Map<string, readonly SourceNode[]> {
  const axes = new Map<string, readonly SourceNode[]>();
  const matrix = node.entries.get('matrix')?.value;
  if (options.profile === 'all')
    axes.set(
      'profile',
      PROFILE_NAMES.map((name) => nodeOf(name)),
    );
  if (matrix === undefined) return axes;
  if (matrix.kind !== 'map') {
    problems.add(matrix.place, `matrix: expected a map of lists, found ${shown(matrix)}`);
    return axes;
  }
  for (const [name, { key, value }] of matrix.entries) {
    const known = ['profile', 'seed', ...scope.keys()];
    if (!known.includes(name)) {
      const message = `matrix: ${JSON.stringify(name)} is neither profile, seed nor a parameter`;
      problems.add(key, message, nearestName(name, known));
    }
    const isSet =
      (name === 'profile' && options.profile !== undefined) ||
      (name === 'seed' && options.seed !== undefined) ||
      Object.hasOwn(options.parameters ?? {}, name);
    if (isSet) continue;
    if (value.kind !== 'list') problems.add(value.place, `matrix.${name}: expected a list`);
    else axes.set(name, value.items);
  }
  return axes;
}

/** A map or a list in one line. */
function labelOf(node: SourceNode): string {
  const value = plainValue(node);
  const members = Object.entries(value as object).map(([name, each]) => `${name}: ${each}`);
  return `{${members.join(', ')}}`;
}

function onAxis(cell: Cell, name: string, value: SourceNode, reader: Reader): Cell {
  const text = value.kind === 'scalar' ? String(value.value) : labelOf(value);
  const label = [cell.label, `${name}=${text}`].filter((each) => each !== '').join(' ');
  if (name === 'profile') {
    return { ...cell, label, profile: PROFILE.read(value, reader, 'matrix.profile') };
  }
  if (name === 'seed') return { ...cell, label, seed: text };
  return { ...cell, label, parameters: new Map(cell.parameters).set(name, value) };
}

/** Given parameters that none of these files has. */
export function unknownParameters(
  sources: readonly ScenarioSource[],
  { parameters = {} }: PlanOptions,
): readonly { readonly name: string; readonly near: string | undefined }[] {
  const known = new Set<string>();
  for (const { node } of sources) {
    const declared = node.kind === 'map' ? node.entries.get('parameters')?.value : undefined;
    if (declared?.kind === 'map') for (const name of declared.entries.keys()) known.add(name);
  }
  return Object.keys(parameters)
    .filter((name) => !known.has(name))
    .map((name) => ({ name, near: nearestName(name, [...known]) }));
}
