import type { UnseenRule } from '../rule-check.ts';

/** Chapter G: save, restore, migration. */
export const UNSEEN_G: readonly UnseenRule[] = [
  {
    rule: 'G21',
    because: 'may',
    reason: 'a permission: the completion of SAVE_COMPLETE may be watched',
  },
  {
    rule: 'G35',
    because: 'inside',
    reason: 'the SDK hands out copies; only a native driver can keep a pointer into the buffer',
  },
  {
    rule: 'G43',
    because: 'inside',
    reason:
      'where a driver reserves resources cannot be seen from outside; that it refuses too early is B49, too late B48',
  },
];
