import { RULES, type RuleRow } from '../rules/rule-book.ts';
import { LEDGER } from '../rules/tables/ledger.ts';
import type { ParityEntry } from './parity.ts';

const GUIDES = 'https://learn.microsoft.com/windows-hardware/drivers/network/';
const REFERENCE = 'https://learn.microsoft.com/windows-hardware/drivers/ddi/';

/** `ns-ntddndis-…`, `nc-ndis-…`: reference pages stand below the name of their header. */
const REFERENCE_PAGE = /^n[cefs]-([a-z]+)-/;

const FOR_EXTENSIONS = 'a rule for extensions; modelled: the switch notices when one breaks it';

/** Every rule of the rule book: kept by the code, proven by a test (docs/reference/rules.md says which). */
export function ruleEntries(): ParityEntry[] {
  return RULES.map((rule) => {
    const row = LEDGER[rule.id];
    const note = rule.kind === 'ext' ? FOR_EXTENSIONS : row?.reason;
    return {
      kind: 'rule',
      name: rule.id,
      modelled: row !== undefined && row.standing !== 'open',
      tested: row?.standing === 'proven',
      source: sourceOf(rule),
      ...(note === undefined ? {} : { note }),
    };
  });
}

/** The first documentation page; where none has it, the header or sample that does. */
function sourceOf(rule: RuleRow): string {
  const page = rule.sources.find((source) => !/\.[ch]$/.test(source)) ?? rule.sources[0] ?? '';
  if (/\.[ch]$/.test(page)) return page;
  const name = page.replace(/\.md$/, '');
  const header = REFERENCE_PAGE.exec(name)?.[1];
  return header === undefined ? GUIDES + name : `${REFERENCE}${header}/${name}`;
}
