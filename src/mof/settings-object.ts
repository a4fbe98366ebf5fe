import type { MemberValue } from './feature-class.ts';
import type { Settings } from './settings.ts';

/**
 * An object with the given members in order, all set to `initial`'s values. Its fields take values of any type: a field
 * that has only ever held small integers would change the hidden class of every copy at its first large one. Members may
 * be called anything, `__proto__` too.
 */
export function makeTemplate(names: readonly string[], values: readonly MemberValue[]): Settings {
  const template: Record<string, MemberValue> = {};
  for (const name of names) {
    Object.defineProperty(template, name, {
      value: '',
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  const general: readonly (readonly MemberValue[])[] = [names.map(() => 0), names.map(() => 0.5)];
  for (const row of [...general, values]) storeAll(template, names, row);
  return template;
}

/**
 * Stores `values[i]` in the existing member `names[i]`. Each of the first sixteen has a statement, and so an inline cache,
 * of its own: four times as quick as a loop while few classes are in use, and no slower with many.
 */
export function storeAll(
  target: Record<string, MemberValue>,
  names: readonly string[],
  values: readonly MemberValue[],
): void {
  const count = names.length;
  if (count > 0) target[names[0] as string] = values[0] as MemberValue;
  if (count > 1) target[names[1] as string] = values[1] as MemberValue;
  if (count > 2) target[names[2] as string] = values[2] as MemberValue;
  if (count > 3) target[names[3] as string] = values[3] as MemberValue;
  if (count > 4) target[names[4] as string] = values[4] as MemberValue;
  if (count > 5) target[names[5] as string] = values[5] as MemberValue;
  if (count > 6) target[names[6] as string] = values[6] as MemberValue;
  if (count > 7) target[names[7] as string] = values[7] as MemberValue;
  if (count <= 8) return;
  if (count > 8) target[names[8] as string] = values[8] as MemberValue;
  if (count > 9) target[names[9] as string] = values[9] as MemberValue;
  if (count > 10) target[names[10] as string] = values[10] as MemberValue;
  if (count > 11) target[names[11] as string] = values[11] as MemberValue;
  if (count > 12) target[names[12] as string] = values[12] as MemberValue;
  if (count > 13) target[names[13] as string] = values[13] as MemberValue;
  if (count > 14) target[names[14] as string] = values[14] as MemberValue;
  if (count > 15) target[names[15] as string] = values[15] as MemberValue;
  for (let i = 16; i < count; i += 1) target[names[i] as string] = values[i] as MemberValue;
}
