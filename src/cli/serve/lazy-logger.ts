import { createRequire } from 'node:module';
import type { BaseLogger, Logger, LoggerOptions } from 'pino';
import type { Output } from '../terminal.ts';

type LogMethod = BaseLogger['info'];
type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const SEVERITY: Readonly<Record<string, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: 70,
};

/** What the server logs through. */
export interface ServerLogger extends Record<Level | 'silent', LogMethod> {
  level: string;
  child(bindings: Readonly<Record<string, unknown>>): ServerLogger;
}

/**
 * A pino logger that is loaded with its first message: pino costs a tenth of the time a server needs to be ready, and a
 * server with nothing to tell needs none. JSON lines go to standard error, through pino's own writer when that is the process's.
 */
export function createLazyLogger(level: string, stderr: Output): ServerLogger {
  let root: Logger | undefined;
  const load = (): Logger => {
    if (root !== undefined) return root;
    const require = createRequire(import.meta.url);
    const { pino } = require('pino') as typeof import('pino');
    const options: LoggerOptions = { level, base: { pid: process.pid } };
    const isOwn = (stderr as unknown) === process.stderr;
    root = isOwn
      ? pino(options, pino.destination(2))
      : pino(options, { write: (text) => stderr.write(text) });
    return root;
  };
  return facade(level, load);
}

function facade(level: string, load: () => Logger): ServerLogger {
  const least = SEVERITY[level] ?? 30;
  const method = (name: Level): LogMethod => {
    if ((SEVERITY[name] ?? 0) < least) return () => {};
    return (...given: unknown[]) => {
      const logger = load();
      (logger[name] as (...of: unknown[]) => void).apply(logger, given);
    };
  };
  return {
    level,
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    silent: () => {},
    child: (bindings) => {
      let made: Logger | undefined;
      return facade(level, () => {
        made ??= load().child(bindings);
        return made;
      });
    },
  };
}
