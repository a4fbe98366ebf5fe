import type { RuleCheck } from '../../rule-check.ts';
import { e21 } from './e21-issues-no-property-oids.ts';
import { e22 } from './e22-property-untouched.ts';
import { e24 } from './e24-property-id-of-custom-only.ts';
import { e25 } from './e25-forward-foreign-properties.ts';
import { e26 } from './e26-update-what-it-holds.ts';
import { e27 } from './e27-unknown-instance-of-the-switch.ts';
import { e28 } from './e28-capture-and-filter-forward-properties.ts';
import { e29 } from './e29-forwarding-extension-completes-its-own.ts';
import { e30 } from './e30-forward-standard-properties.ts';
import { e32 } from './e32-let-security-pass.ts';
import { e34 } from './e34-too-short-a-property.ts';
import { e36 } from './e36-capture-vetoes-no-property.ts';
import { e37 } from './e37-drop-what-failed-below.ts';
import { e38 } from './e38-gone-with-the-port.ts';
import { e46 } from './e46-preset-the-enumeration.ts';
import { e47 } from './e47-forward-enumerations.ts';

/** Chapter E: policies. */
export const CHAPTER_E: readonly RuleCheck[] = [
  e21,
  e22,
  e24,
  e25,
  e26,
  e27,
  e28,
  e29,
  e30,
  e32,
  e34,
  e36,
  e37,
  e38,
  e46,
  e47,
];
