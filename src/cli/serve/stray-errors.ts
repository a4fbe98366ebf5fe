import type { FabricInterface } from '../../policy/api.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import { firstLine, legible } from '../legible-error.ts';
import { ownerOf } from './error-owner.ts';
import type { ServerLogger } from './lazy-logger.ts';

/** What becomes of an extension that threw where nobody catches: in a timer or an event of its own. */
export const CRASH_ANSWERS = ['report', 'restart', 'disable'] as const;
export type CrashAnswer = (typeof CRASH_ANSWERS)[number];

/** Restarts of one extension in one span of wall milliseconds; one more and it is disabled. */
const RESTARTS = 3;
/** Stacks of one extension that are logged in one span. */
const LOGGED = 10;
const SPAN_MS = 60_000;

export interface StrayErrorOptions {
  readonly answer: CrashAnswer;
  readonly extensions: readonly ExtensionDefinition[];
  readonly logger: ServerLogger;
  worlds(): Iterable<{ readonly name: string; readonly fabric: FabricInterface }>;
  /** What no extension threw: the process cannot be trusted any more. */
  end(error: unknown): void;
}

/**
 * Keeps the process up when an extension throws, or drops a promise that is rejected, outside its handlers (design.md 4): a
 * finding (D6) on every switch it runs on, and the extension is restarted or disabled there. Returns what takes it away.
 */
export function catchStrayErrors(options: StrayErrorOptions): () => void {
  const crashes = new Map<string, number[]>();
  const contain = (owner: ExtensionDefinition, error: unknown, how: string): void => {
    const { worlds, logger, answer } = options;
    const message = `${owner.name} ${how} outside its handlers: ${firstLine(error)}`;
    const lately = countOf(crashes, owner.id);
    if (lately <= LOGGED) logger.error({ err: legible(error), extension: owner.id }, message);
    const next = answer === 'restart' && lately > RESTARTS ? 'disable' : answer;
    for (const { name, fabric } of worlds()) {
      for (const sw of switchesOf(fabric, owner, message)) {
        if (next === 'report') continue;
        const done = turn(fabric, sw, owner.id, next);
        done.then(
          () => logger.warn({ world: name, switch: sw, extension: owner.id }, said(owner, next)),
          (failure: unknown) =>
            logger.error({ err: failure, world: name, switch: sw }, `not done: ${next}`),
        );
      }
    }
  };
  const onException = (error: unknown): void => {
    const owner = ownerOf(error, options.extensions);
    if (owner === undefined) options.end(legible(error));
    else contain(owner, error, 'threw');
  };
  // A promise that an extension dropped must not take the switch down (design.md 4).
  const onRejection = (error: unknown): void => {
    const owner = ownerOf(error, options.extensions);
    if (owner !== undefined) contain(owner, error, 'dropped a promise that was rejected');
    else options.logger.error({ err: legible(error) }, 'a promise was rejected and nobody looked');
  };
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);
  return () => {
    process.off('uncaughtException', onException);
    process.off('unhandledRejection', onRejection);
  };
}

/** None in a world that has lost its lease. */
function switchesOf(
  fabric: FabricInterface,
  { id }: ExtensionDefinition,
  message: string,
): readonly string[] {
  try {
    return fabric.extensions.failed(id, message);
  } catch {
    return [];
  }
}

/** How often lately, with this time. */
function countOf(crashes: Map<string, number[]>, id: string): number {
  const now = performance.now();
  const lately = (crashes.get(id) ?? []).filter((at) => now - at < SPAN_MS);
  lately.push(now);
  crashes.set(id, lately.slice(-LOGGED - 1));
  return lately.length;
}

async function turn(
  { switches }: FabricInterface,
  sw: string,
  id: string,
  how: 'restart' | 'disable',
): Promise<void> {
  const { extensions } = switches.get(sw);
  await extensions.change(id, { enabled: false });
  if (how === 'restart') await extensions.change(id, { enabled: true });
}

const said = ({ name }: ExtensionDefinition, how: 'restart' | 'disable'): string =>
  how === 'restart' ? `${name} was detached and attached anew` : `${name} was disabled`;
