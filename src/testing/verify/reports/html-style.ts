import { PAGE_STYLE } from '../../../core/page-style.ts';
import type { CoverageGroup } from './coverage.ts';

const COLOURS: Readonly<Record<CoverageGroup['key'], string>> = {
  broken: 'var(--bad)',
  consequence: 'var(--came)',
  kept: 'var(--good)',
  notExercised: 'var(--warn)',
  packets: 'var(--packets)',
  inside: 'var(--dim)',
  may: 'var(--may)',
  elsewhere: 'var(--as)',
  unchecked: 'var(--line)',
};

/** Style sheet of the HTML report. The choice above the rules works without a script: a radio button that hides rows. */
export function styleOf(groups: readonly CoverageGroup[]): string {
  const filters = groups
    .map(
      ({ key }) =>
        `#show-${key}:checked ~ .scroll tr.rule:not(.${key}), #show-${key}:checked ~ .scroll tbody:not(:has(.${key})) { display: none; }
.swatch.${key} { background: ${COLOURS[key]}; }`,
    )
    .join('\n');
  return `${PAGE_STYLE}
:root { --packets: #4a6fa5; --may: #8d7bb5; --as: #3f8f8a; --came: #d98c84; } @media (prefers-color-scheme: dark) { :root { --packets: #7da2d6; --may: #a897cc; --as: #6fc0ba; --came: #8f4a44; } }
body { max-width: 72rem; }
header { flex-wrap: wrap; gap: .25rem 1rem; } h1 { margin: 0; } header p { margin: 0; font-weight: 600; }
h1, h3, p, dd, td { overflow-wrap: anywhere; }
.bar { display: flex; height: .9rem; border-radius: 4px; overflow: hidden; margin: 1rem 0 .5rem; gap: 1px; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: 0; list-style: none; }
.swatch { display: inline-block; } .legend .swatch { width: .7rem; height: .7rem; border-radius: 2px; margin-right: .4rem; }
.one { border: 1px solid var(--line); border-left: 4px solid var(--dim); border-radius: 4px; padding: .2rem 1rem .8rem; margin: 1rem 0; }
.one.error { border-left-color: var(--bad); } .one.warning { border-left-color: var(--warn); }
.one h3 { font-size: 1rem; margin: .6rem 0; white-space: pre-wrap; } .one h3 b { margin-right: .6rem; }
.error h3 b { color: var(--bad); } .warning h3 b { color: var(--warn); } .info h3 b { color: var(--dim); }
.one pre { background: var(--head); padding: .6rem .8rem; overflow-x: auto; border-radius: 4px; } pre mark { background: var(--bad); color: var(--bg); }
details { margin: .5rem 0 0; } details li { overflow-wrap: anywhere; margin: .15rem 0; } details ul { padding-left: 1.2rem; margin: .3rem 0; } summary { cursor: pointer; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: .5rem 0 0; } dt { color: var(--dim); } dd { margin: 0; }
[name=show] { position: absolute; opacity: 0; }
.filter { display: inline-block; margin: .1rem .2rem .4rem 0; padding: .1rem .7rem; border: 1px solid var(--line); border-radius: 1rem; cursor: pointer; white-space: nowrap; }
[name=show]:checked + .filter { background: var(--fg); color: var(--bg); } [name=show]:focus-visible + .filter { outline: 2px solid var(--lane-fg); outline-offset: 2px; }
table { width: 100%; } td, th { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td.id, td.how { white-space: nowrap; } td.how .swatch { width: .6rem; height: .6rem; border-radius: 2px; margin-right: .4rem; }
tr.chapter th { background: var(--head); } td .reason { color: var(--dim); margin: .2rem 0 0; }
td.num { text-align: right; }
@media (max-width: 40rem) { body { padding: 1rem .75rem 3rem; } dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; }
  .rules td.how { white-space: normal; } td, th { padding: .3rem; } .rules thead { display: none; }
  .rules tr.rule { display: grid; grid-template-columns: 1fr auto; } .rules tr.rule td { border: 0; } .rules tr.rule td.text { grid-column: 1 / 3; border-bottom: 1px solid var(--line); } }
${filters}
`;
}
