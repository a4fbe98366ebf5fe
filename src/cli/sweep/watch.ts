import type { SweepOptions } from '../../testing/index.ts';
import { harmless, type Terminal } from '../terminal.ts';

/** Real milliseconds between two lines where nobody watches, as in CI. */
const LINE_EVERY_MS = 30_000;
const MINUTE_MS = 60_000;

/** Tells on standard error how far a sweep is and what it will take: on a terminal in one line, elsewhere a line now and then. */
export function watchOf({ stderr }: Terminal): {
  readonly progress: NonNullable<SweepOptions['progress']>;
  /** A line that stays. */
  readonly say: (line: string) => void;
  readonly end: () => void;
} {
  const isWatched = stderr.isTTY === true;
  let toldAt = performance.now();
  const clear = (): void => {
    if (isWatched) stderr.write('\r\u001b[K');
  };
  return {
    say: (line) => {
      clear();
      stderr.write(`${line}\n`);
    },
    progress: ({ subject, fault, played, known, mishandled, leftMs }) => {
      const bad = mishandled === 0 ? '' : `, ${mishandled} mishandled`;
      const left = leftMs === undefined ? '' : `, about ${duration(leftMs)} left`;
      const line = `${played + 1} of ${known} faults${bad}${left}`;
      if (isWatched) {
        const whole = harmless(`${line}  ${subject}: ${fault}`);
        stderr.write(`\r\u001b[K${whole.slice(0, (stderr.columns ?? 80) - 1)}`);
        return;
      }
      if (performance.now() - toldAt < LINE_EVERY_MS) return;
      toldAt = performance.now();
      stderr.write(`${harmless(line)}\n`);
    },
    end: clear,
  };
}

/** For people: nobody plans by the second. */
function duration(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.max(1, Math.round(ms / 1000))} s`;
  const minutes = Math.round(ms / MINUTE_MS);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
