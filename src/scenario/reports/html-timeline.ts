import { html } from '../../core/html-text.ts';
import type { EventLine, OidLine, StepLine, TimelineLine } from '../recorder.ts';
import { Lanes } from './html-lanes.ts';
import { isRefused, pagesOf, type TimelinePage, titleOfPage } from './html-pages.ts';
import type { ShownTimeline } from './shown-timeline.ts';

const short = (name: string): string => name.replace(/^(?:OID_SWITCH_|NDIS_STATUS_)/, '');

/**
 * What happened, as a table: time downwards, a lane for each host's switches and ports, steps as headings. A long one is in pages
 * that are folded, but for those in which a step failed: a browser lays out only what is open. Of one that passed a very long one
 * is shortened.
 */
export function timelineHtml(shown: ShownTimeline): string {
  const { first: timeline, leftOut, last } = shown;
  const lanes = new Lanes([...timeline, ...last]);
  if (leftOut > 0) return shortenedHtml(shown, lanes);
  const pages = pagesOf(timeline);
  if (pages.length === 1) return tableHtml(timeline, lanes);
  const count = `<p class="facts">${timeline.length} lines on ${pages.length} pages; each opens with a click.</p>`;
  return `${count}\n${pages.map((page) => pageHtml(page, lanes)).join('\n')}`;
}

/** A passed scenario that was long: how it began and how it ended. */
function shortenedHtml({ first, leftOut, last }: ShownTimeline, lanes: Lanes): string {
  const all = first.length + leftOut + last.length;
  const facts = `<p class="facts">The first ${first.length} and the last ${last.length} of ${all} lines: it passed. With <code>--all-lines</code> the report has every one.</p>`;
  const gap = `<p class="facts">… ${leftOut} lines left out …</p>`;
  return [facts, tableHtml(first, lanes), gap, tableHtml(last, lanes)].join('\n');
}

function pageHtml(page: TimelinePage, lanes: Lanes): string {
  const { text, steps, failed, refused } = titleOfPage(page);
  const notes = [
    ...(failed === 0 ? [] : [`<b class="failed">${failed} failed</b>`]),
    ...(refused === 0 ? [] : [`<b class="expected">${refused} refused</b>`]),
  ].join(' ');
  const summary = `<summary><span class="lines">${html(text)}</span> ${html(steps)} ${notes}</summary>`;
  const isOpen = failed === 0 ? '' : ' open';
  return `<details class="page"${isOpen}>${summary}${tableHtml(page.lines, lanes)}</details>`;
}

function tableHtml(lines: readonly TimelineLine[], lanes: Lanes): string {
  const width = lanes.all.length + 2;
  const rows = lines.map((line) => {
    if (line.kind === 'step') return stepRow(line, width);
    return line.kind === 'oid' ? oidRow(line, lanes) : eventRow(line, width);
  });
  return `<div class="scroll"><table class="timeline">\n<thead>${headRows(lanes)}</thead>\n<tbody>\n${rows.join('\n')}\n</tbody></table></div>`;
}

function headRows(lanes: Lanes): string {
  const head = (level: string, pick: Parameters<Lanes['spans']>[0]): string =>
    lanes
      .spans(pick)
      .map(({ text, span }) => `<th class="${level}" colspan="${span}">${html(text)}</th>`)
      .join('');
  const ports = lanes.all
    .map(
      ({ portId }) => `<th class="port">${portId === undefined ? 'switch' : `port ${portId}`}</th>`,
    )
    .join('');
  return [
    `<tr><th class="time" rowspan="3">ms</th>${head('host', ({ host }) => host)}<th rowspan="3">way and result</th></tr>`,
    `<tr>${head('switch', (lane) => lane.switch)}</tr>`,
    `<tr>${ports}</tr>`,
  ].join('');
}

function stepRow({ title, depth, time, state, message }: StepLine, width: number): string {
  const mark = state === 'failed' ? '✗' : '▸';
  const note = message === undefined ? '' : `<div class="message">${html(message)}</div>`;
  return `<tr class="step ${state} depth${Math.min(depth, 3)}"><td class="time">${time}</td><td colspan="${width - 1}">${mark} ${html(title)}${note}</td></tr>`;
}

function oidRow(line: OidLine, lanes: Lanes): string {
  const at = lanes.of(line);
  const isBad = isRefused(line);
  const port =
    lanes.all[at]?.portId === undefined && line.portId !== undefined ? ` ${line.portId}` : '';
  const title = `${line.oid} ${line.requestType} from ${line.origin}`;
  const name = `<span class="oid ${line.requestType}" title="${html(title)}">${html(short(line.oid))}${port}</span>`;
  const cells = lanes.all
    .map((_lane, i) => `<td class="lane">${i === at ? name : ''}</td>`)
    .join('');
  const way = line.route
    .filter(({ module }) => module !== 'protocolEdge')
    .map(({ module, verdict }) => {
      const isVerdict = verdict !== 'forward' && verdict !== 'NDIS_STATUS_SUCCESS';
      const text = isVerdict ? `${module}: ${short(verdict)}` : module;
      return `<span class="${isVerdict && isBad ? 'veto' : ''}">${html(text)}</span>`;
    })
    .join(' → ');
  // A veto has been named with the one who did it.
  const isSaid = line.route.at(-1)?.verdict === line.status && isBad;
  const result = isSaid ? '' : `<b class="status">${html(short(line.status))}</b>`;
  return `<tr class="request${isBad ? ' bad' : ''}"><td class="time">${line.time}</td>${cells}<td class="way">${way} ${result}</td></tr>`;
}

/** Ids say nothing to a person; the JSON report has them. */
const ID = /[0-9a-f]{8}-[0-9a-f]{4}-/i;

function eventRow({ host, switch: sw, time, type, data }: EventLine, width: number): string {
  const { event, message, severity, ...facts } = data;
  const where = sw === undefined ? host : `${host} / ${sw}`;
  const text =
    type === 'finding'
      ? `${String(severity)} ${String(data['rule'])}: ${String(message)}`
      : `${String(event)} ${Object.entries(facts)
          .filter(([, value]) => typeof value !== 'object' && !ID.test(String(value)))
          .map(([name, value]) => `${name}=${String(value)}`)
          .join(' ')}`;
  const tone = type === 'finding' ? `finding ${String(severity)}` : 'event';
  return `<tr class="${html(tone)}"><td class="time">${time}</td><td colspan="${width - 1}"><i>${html(where)}</i> ${html(text)}</td></tr>`;
}
