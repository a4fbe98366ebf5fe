import type { UnseenRule } from '../rule-check.ts';

/** Chapter F: feature status. */
export const UNSEEN_F: readonly UnseenRule[] = [
  {
    rule: 'F8',
    because: 'inside',
    reason:
      'only the driver knows what the status of a port is; that it answers for the port asked shows in F10',
  },
];
