import type { UnseenRule } from '../rule-check.ts';

/** Chapter J: queries. */
export const UNSEEN_J: readonly UnseenRule[] = [
  {
    rule: 'J9',
    because: 'inside',
    reason:
      'the SDK steps through arrays; only a driver that reads the bytes itself can step by another size',
  },
  {
    rule: 'J10',
    because: 'inside',
    reason: 'the SDK repeats a query with room; what a driver does with INVALID_LENGTH is its own',
  },
  {
    rule: 'J12',
    because: 'elsewhere',
    reason: 'seen as A70 when it asks too early, A73 when it does not merge',
  },
  {
    rule: 'J13',
    because: 'packets',
    reason: 'about destinations of packets: no packets move in this version',
  },
  {
    rule: 'J14',
    because: 'inside',
    reason: 'how a driver keeps queries and changes apart is its own; what it loses shows as J11',
  },
];
