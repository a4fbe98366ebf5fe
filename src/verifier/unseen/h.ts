import type { UnseenRule } from '../rule-check.ts';

/** Chapter H: status indications. */
export const UNSEEN_H: readonly UnseenRule[] = [
  { rule: 'H10', because: 'inside', reason: 'SourceHandle is filled in by the SDK' },
  {
    rule: 'H15',
    because: 'may',
    reason: 'a permission: where a driver learns of virtual functions breaks nothing',
  },
];
