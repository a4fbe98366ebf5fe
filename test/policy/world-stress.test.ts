import t from 'tap';
import { stress } from './world-stress.ts';

const FIRST = 1;
const RUNS = 20;
const STEPS = 30;

t.test(
  'worlds under seeded stress: all or nothing, and management, extensions and store agree',
  async (t) => {
    let changes = 0;
    let refused = 0;
    for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) {
      const report = await stress(seed, STEPS);
      t.same(report.problems, [], `seed ${seed}`);
      changes += report.changes;
      refused += report.refused;
    }
    t.ok(changes > RUNS * STEPS, `${changes} changes`);
    t.ok(refused > changes / 10 && refused < (changes * 9) / 10, `${refused} of them refused`);
  },
);
