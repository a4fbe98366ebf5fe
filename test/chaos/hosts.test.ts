import t from 'tap';
import { FAULTS } from './faults.ts';
import { playAll, skipChaos } from './play-all.ts';

/* Hosts that are killed, stopped and cut off; one round each. More of them: npm run chaos. */

t.test('hosts of a cluster that die, stop and are cut off lose nothing', { skip: skipChaos }, (t) =>
  playAll(
    t,
    FAULTS.filter(({ name }) => /\bhosts?\b|migration/.test(name)),
  ),
);
