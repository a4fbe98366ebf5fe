import type { Guid } from '../../core/guid.ts';
import type { ProfileName } from '../../policy/api.ts';
import type { TestFinding } from '../test-switch.ts';
import type { ByteDifference } from './byte-difference.ts';

/** One thing that is not as recorded. */
export interface ReplayDifference {
  /** Number of the recorded entry; 0: of what has none, such as an attachment. */
  readonly seq: number;
  /** Number of the request on its switch. */
  readonly request: number;
  readonly switch: string;
  readonly oid: string;
  /** Virtual milliseconds. */
  readonly time: number;
  /**
   * `verdict`: what the extension said, in order (`pend > forward`). `status`, `output`: of the request when it had completed.
   * `issued`: the requests it made itself after this one. `attached`: whether it runs.
   */
  readonly what: 'verdict' | 'status' | 'output' | 'issued' | 'attached';
  readonly recorded: string;
  readonly replayed: string;
  /** Of bytes: the first that differs. */
  readonly at?: ByteDifference;
}

/** What came of a replay. */
export interface ReplayReport {
  readonly extension: { readonly id: Guid; readonly name: string; readonly version: string };
  /** The one in the recording. */
  readonly recorded: { readonly id: Guid; readonly name: string; readonly version: string };
  /** NDIS version of both: that of the recorded world. */
  readonly profile: ProfileName;
  /** Requests that reached the extension again and were compared. */
  readonly requests: number;
  /** Of these, how many went as recorded in every way. */
  readonly same: number;
  /** In the order of the recording. */
  readonly differences: readonly ReplayDifference[];
  /** Rules the extension broke in the replay. */
  readonly findings: readonly TestFinding[];
  /** Entries that were not done again, or not as recorded, with the reason. */
  readonly skipped: readonly { readonly reason: string; readonly count: number }[];
}

/** The report for people: a paragraph for each request that went otherwise, then what it comes to. */
export function replayText(report: ReplayReport): string {
  const { extension, recorded, differences, findings, skipped, requests, same, profile } = report;
  const name = (one: ReplayReport['extension']): string => `${one.name} ${one.version}`;
  const lines = [
    `--- recorded: ${name(recorded)}, as ${profile}`,
    `+++ replayed: ${name(extension)}`,
  ];
  let last: ReplayDifference | undefined;
  for (const one of differences) {
    const isNext = last?.seq !== one.seq || last.switch !== one.switch || one.seq === 0;
    if (isNext) lines.push('', headOf(one));
    lines.push(...linesOf(one));
    last = one;
  }
  for (const { rule, severity, message } of findings) {
    lines.push('', `${severity} ${rule}: ${message}`);
  }
  for (const { reason, count } of skipped) lines.push('', `${count} left out: ${reason}`);
  const result = `${same} of ${requests} requests as recorded`;
  lines.push('', differences.length === 0 ? `${result}; no differences` : result);
  return `${lines.join('\n')}\n`;
}

function headOf({ seq, request, switch: name, oid, time }: ReplayDifference): string {
  return seq === 0 ? `@@ ${name} at ${time} ms` : `@@ ${seq} ${oid} request ${request} on ${name}`;
}

function linesOf({ what, recorded, replayed, at }: ReplayDifference): string[] {
  if (at === undefined) return [`- ${what} ${recorded}`, `+ ${what} ${replayed}`];
  const place = `${what} byte ${at.offset}${at.field === undefined ? '' : `, ${at.field}`}`;
  return [`- ${place}: ${at.recorded}`, `+ ${place}: ${at.replayed}`];
}
