import { resolve } from 'node:path';
import t from 'tap';
import { failureOf, fileOf, ONE_HOST, play, scenario, TWO_HOSTS } from './scenario-text.ts';

const ADD =
  'addProperty: { vm: web, feature: Fabrikam_PortCustomSettingData, settings: { SettingIntA: 1 } }';
const PORT = 'createPort: { switch: S }';

/** An extension that asks for a reference on each new port and refuses the port when that fails for another reason. */
const REFERRING = `import { defineExtension } from '${resolve('src/sdk/define.ts')}';

export default defineExtension({
  id: 'a5ca5ca5-0000-4000-8000-0000000000a6',
  name: 'Referring',
  vendor: 'Test',
  version: '1.0',
  type: 'filter',
  attach: (sw) => ({
    createPort: ({ portId }) => {
      const status = sw.referencePort(portId);
      if (status === 0) sw.dereferencePort(portId);
      // There is no port yet to take a reference on: INVALID_PARAMETER.
      return status === 0 || status === 0xc000000d ? 'forward' : status;
    },
  }),
});
`;
const referring = (): string =>
  ONE_HOST.replace('extensions:\n', `extensions:\n  referring: ${fileOf(REFERRING, 'refer.ts')}\n`)
    .replace('extensions: [fabrikam]', 'extensions: [referring, fabrikam]')
    // No VM: an extension asks for no reference on a validation port (rule B48).
    .replace(/^vms: .*\n/m, '')
    .concat('invariants: { noFindings: true }\n');

t.test('callFailure: a call of the extension fails, once, with a status', async (t) => {
  const refused = (status: string): string =>
    `- expectRefused: { ${PORT}, code: VETOED, ndisStatus: ${status}, extension: referring }`;
  const steps = `- inject: { fault: callFailure, extension: referring }
${refused('RESOURCES')}
- ${PORT}
- inject: { fault: callFailure, extension: referring, call: referencePort, status: NOT_SUPPORTED, switch: S }
${refused('NOT_SUPPORTED')}
- inject: { fault: callFailure, extension: referring, call: referenceNic }
- ${PORT}`;
  t.equal(await failureOf(scenario(steps, referring())), undefined);
  const fine = `- inject: { fault: callFailure, extension: referring, status: SUCCESS }\n- ${PORT}`;
  t.match(await failureOf(scenario(fine, referring())), /status: expected an error status/);
});

t.test('twice: the extension is not blamed for what was injected', async (t) => {
  const head = `${ONE_HOST}invariants: { noFindings: true }\n`;
  const steps = `- startVm: web
- inject: { fault: twice, extension: fabrikam, oid: OID_SWITCH_PORT_PROPERTY_ADD }
- ${ADD}
- expectProperties: { vm: web, count: 1 }`;
  t.equal(await failureOf(scenario(steps, head)), undefined);
});

t.test('act: in the instant of an OID the extension is disabled, the switch deleted', async (t) => {
  const act = (what: string): string => `- startVm: web
- inject: { fault: act, act: ${what}, extension: fabrikam, oid: OID_SWITCH_PORT_PROPERTY_ADD }
- ${ADD}
- wait: 1`;
  // Nobody above or below vetoes any more: the extension is gone, the policy stays.
  const veto = 'inject: { fault: veto, extension: fabrikam, oid: OID_SWITCH_PORT_PROPERTY_ADD }';
  t.equal(
    await failureOf(scenario(`${act('disableExtension')}\n- ${veto}\n- ${ADD}`)),
    undefined,
    'a veto of an extension that is disabled is not met',
  );
  t.match(
    await failureOf(scenario(`${act('restartStack')}\n- ${veto}\n- ${ADD}`)),
    /VETOED|vetoed|DATA_NOT_ACCEPTED/,
    'one whose stack was restarted is there again',
  );
});

t.test('storeDelay, messageDelay, messageTwice: late, or twice, and nothing is lost', async (t) => {
  const steps = `- startVm: web
- inject: { fault: storeDelay, host: a, delayMs: 400 }
- ${ADD}
- inject: { fault: messageDelay, host: a, message: take, delayMs: 900 }
- inject: { fault: messageTwice, host: a, message: prepare }
- migrate: { vm: web, to: b }
- settleMigrations: {}
- expectState: { vm: web, host: b, state: running }
- expectProperties: { vm: web, count: 1 }`;
  t.equal(await failureOf(scenario(steps, TWO_HOSTS)), undefined);
  const [plain] = await play(
    scenario(steps.replace(/^- inject: .*\n/gm, ''), TWO_HOSTS),
    {},
    'p.yaml',
  );
  const [late] = await play(scenario(steps, TWO_HOSTS), {}, 'l.yaml');
  const took = (outcome: typeof plain): number => outcome?.timeline.at(-1)?.time ?? 0;
  t.equal(took(late) - took(plain), 1_300, 'virtual milliseconds');
});

t.test('probability: 0 is never met, the seed decides the rest', async (t) => {
  const rule = (probability: number): string =>
    `- inject: { fault: veto, extension: fabrikam, oid: OID_SWITCH_PORT_CREATE, times: 1000, probability: ${probability} }`;
  const many = '- repeat: { times: 40, steps: [{ createPort: { switch: S } }] }';
  t.equal(await failureOf(scenario(`${rule(0)}\n${many}`)), undefined);
  t.match(await failureOf(scenario(`${rule(0.5)}\n${many}`)), /VETOED|DATA_NOT_ACCEPTED|refused/);
});

t.test('inject: a field that is missing, wrong or of another fault is refused', async (t) => {
  for (const [fields, message] of [
    ['fault: callFailure', 'the fault callFailure needs the field extension'],
    ['fault: act, oid: OID_SWITCH_PORT_CREATE', 'the fault act needs the field act'],
    [
      'fault: act, act: restart, oid: OID_SWITCH_PORT_CREATE',
      'expected one of disableExtension, restartStack',
    ],
    ['fault: messageTwice', 'the fault messageTwice needs the field message'],
    ['fault: storeFailure, delayMs: 5', 'delayMs is not for the fault storeFailure'],
    ['fault: storeFailure, probability: 1.5', 'expected a number 0 to 1'],
    ['fault: storeFailure, probability: often', 'expected a number 0 to 1'],
    [
      'fault: hang, extension: fabrikam, oid: OID_SWITCH_PORT_CREATE, status: RESOURCES',
      'status is not for the fault hang',
    ],
    ['fault: callFailure, extension: fabrikam, call: malloc', 'expected one of referencePort'],
  ] as const) {
    t.match(await failureOf(scenario(`- inject: { ${fields} }`)), message, fields);
  }
});
