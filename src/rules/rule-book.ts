import { CHAPTER_A } from './tables/chapter-a.ts';
import { CHAPTER_B } from './tables/chapter-b.ts';
import { CHAPTER_C } from './tables/chapter-c.ts';
import { CHAPTER_D } from './tables/chapter-d.ts';
import { CHAPTER_E } from './tables/chapter-e.ts';
import { CHAPTER_F } from './tables/chapter-f.ts';
import { CHAPTER_G } from './tables/chapter-g.ts';
import { CHAPTER_H } from './tables/chapter-h.ts';
import { CHAPTER_I } from './tables/chapter-i.ts';
import { CHAPTER_J } from './tables/chapter-j.ts';
import { CHAPTER_K } from './tables/chapter-k.ts';
import { OPEN_POINTS } from './tables/open-points.ts';
import type { OpenPointRow, RuleForce, RuleKind, RuleRow } from './tables/row.ts';

export { OPEN_POINTS, type OpenPointRow, type RuleForce, type RuleKind, type RuleRow };

/** One chapter of the rule book. */
export interface Chapter {
  readonly letter: string;
  readonly title: string;
  readonly rules: readonly RuleRow[];
}

/** The rule book: rules for a virtual switch runtime, its management layer and its extensions, chapter by chapter. */
export const CHAPTERS: readonly Chapter[] = [
  { letter: 'A', title: 'Components and driver stack', rules: CHAPTER_A },
  { letter: 'B', title: 'Ports', rules: CHAPTER_B },
  { letter: 'C', title: 'NICs (network adapter connections)', rules: CHAPTER_C },
  { letter: 'D', title: 'OID control path', rules: CHAPTER_D },
  { letter: 'E', title: 'Policies: port and switch properties', rules: CHAPTER_E },
  { letter: 'F', title: 'Feature status queries', rules: CHAPTER_F },
  { letter: 'G', title: 'Save, restore, live migration', rules: CHAPTER_G },
  { letter: 'H', title: 'Status indications', rules: CHAPTER_H },
  { letter: 'I', title: 'Data path', rules: CHAPTER_I },
  { letter: 'J', title: 'Querying configuration', rules: CHAPTER_J },
  { letter: 'K', title: 'Built-in components: WFP, HNV, default forwarding', rules: CHAPTER_K },
];

/** All rules, in the order of the book. */
export const RULES: readonly RuleRow[] = CHAPTERS.flatMap((chapter) => chapter.rules);

const BY_ID = new Map(RULES.map((rule) => [rule.id, rule]));

/** The rule with this id, e.g. `E16`; undefined when the book has none. */
export function findRule(id: string): RuleRow | undefined {
  return BY_ID.get(id);
}
