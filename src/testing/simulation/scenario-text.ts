import { policyId } from './change.ts';
import { belowUplink } from './change-host.ts';
import type { Breach } from './simulation.ts';
import type { Change, History, Result, Step } from './step.ts';
import { PORT_CLASS, PORT_SETTING, SWITCH_CLASS, SWITCH_SETTING } from './well-behaved.ts';

/** A verb of a scenario with what stands behind it. */
type Line = readonly [verb: string, value: unknown];

const VM_VERB = {
  start: 'startVm',
  stop: 'stopVm',
  pause: 'pauseVm',
  resume: 'resumeVm',
  save: 'saveVm',
  restore: 'restoreVm',
  delete: 'deleteVm',
} as const;

/**
 * A history as a scenario file (docs/reference/scenario.md) to be kept in policies/scenarios; `undefined` where a step has no verb
 * there: changes of one atomic write, misbehaviour that is counted by requests, fault rules, a host that dies at a write, a fork.
 */
export function scenarioText(
  { setting, steps }: History,
  results: readonly Result[],
  breach: Breach,
): string | undefined {
  const lines: string[] = [];
  for (const [at, step] of steps.entries()) {
    if (results[at] === 'skipped') continue;
    const written = linesOf(step);
    if (written === undefined) return undefined;
    const last = written.length - 1;
    for (const [i, [verb, value]] of written.entries()) {
      const plain = `${verb}: ${JSON.stringify(value)}`;
      const isRefused = results[at] === 'refused' && i === last;
      lines.push(isRefused ? `  - expectRefused: { ${plain} }` : `  - ${plain}`);
    }
  }
  // Another process on the same store: nothing that was acknowledged may be missing then.
  if (breach.invariant === 'durable') {
    for (const host of setting.hosts) lines.push(`  - restartHost: ${host}`);
  }
  const switches = ['A', 'B'].map(
    (name) => `{ name: ${name}, type: external, extensions: [fabrikam] }`,
  );
  const hosts = setting.hosts.map(
    (name) =>
      `  ${name}: { profile: ${setting.profiles?.[name] ?? setting.profile}, switches: [${switches.join(', ')}] }`,
  );
  return [
    '# yaml-language-server: $schema=./scenario.schema.json',
    `# Found by the simulation, seed ${setting.seed}: invariant ${breach.invariant}.`,
    ...breach.message.split('\n').map((line) => `#   ${line}`),
    `name: simulation seed ${setting.seed}, ${breach.invariant}`,
    'features: [../fabrikam.mof]',
    'extensions: { fabrikam: extensions/fabrikam.ts }',
    `scheduling: ${setting.scheduling}`,
    'hosts:',
    ...hosts,
    ...(lines.length === 0 ? ['steps: []'] : ['steps:', ...lines]),
    '',
  ].join('\n');
}

function linesOf(step: Step): readonly Line[] | undefined {
  const faults = faultsOf(step);
  if (faults === undefined) return undefined;
  if (step.do === 'crashHost')
    return [...faults, ['crashHost', step.host], ['restartHost', step.host]];
  if (step.do === 'copyVm' || step.do === 'copySwitch') return [...faults, ...copyLines(step)];
  const line = lineOf(step);
  return line === undefined ? undefined : [...faults, line];
}

function faultsOf({ mischief = [], rules = [] }: Step): readonly Line[] | undefined {
  return rules.length > 0 || mischief.length > 0 ? undefined : [];
}

/** Exported, and imported under another name. */
function copyLines(step: Extract<Step, { do: 'copyVm' | 'copySwitch' }>): readonly Line[] {
  const { to: host, copy: name } = step;
  const made = { document: `d${name}`, host, name };
  if (step.do === 'copyVm') {
    return [
      ['exportVm', { vm: step.vm, as: made.document }],
      ['importVm', made],
    ];
  }
  return [
    ['exportSwitch', { host: step.host, switch: step.switch, as: made.document }],
    ['importSwitch', made],
  ];
}

function lineOf(step: Step): Line | undefined {
  switch (step.do) {
    case 'atomic':
    case 'crashHost':
    case 'copyVm':
    case 'copySwitch':
    case 'forkSnapshot':
    case 'resetHost':
      return undefined;
    case 'takeSnapshot':
      return [step.do, { host: step.host, as: step.snapshot }];
    case 'restoreSnapshot':
      return [step.do, { host: step.host, snapshot: step.snapshot }];
    case 'together': {
      const inside = step.steps.map(lineOf);
      if (inside.includes(undefined)) return undefined;
      return ['parallel', inside.map(([verb, value] = ['wait', 0]) => ({ [verb]: value }))];
    }
    case 'migrate':
      return ['migrate', { vm: step.vm, to: step.to }];
    case 'restartHost':
      return ['restartHost', step.host];
    case 'wait':
      return ['wait', step.ms];
    default:
      return changeLine(step);
  }
}

function changeLine(change: PlainOrNamed): Line {
  switch (change.do) {
    case 'createVm': {
      const adapters = change.adapters.map((sw, i) =>
        sw === null ? { name: `n${i}` } : { name: `n${i}`, switch: sw },
      );
      return ['createVm', { name: change.vm, host: change.host, adapters }];
    }
    case 'vm':
      return [VM_VERB[change.verb], change.vm];
    case 'addAdapter':
      return ['addAdapter', { vm: change.vm, name: change.adapter, switch: change.switch }];
    case 'addPolicy': {
      const { vm, adapter, policy, value } = change;
      const settings = { [PORT_SETTING]: value };
      const id = policyId(policy);
      return ['addProperty', { vm, adapter, feature: PORT_CLASS, settings, id, as: `p${policy}` }];
    }
    case 'addSwitchPolicy': {
      const { host, switch: sw, policy, value } = change;
      const settings = { [SWITCH_SETTING]: value };
      const id = policyId(policy);
      const where = { host, switch: sw, feature: SWITCH_CLASS };
      return ['addProperty', { ...where, settings, id, as: `p${policy}` }];
    }
    case 'updatePolicy':
      return updateLine(change.policy, { [PORT_SETTING]: change.value });
    case 'updateSwitchPolicy':
      return updateLine(change.policy, { [SWITCH_SETTING]: change.value });
    case 'removePolicy':
    case 'removeSwitchPolicy':
      return ['removeProperty', `p${change.policy}`];
    default:
      return plainLine(change);
  }
}

const updateLine = (policy: number, settings: object): Line => [
  'updateProperty',
  { property: `p${policy}`, settings },
];

/** All but those of two verbs. */
type PlainOrNamed = Exclude<Change, { do: 'copyVm' | 'copySwitch' }>;

type PlainChange = Exclude<
  PlainOrNamed,
  { do: 'createVm' | 'vm' | 'addAdapter' } | { readonly policy: number }
>;

/** Changes whose fields are those of their verbs. */
function plainLine(change: PlainChange): Line {
  const { do: verb, mischief: _m, rules: _r, ...fields } = change;
  switch (verb) {
    case 'createSwitch': {
      const { host, switch: name, type } = change;
      return [verb, { name, host, type, extensions: ['fabrikam'] }];
    }
    case 'createPort':
    case 'addInternalNic': {
      const { host, switch: sw, port: name } = change;
      return [verb, { host, switch: sw, name }];
    }
    case 'renamePort': {
      const { host, switch: sw, port, to: name } = change;
      return [verb, { host, switch: sw, port, name }];
    }
    case 'connectUplink': {
      const { host, switch: sw, team } = change;
      return [verb, { host, switch: sw, team, adapters: belowUplink(change.adapters) }];
    }
    default:
      return [verb, fields];
  }
}
