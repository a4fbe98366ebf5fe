import type { Terminal } from './terminal.ts';

const FRAMES = ['-', '\\', '|', '/'];
const SHOW_AFTER_MS = 1000;
const FRAME_MS = 120;

/** Runs `work`; on a terminal, what lasts over a second shows that it goes on, on standard error. */
export async function withProgress<T>(
  terminal: Terminal,
  label: string,
  work: () => Promise<T>,
): Promise<T> {
  const { stderr } = terminal;
  if (stderr.isTTY !== true) return work();
  const begun = Date.now();
  let frame = 0;
  const timer = setInterval(() => {
    const elapsedMs = Date.now() - begun;
    if (elapsedMs < SHOW_AFTER_MS) return;
    frame += 1;
    const sign = FRAMES[frame % FRAMES.length] ?? '';
    stderr.write(`\r\u001b[K${sign} ${label} ${Math.floor(elapsedMs / 1000)} s`);
  }, FRAME_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (frame > 0) stderr.write('\r\u001b[K');
  }
}
