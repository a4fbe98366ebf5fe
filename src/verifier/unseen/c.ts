import type { UnseenRule } from '../rule-check.ts';

/** Chapter C: NICs. */
export const UNSEEN_C: readonly UnseenRule[] = [
  { rule: 'C19', because: 'may', reason: 'a permission: lowering MTU breaks nothing' },
  {
    rule: 'C21',
    because: 'inside',
    reason: 'what a driver takes MTU for later cannot be seen without packets',
  },
  { rule: 'C36', because: 'may', reason: 'a permission: a veto of NIC_CREATE breaks nothing' },
  {
    rule: 'C44',
    because: 'packets',
    reason: 'about packets between create and connect: no packets move in this version',
  },
  { rule: 'C45', because: 'may', reason: 'a permission: from NIC_CONNECT on a NIC may be used' },
  {
    rule: 'C47',
    because: 'may',
    reason: 'a permission: with a reference taken before, requests may go on',
  },
  {
    rule: 'C49',
    because: 'packets',
    reason: 'about choosing destinations of packets: no packets move in this version',
  },
  {
    rule: 'C51',
    because: 'inside',
    reason:
      'where a driver keeps its state is its own; that it confuses adapters shows only in packets',
  },
  {
    rule: 'C58',
    because: 'elsewhere',
    reason: 'seen as D33 and D34 for requests, H9 for indications',
  },
  {
    rule: 'C61',
    because: 'packets',
    reason: 'about forwarding packets: no packets move in this version',
  },
];
