import { hostname } from 'node:os';
import { delimiter, resolve } from 'node:path';
import { describe, isClusterAddress, parseClusterAddress } from '../../cluster/address.ts';
import { ExtSwitchError, isExtSwitchError } from '../../core/errors.ts';
import type { IsolationOptions } from '../../policy/api.ts';
import type { Invocation } from '../command.ts';
import type { Terminal } from '../terminal.ts';
import { type ConfigFile, readConfigFile } from './config-file.ts';
import { CRASH_ANSWERS, type CrashAnswer } from './stray-errors.ts';

const PROFILES = ['ws2012', 'ws2012r2', 'ws2016', 'ws2019', 'ws2022', 'ws2025'] as const;
const VERIFIER_MODES = ['off', 'observe', 'enforce'] as const;
const PRINTS = ['text', 'json'] as const;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Keys of extswitch.config.{json,yaml}. */
const CONFIG_KEYS = [
  'host',
  'port',
  'store',
  'name',
  'extensions',
  'allowHosts',
  'bundled',
  'token',
  'profile',
  'seed',
  'logLevel',
  'verifier',
  'onCrash',
  'isolate',
  'watchdogMs',
  'memoryMb',
  'print',
] as const;

/** What `serve` runs with. */
export interface ServeSettings {
  readonly host: string;
  /** 0 to 65,535; 0 takes a free one. */
  readonly port: number;
  /** `memory`, an absolute folder, or the address of a cluster. */
  readonly store: string;
  /** The same for people: without credentials. */
  readonly shownStore: string;
  /** Name among the hosts: always in a cluster, else only when it was given. */
  readonly name?: string;
  /** Absolute paths of modules. */
  readonly extensions: readonly string[];
  /** Names beside loopback and `host` that a request's Host header may carry. */
  readonly allowedHosts: readonly string[];
  readonly bundled: boolean;
  readonly token?: string;
  readonly profile: (typeof PROFILES)[number];
  readonly seed?: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly print: (typeof PRINTS)[number];
  /** How the extensions of worlds that do not say are verified. */
  readonly verifier: (typeof VERIFIER_MODES)[number];
  /** What becomes of an extension that throws outside its handlers. */
  readonly onCrash: CrashAnswer;
  /** Extensions that run in worker threads; left out: none. */
  readonly isolate?: IsolationOptions;
}

/** One setting with where it came from, for messages, and the folder its relative paths start at. */
interface Found {
  readonly value: unknown;
  readonly from: string;
  readonly folder: string;
}

/**
 * Settings of `serve`: flag, else environment variable, else settings file, else default (interfaces.md 2). Throws
 * `INVALID_ARGUMENT` naming the place of a wrong value.
 */
export async function readServeSettings(
  call: Invocation,
  terminal: Terminal,
): Promise<ServeSettings> {
  const { env, cwd } = terminal;
  const configPath = call.text('config') ?? (env['EXTSWITCH_CONFIG'] || undefined);
  const file = await readConfigFile(configPath, cwd, CONFIG_KEYS);
  const find = (flag: string, key: string): Found | undefined =>
    findSetting(call, terminal, file, flag, key);
  const token = find('token', 'token');
  const seed = find('seed', 'seed');
  const extensions = listOf(call, terminal, file, EXTENSIONS);
  const store = storeOf(find('store', 'store')) ?? resolve(cwd, '.extswitch');
  const isCluster = isClusterAddress(store);
  const name = nameOf(find('name', 'name')) ?? (isCluster ? legalName(hostname()) : undefined);
  const onCrash = choiceOf(find('on-crash', 'onCrash'), CRASH_ANSWERS);
  const isolate = isolateOf(
    listOf(call, terminal, file, ISOLATE).values,
    wholeOf(find('watchdog-ms', 'watchdogMs'), 1, 3_600_000),
    wholeOf(find('memory-mb', 'memoryMb'), 8, 65_536),
    onCrash,
  );
  const settings: ServeSettings = {
    host: textOf(find('host', 'host')) ?? '127.0.0.1',
    port: portOf(find('port', 'port')) ?? 4630,
    store,
    shownStore: isCluster ? describe(parseClusterAddress(store)) : store,
    ...(name === undefined ? {} : { name }),
    extensions: extensions.values.map((path) => resolve(extensions.folder, path)),
    allowedHosts: listOf(call, terminal, file, ALLOWED_HOSTS).values,
    bundled: bundledOf(call, terminal, file),
    ...(token === undefined ? {} : { token: tokenOf(token) }),
    profile: choiceOf(find('profile', 'profile'), PROFILES) ?? 'ws2022',
    ...(seed === undefined ? {} : { seed: textOf(seed) ?? '' }),
    logLevel:
      choiceOf(find('log-level', 'logLevel'), LOG_LEVELS) ??
      (terminal.stderr.isTTY === true ? 'warn' : 'info'),
    verifier: choiceOf(find('verifier', 'verifier'), VERIFIER_MODES) ?? 'off',
    onCrash: onCrash ?? 'report',
    ...(isolate === undefined ? {} : { isolate }),
    print: call.has('json') ? 'json' : (choiceOf(find('print', 'print'), PRINTS) ?? 'text'),
  };
  return settings;
}

function findSetting(
  call: Invocation,
  { env, cwd }: Terminal,
  file: ConfigFile | undefined,
  flag: string,
  key: string,
): Found | undefined {
  const typed = call.text(flag);
  if (typed !== undefined) return { value: typed, from: `--${flag}`, folder: cwd };
  const variable = `EXTSWITCH_${flag.toUpperCase().replaceAll('-', '_')}`;
  const set = env[variable];
  if (set !== undefined && set !== '') return { value: set, from: variable, folder: cwd };
  return fromFile(file, key);
}

function fromFile(file: ConfigFile | undefined, key: string): Found | undefined {
  const kept = file?.values.get(key);
  if (file === undefined || kept === undefined || kept.value === null) return undefined;
  return { value: kept.value, from: `${file.path}:${kept.line}: ${key}`, folder: file.folder };
}

function textOf(found: Found | undefined): string | undefined {
  if (found === undefined) return undefined;
  const { value } = found;
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number') return String(value);
  throw wrong(found, 'text');
}

function portOf(found: Found | undefined): number | undefined {
  if (found === undefined) return undefined;
  const text = String(found.value);
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw wrong(found, 'a port from 0 to 65535');
}

function wholeOf(found: Found | undefined, min: number, max: number): number | undefined {
  if (found === undefined) return undefined;
  const text = String(found.value);
  const value = /^\d{1,8}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw wrong(found, `a whole number from ${min} to ${max}`);
}

/** What came of an isolated extension that crashed is a restart, unless something else is said. */
function isolateOf(
  names: readonly string[],
  watchdogMs: number | undefined,
  memoryMb: number | undefined,
  onCrash: CrashAnswer | undefined,
): IsolationOptions | undefined {
  if (names.length === 0) return undefined;
  return {
    extensions: names.includes('all') ? 'all' : names,
    ...(watchdogMs === undefined ? {} : { watchdogMs }),
    ...(memoryMb === undefined ? {} : { memoryMb }),
    ...(onCrash === undefined ? {} : { onCrash }),
  };
}

function storeOf(found: Found | undefined): string | undefined {
  const text = textOf(found);
  if (found === undefined || text === undefined) return undefined;
  if (text === 'memory') return text;
  if (isClusterAddress(text)) {
    checkAddress(found, text);
    return text;
  }
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1];
  if (scheme !== undefined && !/^[a-z]:[\\/]/i.test(text)) {
    // What comes after the scheme may hold a password.
    throw wrong(
      { ...found, value: `${scheme}:…` },
      '"memory", a folder or nats://server:port/cluster',
    );
  }
  return resolve(found.folder, text);
}

function checkAddress({ from }: Found, text: string): void {
  try {
    parseClusterAddress(text);
  } catch (error) {
    if (!isExtSwitchError(error)) throw error;
    throw new ExtSwitchError('INVALID_ARGUMENT', `${from}: ${error.message}`, error.place);
  }
}

const NAME = /^[A-Za-z0-9_-]{1,63}$/;

function nameOf(found: Found | undefined): string | undefined {
  const text = textOf(found);
  if (found === undefined || text === undefined || NAME.test(text)) return text;
  throw wrong(found, '1 to 63 letters, digits, "_" and "-"');
}

/** The machine's name as the name of a host: up to its first dot, with `-` for what may not be in one. */
export function legalName(machine: string): string {
  const first = machine.split('.', 1)[0] ?? '';
  return first.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 63) || 'host';
}

function tokenOf(found: Found): string {
  const { value } = found;
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return value;
  throw new ExtSwitchError(
    'INVALID_ARGUMENT',
    `${found.from} must be of visible ASCII characters`,
    {
      member: 'token',
    },
  );
}

function choiceOf<T extends string>(
  found: Found | undefined,
  choices: readonly T[],
): T | undefined {
  if (found === undefined) return undefined;
  const choice = choices.find((each) => each === found.value);
  if (choice === undefined) throw wrong(found, `one of ${choices.join(', ')}`);
  return choice;
}

/** A setting with several values: its flag may stand several times, its variable separates them. */
interface ListSetting {
  readonly flag: string;
  readonly variable: string;
  readonly separator: string;
  readonly key: string;
  readonly what: string;
}

const EXTENSIONS: ListSetting = {
  flag: 'extension',
  variable: 'EXTSWITCH_EXTENSION',
  separator: delimiter,
  key: 'extensions',
  what: 'a list of paths',
};
const ISOLATE: ListSetting = {
  flag: 'isolate',
  variable: 'EXTSWITCH_ISOLATE',
  separator: ',',
  key: 'isolate',
  what: '"all" or a list of names or ids of extensions',
};
const ALLOWED_HOSTS: ListSetting = {
  flag: 'allow-host',
  variable: 'EXTSWITCH_ALLOW_HOST',
  separator: ',',
  key: 'allowHosts',
  what: 'a list of host names',
};

/** Flags replace the variable, which replaces the file, as with every setting; `folder` is where relative paths start. */
function listOf(
  call: Invocation,
  { env, cwd }: Terminal,
  file: ConfigFile | undefined,
  setting: ListSetting,
): { readonly values: readonly string[]; readonly folder: string } {
  if (call.has(setting.flag)) return { values: call.list(setting.flag), folder: cwd };
  const set = env[setting.variable];
  if (set !== undefined && set !== '') return { values: set.split(setting.separator), folder: cwd };
  const found = fromFile(file, setting.key);
  if (found === undefined) return { values: [], folder: cwd };
  const value = setting === ISOLATE && found.value === 'all' ? ['all'] : found.value;
  if (!Array.isArray(value)) throw wrong(found, setting.what);
  const values = value.map((one: unknown) => {
    if (typeof one !== 'string' || one === '') throw wrong(found, setting.what);
    return one;
  });
  return { values, folder: found.folder };
}

function bundledOf(call: Invocation, { env }: Terminal, file: ConfigFile | undefined): boolean {
  if (call.has('no-bundled')) return false;
  const set = env['EXTSWITCH_NO_BUNDLED'];
  if (set !== undefined && set !== '') {
    if (/^(?:1|true|yes)$/i.test(set)) return false;
    if (/^(?:0|false|no)$/i.test(set)) return true;
    const found = { value: set, from: 'EXTSWITCH_NO_BUNDLED', folder: '' };
    throw wrong(found, 'true or false');
  }
  const found = fromFile(file, 'bundled');
  if (found === undefined) return true;
  if (typeof found.value !== 'boolean') throw wrong(found, 'true or false');
  return found.value;
}

function wrong(found: Found, expected: string): ExtSwitchError {
  const shown = JSON.stringify(found.value) ?? 'nothing';
  return new ExtSwitchError(
    'INVALID_ARGUMENT',
    `${found.from} must be ${expected}, found ${shown}`,
    { expected, found: shown },
  );
}
