import t from 'tap';
import { FAULTS, TWO_FAULTS } from './faults.ts';
import { playAll, skipChaos } from './play-all.ts';

/* NATS servers that are killed, stopped, cut off and full, and two faults at once; one round each. More of them: npm run chaos. */

t.test('NATS servers that die, stop, are cut off or full lose nothing', { skip: skipChaos }, (t) =>
  playAll(t, [...FAULTS.filter(({ name }) => !/\bhosts?\b|migration/.test(name)), TWO_FAULTS]),
);
