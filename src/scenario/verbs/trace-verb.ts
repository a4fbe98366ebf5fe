import { difference, fail } from '../expectation.ts';
import { listOf, need, objectOf, oneOf } from '../field.ts';
import { hostName, switchName } from '../name-fields.ts';
import type { OidLine, TimelineLine } from '../recorder.ts';
import { type Verb, verb } from '../verb.ts';
import { oidName, statusField } from './fault-verbs.ts';

const EXPECTED_OID = objectOf(
  'one OID',
  { oid: need(oidName('its name')), status: statusField('default any') },
  'oid',
);

interface ExpectedOid {
  readonly oid: string;
  readonly status: string | undefined;
}

const fits = ({ oid, status }: ExpectedOid, line: OidLine): boolean =>
  line.oid === oid && (status === undefined || line.status === `NDIS_STATUS_${status}`);

const shownLine = ({ oid, status }: OidLine): string =>
  `${oid} ${status.replace('NDIS_STATUS_', '')}`;
const shownOid = ({ oid, status }: ExpectedOid): string =>
  status === undefined ? oid : `${oid} ${status}`;

function isOid(line: TimelineLine): line is OidLine {
  return line.kind === 'oid';
}

export const TRACE_VERB: Verb = verb({
  name: 'expectTrace',
  group: 'looks',
  help: 'OIDs in the order they completed, of the last step that did something, or since the beginning.',
  fields: {
    since: oneOf('default `step`', ['step', 'begin']),
    host: hostName('only of this host'),
    switch: switchName('only of this switch'),
    exact: listOf(EXPECTED_OID, 'these and no others'),
    inOrder: listOf(EXPECTED_OID, 'these in this order, others may lie between'),
    absent: listOf(EXPECTED_OID, 'none of these'),
  },
  check({ exact, inOrder, absent }, node, { problems }) {
    if (exact === undefined && inOrder === undefined && absent === undefined) {
      problems.add(node.place, 'expected one of exact, inOrder, absent');
    }
  },
  async run({ since = 'step', host, switch: sw, exact, inOrder = [], absent = [] }, { state }) {
    const { recorder } = state;
    const lines = (since === 'step' ? recorder.lastStep() : recorder.timeline)
      .filter(isOid)
      .filter((line) => host === undefined || line.host === host)
      .filter((line) => sw === undefined || line.switch === sw);
    const found = lines.map(shownLine);
    if (exact !== undefined) {
      const isEqual =
        lines.length === exact.length &&
        exact.every((each, i) => {
          const line = lines[i];
          return line !== undefined && fits(each, line);
        });
      if (!isEqual) fail(difference('the OIDs differ', exact.map(shownOid), found));
    }
    let at = 0;
    for (const each of inOrder) {
      const next = lines.findIndex((line, i) => i >= at && fits(each, line));
      if (next < 0) fail(difference(`${shownOid(each)} is missing`, inOrder.map(shownOid), found));
      at = next + 1;
    }
    for (const each of absent) {
      const there = lines.find((line) => fits(each, line));
      if (there !== undefined) fail(difference(`expected no ${shownOid(each)}`, 'none', found));
    }
  },
});
