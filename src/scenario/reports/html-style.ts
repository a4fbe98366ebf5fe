import { PAGE_STYLE } from '../../core/page-style.ts';

/** Style sheet of the HTML report. */
export const STYLE = `${PAGE_STYLE}.timeline { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; font-size: 12px; }
h2.passed::before, nav .passed::before { content: '✓ '; } h2.failed::before, nav .failed::before { content: '✗ '; }
nav ol { columns: 24rem auto; list-style-position: inside; padding: 0; } nav a { color: inherit; }
.notRun { color: var(--dim); } .expected { color: var(--warn); }
.failure { background: var(--bad-bg); color: var(--bad); padding: .6rem .8rem; white-space: pre-wrap; border-radius: 4px; }
.diff td, .diff th { padding: .15rem .6rem; text-align: left; border-bottom: 1px solid var(--line); }
.diff .lost { color: var(--bad); } .diff .unexpected { color: var(--good); }
.timeline { min-width: 60rem; width: 100%; }
.timeline th { background: var(--head); border: 1px solid var(--line); padding: .2rem .5rem; font-weight: 600; }
.timeline td { padding: .08rem .5rem; vertical-align: top; }
.timeline .time { color: var(--dim); text-align: right; width: 4rem; }
.timeline .lane { border-left: 1px solid var(--line); white-space: nowrap; }
.timeline .way { border-left: 1px solid var(--line); color: var(--dim); white-space: nowrap; }
.oid { background: var(--lane); color: var(--lane-fg); border-radius: 3px; padding: 0 .35rem; }
.oid.query, .oid.indication { background: var(--query); }
.status { color: var(--good); font-weight: 500; } .bad .status, .veto { color: var(--bad); font-weight: 600; }
.bad { background: var(--bad-bg); } .bad .oid { background: var(--bad); color: var(--bg); }
.step td { padding-top: .7rem; font: 600 13px/1.4 system-ui, sans-serif; border-bottom: 1px solid var(--line); color: var(--fg); }
.step.failed td { color: var(--bad); } .step .message { font-weight: 400; white-space: pre-wrap; color: var(--dim); }
.step.failed .message { color: var(--bad); }
.depth1 td + td { padding-left: 1.5rem; } .depth2 td + td { padding-left: 3rem; } .depth3 td + td { padding-left: 4.5rem; }
.event td { color: var(--dim); } .finding td { color: var(--warn); } .finding.error td { color: var(--bad); font-weight: 600; }
.page { border-bottom: 1px solid var(--line); } .page[open] { padding-bottom: 1.5rem; }
.page > summary { margin: 0; padding: .25rem 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.page .lines { display: inline-block; min-width: 18rem; color: var(--dim); font-variant-numeric: tabular-nums; }
`;
