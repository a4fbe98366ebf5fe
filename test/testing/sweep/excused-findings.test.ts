import t from 'tap';
import { parseGuid } from '../../../src/core/guid.ts';
import type { FabricInterface } from '../../../src/policy/api.ts';
import type { FaultSite } from '../../../src/policy/faults-api.ts';
import type { Breach } from '../../../src/testing/sweep/breach.ts';
import type { SweepFault } from '../../../src/testing/sweep/fault.ts';
import { HostWatch } from '../../../src/testing/sweep/host-watch.ts';
import type { Finding } from '../../../switch/environment.ts';

/* Findings that follow from a fault that was injected, and the nearest ones that do not (docs/reference/sweep.md). */

const MINE = parseGuid('b20c4e10-6d31-4a8f-9c07-51e2f3a40001');
const OTHER = parseGuid('b20c4e10-6d31-4a8f-9c07-51e2f3a40002');

const fault = (
  effect: Exclude<SweepFault['effect'], 'reorder'>,
  site: Partial<FaultSite>,
): SweepFault => ({
  effect,
  at: {
    ...{ host: '', life: 1, write: 0, change: 1, after: '' },
    site: { at: 'oid', nth: 1, extension: MINE, ...site },
  },
});

interface Shown {
  readonly enabled: boolean;
  readonly running: boolean;
  readonly problem?: string;
}

/** What a watch says of a world with these findings, and whether it takes the world for one that an undo has left wrong. */
function watched(chain: readonly SweepFault[], findings: readonly Partial<Finding>[], is?: Shown) {
  const told: Breach[] = [];
  const watch = new HostWatch(chain, (breach) => told.push(breach));
  const events = findings.map((data, seq) => ({ type: 'finding', seq, data }));
  const fabric = {
    extensions: { list: () => [] },
    switches: {
      list: () => (is === undefined ? [] : [{ id: 'a switch' }]),
      get: () => ({ extensions: { list: () => [is] } }),
    },
    trace: { entries: () => [] },
    events: { after: () => events },
  };
  watch.gather(fabric as unknown as FabricInterface);
  return { told, isLossy: watch.isLossy };
}

const OID = 'OID_NIC_SWITCH_FREE_VF';
const unsent = fault('callFails', { at: 'call', call: 'nicRequest', oid: OID });
const failed: Finding = {
  ...{ rule: 'NdisOidComplete', severity: 'error', extensionId: MINE, oid: OID },
  message: 'failed a request that must be forwarded',
};

t.test('a release fails because its redirected copy could not be sent: excused (D38, D40)', (t) => {
  t.same(watched([unsent], [failed]).told, []);
  t.same(watched([unsent], [{ ...failed, rule: 'D40' }]).told, []);
  t.same(watched([unsent], [{ ...failed, rule: 'D42' }]).told, []);
  t.end();
});

t.test('what else of a release is not as D40, D42 and D6 want it is reported', (t) => {
  const reported = (what: string, chain: readonly SweepFault[], findings: Partial<Finding>[]) =>
    t.equal(watched(chain, findings).told.length, 1, what);
  reported('a second one fails', [unsent], [failed, failed]);
  reported('it is altered (D40)', [unsent], [{ ...failed, rule: 'D40', offset: 12 }]);
  reported('of another extension', [unsent], [{ ...failed, extensionId: OTHER }]);
  reported('of another OID', [unsent], [{ ...failed, oid: 'OID_NIC_SWITCH_DELETE_VPORT' }]);
  reported('it completes twice', [unsent], [{ ...failed, rule: 'NdisOidDoubleComplete' }]);
  const request = fault('callFails', { at: 'call', call: 'request', oid: OID });
  reported('another call failed, which redirects nothing', [request], [failed]);
  t.end();
});

const kept: Finding = {
  ...{ rule: 'E17', severity: 'error', extensionId: MINE },
  message: 'It refused with NDIS_STATUS_RESOURCES to take back the addition that was not stored',
};

t.test('a refusal that was injected meets an undo: it is said, and nobody blamed (E17)', (t) => {
  for (const effect of ['veto', 'resources'] as const) {
    t.same(watched([fault(effect, {})], [kept]), { told: [], isLossy: true });
  }
  t.end();
});

t.test('a refusal of an undo that was not injected is reported (E17)', (t) => {
  const reported = (what: string, chain: readonly SweepFault[], findings: Partial<Finding>[]) =>
    t.equal(watched(chain, findings).told.length, 1, what);
  reported('the store failed', [fault('storeFails', { at: 'store' })], [kept]);
  reported('another extension refuses too', [fault('veto', {}), fault('storeFails', {})], [kept]);
  reported('of another extension', [fault('veto', {})], [{ ...kept, extensionId: OTHER }]);
  reported('once more', [fault('veto', {})], [kept, kept]);
  t.end();
});

t.test(
  'what was injected is marked, and held against nobody; the same unmarked is reported',
  (t) => {
    const finding = { ...failed, rule: 'D14' };
    t.same(watched([], [{ ...finding, injected: true }]).told, []);
    t.match(watched([], [finding]).told, [{ invariant: 'findings', rule: 'D14', extension: MINE }]);
    t.end();
  },
);

t.test('only who refuses to run leaves a world in doubt (OP-31), not who is disabled', (t) => {
  const isLossy = (is: Shown) => watched([], [], is).isLossy;
  t.equal(isLossy({ enabled: true, running: false, problem: 'NDIS_STATUS_FAILURE' }), true);
  t.equal(isLossy({ enabled: true, running: true, problem: 'told before' }), false);
  t.equal(isLossy({ enabled: false, running: false, problem: 'told before' }), false);
  t.equal(isLossy({ enabled: true, running: false }), false);
  t.end();
});
