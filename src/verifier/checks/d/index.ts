import type { RuleCheck } from '../../rule-check.ts';
import { d4 } from './d4-received-data-untouched.ts';
import { d5 } from './d5-counters-of-who-completes.ts';
import { d6 } from './d6-complete-exactly-once.ts';
import { d8 } from './d8-no-completion-after-an-answer.ts';
import { d11 } from './d11-check-what-was-received.ts';
import { d12 } from './d12-forward-an-empty-set.ts';
import { d13 } from './d13-forward-what-it-does-not-know.ts';
import { d14 } from './d14-watch-the-completion.ts';
import { d23 } from './d23-fails-only-what-it-may.ts';
import { d30 } from './d30-keep-the-source.ts';
import { d31 } from './d31-redirect-in-a-request-of-its-own.ts';
import { d32 } from './d32-destination-is-an-adapter.ts';
import { d33 } from './d33-reference-the-partition.ts';
import { d34 } from './d34-reference-the-adapter.ts';
import { d35 } from './d35-forward-nic-requests-inside.ts';
import { d36 } from './d36-originate-queries-only.ts';
import { d38 } from './d38-in-the-place-of-the-original.ts';
import { d39 } from './d39-frees-what-it-allocated.ts';
import { d40 } from './d40-releases-always-pass.ts';
import { d41 } from './d41-only-forwarding-extensions-refuse-hardware.ts';
import { d42 } from './d42-ipsec-always-passes.ts';

/** Chapter D: the OID path. */
export const CHAPTER_D: readonly RuleCheck[] = [
  d4,
  d5,
  d6,
  d8,
  d11,
  d12,
  d13,
  d14,
  d23,
  d30,
  d31,
  d32,
  d33,
  d34,
  d35,
  d36,
  d38,
  d39,
  d40,
  d41,
  d42,
];
