import { join } from 'node:path';
import t from 'tap';
import { loadExtension } from '../../../src/sdk/load.ts';
import { sweepExtension, sweepReport, sweepScenario } from '../../../src/testing/index.ts';

/*
 * Faults that were mishandled once, by the product or by the judge (docs/reference/sweep.md says which way it is): each is played
 * alone, and it has to be a fault that is met.
 */

const ROOT = join(import.meta.dirname, '../../..');
const FOLDER = join(ROOT, 'policies/scenarios');

t.setTimeout(240_000);

const CUT_OFF = 'case=-message-prepare-delivered-false-owner-source-';
const IN_SCENARIO: readonly (readonly [title: string, only: string, file?: string])[] = [
  [
    'the stack restarts while a host is opened: a witness learns the policies there are (J11)',
    `${CUT_OFF}/restartStack:OID_SWITCH_PORT_PROPERTY_ADD/set@witness@TestSwitch@port2@Fabrikam_PortCustomSettingData@source@life2#1`,
  ],
  [
    'an adapter is disconnected while it is connected again: that comes after (B13, C23)',
    `${CUT_OFF}/teardownPort:OID_SWITCH_PORT_PROPERTY_ADD/set@witness@TestSwitch@port2@Fabrikam_PortCustomSettingData@source@life2#1`,
  ],
  [
    'a host does not come up for want of its store: it is started again, and the target lets go (B20)',
    'case=-message-prepare-delivered-true-owner-source-/storeFails:store@source@life2#1',
  ],
  [
    'a host dies while it is being opened: it is started again (G39)',
    'case=-message-forget-delivered-false-owner-target-/messageLost:forget>target@source#1',
  ],
  [
    'a host dies again in the turn in which it has been opened: that world ends, and its name is free (G39)',
    'crash:prepare>target@source#1+crash:abandon>target@source@life2#1',
    'another-switch-name.yaml',
  ],
];

for (const [title, only, file = 'source-dies.yaml'] of IN_SCENARIO) {
  t.test(title, async (t) => {
    const report = await sweepScenario(file, { cwd: FOLDER, only });
    t.same(report.mishandled, [], sweepReport(report, 'text'));
    t.match(report.subjects, [{ played: 1, unmet: 0 }]);
  });
}

const IN_STAGE: readonly (readonly [string, string, string])[] = [
  [
    'a switch that is refused before it is active is made again: its first request is another one (D6)',
    'passthrough',
    'before-activation/delay:OID_SWITCH_PARAMETERS/query@Passthrough@Early#1',
  ],
  [
    'a request is held for 2 s when a stage looks what is in flight: it waits (D6)',
    'passthrough',
    'held-at-detach/delay:OID_SWITCH_PROPERTY_ENUM/method@Passthrough@Left@ExtSwitch_LifeCycleSwitchSettingData#2',
  ],
  [
    'an extension asks at once while another one holds a request: its refusal to run is none of its own (OP-31)',
    'port-acl',
    'held-at-detach/delay:OID_SWITCH_PROPERTY_ENUM/method@Witness-below@Left@ExtSwitch_LifeCycleSwitchSettingData#2',
  ],
  [
    'the edge fails the second NIC of an uplink: the first and its port go again (B13, C34)',
    'passthrough',
    'hardware/resources:OID_SWITCH_NIC_CREATE/set@miniportEdge@Hardware@port1#2',
  ],
  [
    'one of several changes at once is refused: what the others did is not its own',
    'mac-forward',
    'disable-during-traffic-set-up/veto:OID_SWITCH_PORT_PROPERTY_ADD/set@Witness-above@Traffic@port6@ExtSwitch_LifeCyclePortSettingData#1',
  ],
  [
    'a deletion that the store refused is tried again on the same handle: it is the port that was made again (B17)',
    'port-acl',
    'internal-nic-reconnect/storeFails:store@Internal#22',
  ],
  [
    'of several things at once one is refused for the sake of another: nobody is blamed',
    'port-acl',
    'uninstall-race/callFails:request(OID_SWITCH_PARAMETERS)@Port-ACL@Uninstalled#1',
  ],
  [
    'what a stage has refused first and done then, in the same words, are two things',
    'port-acl',
    'clean-up-once/veto:OID_SWITCH_PORT_CREATE/set@Port-ACL@Cleaned@port2#1',
  ],
  [
    'a redirected request cannot be sent: the original ends like it (D38, D42)',
    'teaming-provider',
    'hardware/callFails:nicRequest(OID_NIC_SWITCH_ALLOCATE_VF)@Teaming-Provider@Hardware#1',
  ],
];

for (const [title, name, only] of IN_STAGE) {
  t.test(title, async (t) => {
    const extension = await loadExtension(join(ROOT, 'extensions', name, 'extension.ts'), ROOT);
    const report = await sweepExtension(extension, { only });
    t.same(report.mishandled, [], sweepReport(report, 'text'));
    t.match(report.subjects, [{ played: 1, unmet: 0, without: [] }]);
  });
}
