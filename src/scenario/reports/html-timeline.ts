import type { EventLine, OidLine, StepLine, TimelineLine } from '../recorder.ts';
import { Lanes } from './html-lanes.ts';
import { html } from './html-text.ts';

/** Rows of one scenario that are written: a report of a thousand VMs stays a page. */
const MOST_ROWS = 1500;

const short = (name: string): string => name.replace(/^(?:OID_SWITCH_|NDIS_STATUS_)/, '');

/** What happened, as a table: time downwards, a lane for each host's switches and ports, steps as headings. */
export function timelineHtml(timeline: readonly TimelineLine[]): string {
  const lanes = new Lanes(timeline);
  const width = lanes.all.length + 2;
  const rows: string[] = [];
  for (const line of timeline.slice(0, MOST_ROWS)) {
    if (line.kind === 'step') rows.push(stepRow(line, width));
    else if (line.kind === 'oid') rows.push(oidRow(line, lanes));
    else rows.push(eventRow(line, width));
  }
  const left = timeline.length - MOST_ROWS;
  if (left > 0) {
    const note = `${left} more lines are not shown here; the JSON report has them all`;
    rows.push(`<tr class="note"><td colspan="${width}">${note}</td></tr>`);
  }
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
  const isRefused = !/^NDIS_STATUS_(?:SUCCESS|LINK_STATE|NETWORK_CHANGE)$/.test(line.status);
  const isBad = isRefused && line.requestType !== 'indication';
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
