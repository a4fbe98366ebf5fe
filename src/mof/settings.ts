import { ExtSwitchError } from '../core/errors.ts';
import type { FeatureClass, FeatureMember, MemberValue } from './feature-class.ts';
import { convertValue, type ScalarValue, shown, ValueProblem, zeroOf } from './member-value.ts';
import { nearestName } from './nearest-name.ts';
import { makeTemplate } from './settings-object.ts';

/**
 * Typed values of a feature class, every member present and in WmiDataId order: numbers up to 32 bits and reals, `bigint`
 * for 64-bit integers, text (char16: at most one unit, '' is U+0000; datetime: 25 characters or ''), booleans, arrays.
 */
export type Settings = Readonly<Record<string, MemberValue>>;

/** One thing that is wrong with settings, as `place.problems` lists it. */
export interface SettingsProblem {
  readonly member: string;
  readonly message: string;
  readonly expected: string;
  readonly found: string;
}

/** Problems listed at most; a client that sends a million wrong elements gets the first ones. */
const MAX_PROBLEMS = 100;

/** Per class: an object with every member in order at its default. Copies share one hidden class. */
const templates = new WeakMap<FeatureClass, Settings>();
/** The same for {@link settingsToJson}. */
const jsonTemplates = new WeakMap<FeatureClass, Settings>();

class ProblemList {
  readonly problems: SettingsProblem[] = [];
  private readonly className: string;

  constructor(className: string) {
    this.className = className;
  }

  get isFull(): boolean {
    return this.problems.length >= MAX_PROBLEMS;
  }

  add(member: string, problem: ValueProblem): void {
    if (this.isFull) return;
    const { expected, found, hint } = problem;
    const advice = hint === undefined ? '' : ` (${hint})`;
    const message = `${this.className}.${shortened(member)}: expected ${expected}, found ${found}${advice}`;
    this.problems.push({ member: shortened(member), message, expected, found });
  }

  throwIfAny(): void {
    const first = this.problems[0];
    if (first === undefined) return;
    const others = this.problems.length - 1;
    const more =
      others === 0 ? '' : `, and ${others} more ${others === 1 ? 'problem' : 'problems'}`;
    throw new ExtSwitchError('SETTINGS_INVALID', first.message + more, {
      structure: this.className,
      member: first.member,
      expected: first.expected,
      found: first.found,
      problems: this.problems.map((problem) => ({ ...problem })),
    });
  }
}

function shortened(name: string): string {
  return name.length > 80 ? `${name.slice(0, 79)}…` : name;
}

function arrayOf(m: FeatureMember, value: unknown, problems: ProblemList): readonly ScalarValue[] {
  const converted: ScalarValue[] = [];
  const kind = `an array of ${m.type}`;
  if (!Array.isArray(value)) {
    problems.add(m.name, new ValueProblem(kind, shown(value)));
    return converted;
  }
  const max = m.array?.max;
  if (max !== undefined && value.length > max) {
    problems.add(m.name, new ValueProblem(`at most ${max} elements`, `${value.length}`));
    return converted;
  }
  for (let i = 0; i < value.length && !problems.isFull; i += 1) {
    const one = convertValue(m, value[i]);
    if (one instanceof ValueProblem) problems.add(`${m.name}[${i}]`, one);
    else converted.push(one);
  }
  return converted;
}

function convertMember(m: FeatureMember, value: unknown, problems: ProblemList): MemberValue {
  if (value === null) return zeroOf(m); // R14
  if (m.array !== undefined) return arrayOf(m, value, problems);
  const one = convertValue(m, value);
  if (!(one instanceof ValueProblem)) return one;
  problems.add(m.name, one);
  return zeroOf(m);
}

/** All members at the class's defaults, or zero, empty, false where it says none (R14). The same object every time: do not change it. */
export function defaultSettings(feature: FeatureClass): Settings {
  const known = templates.get(feature);
  if (known !== undefined) return known;
  const problems = new ProblemList(feature.name);
  const members = [...feature.members].sort((a, b) => a.wmiDataId - b.wmiDataId);
  const values = members.map((m) => {
    const value = m.default === undefined ? zeroOf(m) : convertMember(m, m.default, problems);
    return typeof value === 'object' ? Object.freeze(value) : value; // every copy of the template shares it
  });
  const template = makeTemplate(
    members.map((m) => m.name),
    values,
  );
  problems.throwIfAny();
  templates.set(feature, template);
  return template;
}

/**
 * Settings from anything a client may send, checked member by member. What is left out takes the class's default; `null`
 * is zero, empty or false (R14), and neither is held against MinValue. 64-bit members take a `bigint`, a safe number or
 * a decimal string. Texts with NUL are refused: a driver that reads to the terminator would see another text than one
 * that reads the count. Lengths are in UTF-16 units.
 *
 * Throws `SETTINGS_INVALID` with the first problem in `place.member`, `expected`, `found` and all of them (at most 100)
 * in `place.problems`.
 */
export function normalizeSettings(
  feature: FeatureClass,
  input: Readonly<Record<string, unknown>>,
): Settings {
  const template = defaultSettings(feature);
  const problems = new ProblemList(feature.name);
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    problems.add('settings', new ValueProblem('an object', shown(input)));
    problems.throwIfAny();
  }
  const settings: Record<string, MemberValue> = { ...template };
  let known = 0;
  for (const m of feature.members) {
    if (!Object.hasOwn(input, m.name)) continue;
    known += 1;
    const value = input[m.name];
    if (value !== undefined) settings[m.name] = convertMember(m, value, problems);
  }
  const names = Object.keys(input);
  if (names.length > known) reportUnknown(feature, template, names, problems);
  problems.throwIfAny();
  return settings;
}

function reportUnknown(
  feature: FeatureClass,
  template: Settings,
  names: readonly string[],
  problems: ProblemList,
): void {
  const candidates = feature.members.map((m) => m.name);
  for (const name of names) {
    if (problems.isFull) return;
    if (Object.hasOwn(template, name)) continue;
    const near = nearestName(name, candidates);
    const hint = near === undefined ? undefined : `did you mean ${near}?`;
    problems.add(name, new ValueProblem(`a member of ${feature.name}`, 'an unknown name', hint));
  }
}

/**
 * Settings as JSON can carry them: 64-bit integers as decimal strings, NaN and infinities (only an extension can have
 * written them) as their names. Members in order.
 */
export function settingsToJson(
  feature: FeatureClass,
  settings: Settings,
): Record<string, JsonSetting> {
  // In the order of declaration; a copy has the members already, so that one named `__proto__` is a member like all.
  let template = jsonTemplates.get(feature);
  if (template === undefined) {
    template = makeTemplate(
      feature.members.map(({ name }) => name),
      feature.members.map(() => ''),
    );
    jsonTemplates.set(feature, template);
  }
  const json = { ...template } as Record<string, JsonSetting>;
  for (const m of feature.members) {
    const value = settings[m.name] ?? zeroOf(m);
    json[m.name] = typeof value === 'object' ? value.map(jsonValue) : jsonValue(value);
  }
  return json;
}

export type JsonSetting = boolean | number | string | readonly (boolean | number | string)[];

function jsonValue(value: ScalarValue): boolean | number | string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}
