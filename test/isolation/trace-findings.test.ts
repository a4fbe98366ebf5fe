import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { parseRecording, recordingText } from '../../src/policy/recording-text.ts';
import { defineExtension } from '../../src/sdk/define.ts';
import type { OidRequest } from '../../src/sdk/extension.ts';
import { testSwitch } from '../../src/testing/index.ts';

/*
 * Findings stand in the trace entry of their request; what comes after it has completed stands in the findings with its number.
 */

const ID = '1501a7ed-0000-4000-8000-0000000000aa';

t.test(
  'a request completed a second time after it is done: a finding with its number, no trace entry (NdisOidDoubleComplete)',
  async (t) => {
    const kept: OidRequest[] = [];
    const extension = defineExtension({
      ...{ id: ID, name: 'Twice', vendor: 'x', version: '1.0', type: 'filter' as const },
      attach: () => ({
        createPort: (_port: unknown, request: OidRequest) => {
          request.bytes[4] = 0xee;
          kept.push(request);
          return undefined;
        },
      }),
    });
    const sw = await testSwitch({ extensions: [extension] });
    t.teardown(() => sw.close());
    await sw.port('A');
    const [request] = kept;
    const number = request?.id;
    request?.complete(NdisStatus.SUCCESS);
    const entries = sw.fabric.trace.entries().filter(({ findings }) => findings !== undefined);
    t.equal(entries.length, 1, 'only the entry of the request that was changed');
    t.match(entries[0], { request: number, oid: 'OID_SWITCH_PORT_CREATE' });
    t.same(
      entries[0]?.findings?.map(({ rule, severity, offset, extensionId }) => [
        rule,
        severity,
        offset,
        extensionId,
      ]),
      [['B26', 'error', 4, ID]],
    );
    const late = sw.findings().filter(({ rule }) => rule === 'NdisOidDoubleComplete');
    t.match(late, [{ request: number, extensionId: ID }]);

    const text = sw.fabric.recording();
    const read = parseRecording(text);
    t.same(
      read.entries.map(({ findings }) => findings),
      sw.fabric.trace.entries().map(({ findings }) => findings),
      'a saved trace keeps them',
    );
    t.equal(recordingText(read), text, 'and is the same when it is written again');
    const older = text.replace(/,"findings":\[[^\]]*\]/g, '');
    t.notMatch(older, /"findings"/);
    t.ok(
      parseRecording(older).entries.every(({ findings }) => findings === undefined),
      'one without is read',
    );
    const wrong = text.replace(/"findings":\[[^\]]*\]/, '"findings":"none"');
    t.throws(() => parseRecording(wrong), { code: 'MALFORMED', message: /findings, a list/ });
  },
);
