/** What every page of a report shares; light and dark follow the reader's system. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --bg: #fff; --fg: #1c2126; --dim: #69727c; --line: #d9dee3; --head: #f1f4f7;
  --good: #14732f; --bad: #b3261e; --bad-bg: #fdecea; --warn: #8a5a00; --lane: #e7f0fb; --lane-fg: #12407a; --query: #efe9f9; }
@media (prefers-color-scheme: dark) { :root { --bg: #14171a; --fg: #e4e7ea; --dim: #98a2ac; --line: #333a41; --head: #1e2328;
  --good: #6fce89; --bad: #ff8a80; --bad-bg: #3a1917; --warn: #e5b567; --lane: #1b2c42; --lane-fg: #a9cbf7; --query: #2b2440; } }
body { margin: 0 auto; padding: 1rem 1.5rem 4rem; max-width: 96rem; background: var(--bg); color: var(--fg);
  font: 14px/1.45 system-ui, sans-serif; }
header { display: flex; gap: 1rem; align-items: baseline; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 2.5rem 0 .25rem; border-top: 1px solid var(--line); padding-top: 1rem; }
code, pre { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; font-size: 12px; }
.passed { color: var(--good); } .failed { color: var(--bad); }
summary { cursor: pointer; margin: .4rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
.facts { color: var(--dim); }
`;
