import { ExtSwitchError } from '../core/errors.ts';
import type { Item } from './client.ts';
import type { Invocation } from './command.ts';
import { parseJson, readInputText } from './input.ts';
import { didYouMean } from './nearest.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** `--settings` or `--file`: all members at once. `undefined` when neither is given. */
export async function wholeSettings(
  call: Invocation,
  terminal: Terminal,
): Promise<Item | undefined> {
  const given = ['set', 'settings', 'file'].filter((flag) => call.has(flag));
  if (given.length > 1) {
    const flags = given.map((flag) => `--${flag}`).join(' and ');
    throw new UsageError(`${flags} cannot be used together`, call.spec.words.join(' '));
  }
  const inline = call.text('settings');
  const file = call.text('file');
  if (inline === undefined && file === undefined) return undefined;
  const text = inline ?? (await readInputText(terminal, file ?? ''));
  const what = inline === undefined ? String(file) : '--settings';
  const settings = parseJson(text, what);
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw new ExtSwitchError('MALFORMED', `${what} must be a JSON object of member: value`);
  }
  return settings as Item;
}

/**
 * `--set NAME=VALUE …` as settings, by the types of the feature class (`GET /features/{id}`). An array is `a,b,c`, a JSON
 * array, or the flag given once an element. Integers go as they are written, so 64 bits lose nothing.
 */
export function assignments(texts: readonly string[], feature: Item): Item {
  const members = feature['members'] as readonly Item[];
  const defaults = (feature['defaults'] ?? {}) as Item;
  const settings: Record<string, unknown> = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals < 1) {
      throw new UsageError(`--set must be NAME=VALUE, found ${JSON.stringify(text)}`);
    }
    const name = text.slice(0, equals);
    const value = text.slice(equals + 1);
    const member = members.findLast((each) => each['name'] === name);
    if (member === undefined && !Object.hasOwn(defaults, name)) {
      const near = didYouMean(name, Object.keys(defaults));
      const message = `${String(feature['name'])} has no member ${JSON.stringify(name)}${near}`;
      throw new ExtSwitchError('SETTINGS_INVALID', message, { member: name });
    }
    const type = String(member?.['type'] ?? '');
    const isArray = Array.isArray(defaults[name]) || /\[\d*\]$/.test(type);
    const scalar = type.replace(/\[\d*\]$/, '');
    if (!isArray) {
      if (Object.hasOwn(settings, name)) throw new UsageError(`--set ${name} is given twice`);
      settings[name] = scalarOf(name, scalar, value);
      continue;
    }
    const before = (settings[name] ?? []) as unknown[];
    settings[name] = [...before, ...elementsOf(name, scalar, value)];
  }
  return settings;
}

function elementsOf(name: string, type: string, value: string): readonly unknown[] {
  if (value.startsWith('[')) return parseJson(value, `--set ${name}`) as unknown[];
  return value === '' ? [] : value.split(',').map((part) => scalarOf(name, type, part));
}

function scalarOf(name: string, type: string, value: string): unknown {
  if (type === 'string' || type === 'datetime' || type === 'char16') return value;
  if (type === 'boolean') {
    const lower = value.toLowerCase();
    if (lower === 'true' || lower === 'false') return lower === 'true';
    throw notOf(name, 'true or false', value);
  }
  if (type === 'real32' || type === 'real64') {
    const number = Number(value);
    if (value.trim() !== '' && Number.isFinite(number)) return number;
    throw notOf(name, 'a number', value);
  }
  if (!/^[+-]?\d+$|^0x[0-9a-f]+$/i.test(value)) throw notOf(name, 'a whole number', value);
  const integer = BigInt(value.replace(/^\+/, ''));
  return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer.toString();
}

function notOf(name: string, expected: string, found: string): ExtSwitchError {
  const message = `${name} must be ${expected}, found ${JSON.stringify(found)}`;
  return new ExtSwitchError('SETTINGS_INVALID', message, { member: name, expected, found });
}
