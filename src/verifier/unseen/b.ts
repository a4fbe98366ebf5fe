import type { UnseenRule } from '../rule-check.ts';

/** Chapter B: ports. */
export const UNSEEN_B: readonly UnseenRule[] = [
  {
    rule: 'B12',
    because: 'inside',
    reason:
      'the SDK hands names over decoded; only a driver that reads the bytes itself can take a counted string for a terminated one',
  },
  { rule: 'B27', because: 'may', reason: 'a permission: a veto of PORT_CREATE breaks nothing' },
  {
    rule: 'B31',
    because: 'packets',
    reason: 'about destinations of packets: no packets move in this version',
  },
  {
    rule: 'B32',
    because: 'inside',
    reason:
      'what a driver caches about a port is its own; what it does with it afterwards is B33, B37 and B39',
  },
  { rule: 'B41', because: 'may', reason: 'a permission: a reference may race with a teardown' },
  {
    rule: 'B50',
    because: 'inside',
    reason: 'allocations of a driver cannot be counted from outside',
  },
  { rule: 'B51', because: 'may', reason: 'a permission: validation ports may be passed on unseen' },
];
