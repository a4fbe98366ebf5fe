import t from 'tap';
import { FAULTS, TWO_FAULTS } from './faults.ts';
import { playAll, skipChaos } from './play-all.ts';

/*
 * NATS servers that are killed, stopped, cut off and full, and two faults at once, one round each while there is time for it. The order
 * is the seed's, so that every fault has its turn; more of them: npm run chaos.
 */

// A round may wait for an election, a lease and a client's own limit; without a load it takes some 10 s.
t.setTimeout(300_000);

t.test('NATS servers that die, stop, are cut off or full lose nothing', { skip: skipChaos }, (t) =>
  playAll(t, [...FAULTS.filter(({ name }) => !/\bhosts?\b|migration/.test(name)), TWO_FAULTS]),
);
