import t from 'tap';
import { createLazyLogger } from '../../src/cli/serve/lazy-logger.ts';

function collect(level: string) {
  const lines: string[] = [];
  const stderr = {
    write: (text: string) => {
      lines.push(text);
      return true;
    },
  };
  return { logger: createLazyLogger(level, stderr), parsed: () => lines.map((l) => JSON.parse(l)) };
}

t.test('messages at and above the level are pino JSON lines, the others nothing', async (t) => {
  const { logger, parsed } = collect('warn');
  t.equal(logger.level, 'warn');
  logger.trace('no');
  logger.debug('no');
  logger.info({ a: 1 }, 'no');
  logger.warn({ a: 1 }, 'slow %d', 5);
  logger.error({ err: new Error('bad') }, 'failed');
  logger.fatal('over');
  logger.silent('no');
  t.match(parsed(), [
    { level: 40, a: 1, msg: 'slow 5', pid: process.pid },
    { level: 50, msg: 'failed', err: { message: 'bad', type: 'Error' } },
    { level: 60, msg: 'over' },
  ]);
  t.equal(parsed().length, 3);
});

t.test('a child adds its bindings', async (t) => {
  const { logger, parsed } = collect('trace');
  const child = logger.child({ world: 'w1' });
  child.trace('one');
  child.child({ switch: 's' }).info('two');
  child.debug('three');
  t.match(parsed(), [
    { level: 10, world: 'w1', msg: 'one' },
    { level: 30, world: 'w1', switch: 's', msg: 'two' },
    { level: 20, world: 'w1', msg: 'three' },
  ]);
});

t.test('silent says nothing', async (t) => {
  const silent = collect('silent');
  silent.logger.fatal('no');
  t.strictSame(silent.parsed(), []);
});
