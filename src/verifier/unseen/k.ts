import type { UnseenRule } from '../rule-check.ts';

/** Chapter K: built-in components. */
export const UNSEEN_K: readonly UnseenRule[] = [
  {
    rule: 'K7',
    because: 'inside',
    reason: 'callouts of the filtering platform are no extensions and are not simulated',
  },
  {
    rule: 'K8',
    because: 'inside',
    reason: 'callouts of the filtering platform are no extensions and are not simulated',
  },
  {
    rule: 'K9',
    because: 'inside',
    reason: 'callouts of the filtering platform are no extensions and are not simulated',
  },
  {
    rule: 'K10',
    because: 'inside',
    reason: 'callouts of the filtering platform are no extensions and are not simulated',
  },
  { rule: 'K15', because: 'packets', reason: 'about packets: no packets move in this version' },
  { rule: 'K16', because: 'packets', reason: 'about packets: no packets move in this version' },
  { rule: 'K17', because: 'packets', reason: 'about packets: no packets move in this version' },
  { rule: 'K18', because: 'packets', reason: 'about packets: no packets move in this version' },
];
