import type { Breach } from './breach.ts';
import { belowUplink } from './change-host.ts';
import { policyId } from './policy-id.ts';
import { expectedLines } from './scenario-expect.ts';
import { faultLines, type Line, lateness, mortals } from './scenario-faults.ts';
import type { Atomic, Change, History, Move, Result, Step } from './step.ts';
import {
  PORT_CLASS,
  PORT_SETTING,
  PORT_STATUS,
  SWITCH_CLASS,
  SWITCH_SETTING,
  SWITCH_STATUS,
} from './well-behaved.ts';

/** A history in the words of a scenario file. */
export interface ScenarioText {
  readonly text: string;
  /** Steps, or faults of them, that have no verb there, with their numbers: with one of these it may pass. */
  readonly unsaid: readonly string[];
}

/** An extension of whoever simulates, and the module that a scenario finds it in. */
export interface ScenarioExtension {
  readonly name: string;
  readonly type: string;
  readonly file: string;
}

export interface ScenarioOptions {
  /** `undefined` of a step: it is not there. As {@link PlayReport.results}. */
  readonly results: readonly Result[];
  readonly extensions?: readonly ScenarioExtension[];
}

const VM_VERB = {
  start: 'startVm',
  stop: 'stopVm',
  pause: 'pauseVm',
  resume: 'resumeVm',
  save: 'saveVm',
  restore: 'restoreVm',
  delete: 'deleteVm',
} as const;

/** Invariants that a scenario can see broken: by a step, by what it expects at the end, by a host that is started again. */
const SEEN: ReadonlySet<string> = new Set([
  'acknowledged',
  'refused',
  'untouched',
  'durable',
  'owner',
  'errors',
  'opens',
  'quiet',
  'rules',
]);

/** Top to bottom, by alias. */
const STACK = ['watcher', 'fabrikam', 'rogue', 'forwarder'];

/**
 * A history as a scenario file (docs/reference/scenario.md) to be kept in policies/scenarios: its steps with their faults, and what
 * has to hold at the end. A step without a verb is a comment.
 */
export function scenarioText(
  { setting, steps }: History,
  breach: Breach,
  { results, extensions = [] }: ScenarioOptions,
): ScenarioText {
  const lines: string[] = [];
  const unsaid = SEEN.has(breach.invariant)
    ? []
    : [`${breach.invariant}, an invariant that only the simulation looks at`];
  for (const [at, step] of steps.entries()) {
    if (results[at] === 'skipped') continue;
    const missing = gapOf(step);
    if (missing !== undefined) {
      unsaid.push(`step ${at + 1}: ${missing}`);
      lines.push(`  # step ${at + 1} has no words here: ${JSON.stringify(step)}`);
    }
    lines.push(...stepLines(step, results[at]).map((line) => `  - ${line}`));
  }
  // Another process on the same store: nothing that was acknowledged may be missing then.
  if (breach.invariant === 'durable') {
    for (const host of setting.hosts) lines.push(`  - restartHost: ${host}`);
  }
  for (const line of expectedLines({ setting, steps }, results)) lines.push(`  - ${plain(line)}`);
  const isForwarding = extensions.some(({ type }) => type === 'forward');
  const stack = [
    ...STACK.filter((name) => name !== 'forwarder' || !isForwarding),
    ...extensions.map(({ name }) => name),
  ];
  const switches = ['A', 'B'].map(
    (name) => `{ name: ${name}, type: external, extensions: [${stack.join(', ')}] }`,
  );
  const hosts = setting.hosts.map(
    (name) =>
      `  ${name}: { profile: ${setting.profiles?.[name] ?? setting.profile}, switches: [${switches.join(', ')}] }`,
  );
  const files = [
    '  fabrikam: extensions/fabrikam.ts',
    ...['watcher', 'rogue', 'forwarder', 'guest'].map(
      (name) => `  ${name}: extensions/simulated/${name}.ts`,
    ),
    ...extensions.map(({ name, file }) => `  ${name}: ${JSON.stringify(file)}`),
  ];
  const text = [
    '# yaml-language-server: $schema=./scenario.schema.json',
    `# Found by the simulation, seed ${setting.seed}: invariant ${breach.invariant}.`,
    ...breach.message.split('\n').map((line) => `#   ${line}`),
    ...unsaid.map((line) => `# Not said here, so that it may pass: ${line}`),
    `name: simulation seed ${setting.seed}, ${breach.invariant}`,
    `seed: ${JSON.stringify(setting.seed)}`,
    'features: [../fabrikam.mof]',
    'extensions:',
    ...files,
    `scheduling: ${setting.scheduling}`,
    `behaviour: ${JSON.stringify(setting.behaviour)}`,
    'hosts:',
    ...hosts,
    ...uplinkLines(setting.hosts, lines),
    '',
  ].join('\n');
  return { text, unsaid };
}

/** The first switch of each host has a physical adapter. */
function uplinkLines(hosts: readonly string[], lines: readonly string[]): readonly string[] {
  const adapters = belowUplink(1);
  return [
    'steps:',
    ...hosts.map((host) => `  - ${plain(['connectUplink', { host, switch: 'A', adapters }])}`),
    ...lines,
  ];
}

const plain = ([verb, value]: Line): string => `${verb}: ${JSON.stringify(value)}`;

/** What a step does that no verb says. */
function gapOf(step: Step): string | undefined {
  if (faultLines(step) === undefined) {
    const whats = (step.mischief ?? []).map(({ what }) => what);
    return `its faults (${[...(step.rules ?? []).map(({ effect }) => effect), ...whats].join()})`;
  }
  const inside = 'steps' in step ? (step.steps ?? []) : [];
  const part = step.do === 'forkSnapshot' ? undefined : inside.find((each) => !isSaid(each));
  return isSaid(step) && part === undefined ? undefined : (part ?? step).do;
}

const isSaid = (step: Step): boolean =>
  !['forkSnapshot', 'registerClasses'].includes(step.do) &&
  !('revision' in step && step.revision !== undefined);

function stepLines(step: Step, result: Result | undefined): readonly string[] {
  const faults = faultLines(step) ?? [];
  const written = linesOf(step);
  const died = mortals(step);
  const last = written.length - 1;
  const said = written.map((line, i) => {
    const isRefused = result === 'refused' && i === last;
    return isRefused ? `expectRefused: { ${plain(line)} }` : plain(line);
  });
  if (faults.length === 0) return said;
  const late = lateness(step);
  return [
    ...faults.map(plain),
    // What becomes of a step in which a host dies is nobody's to say.
    ...(died.length > 0 ? tolerant(said, written) : said),
    ...(late > 0 ? [`wait: ${late}`] : []),
    'clearFaults: {}',
    ...(step.staysAway === true ? [] : died.map((host) => `restartHost: ${host}`)),
    ...(died.length > 0 ? ['settleMigrations: {}'] : []),
  ];
}

/** A tool: its first failure ends it, and not the scenario. */
const tolerant = (said: readonly string[], written: readonly Line[]): readonly string[] =>
  written.length === 0
    ? said
    : [
        `tool: ${JSON.stringify({ name: 'cut off', steps: written.map(([v, x]) => ({ [v]: x })) })}`,
      ];

function linesOf(step: Step): readonly Line[] {
  switch (step.do) {
    case 'copyVm':
    case 'copySwitch':
      return copyLines(step);
    case 'crashHost':
      if (step.staysAway === true) return [['crashHost', step.host]];
      return [
        ['crashHost', step.host],
        ['restartHost', step.host],
      ];
    case 'hostComesBack':
      return [
        ['restartHost', step.host],
        ['settleMigrations', {}],
      ];
    case 'restartHost':
      if (step.withoutGuest !== true) return [['restartHost', step.host]];
      return [['restartHost', { host: step.host, extensions: STACK }]];
    case 'resetHost':
      return resetLines(step.host);
    case 'forkSnapshot':
    case 'registerClasses':
      return [];
    case 'takeSnapshot':
      return [[step.do, { host: step.host, as: step.snapshot }]];
    case 'restoreSnapshot':
      return [[step.do, { host: step.host, snapshot: step.snapshot }]];
    case 'together':
      return [['parallel', step.steps.flatMap(insideLine)]];
    case 'atomic':
      return [atomicLine(step)];
    case 'migrate':
      return [['migrate', { vm: step.vm, to: step.to }]];
    case 'wait':
      return [['wait', step.ms]];
    default:
      return [changeLine(step)];
  }
}

/** The steps of a group, each as a map of its verb. */
function insideLine(step: Change | Move | Atomic): readonly Readonly<Record<string, unknown>>[] {
  return linesOf(step).map(([verb, value]) => ({ [verb]: value }));
}

function atomicLine({ host, throws, steps }: Atomic): Line {
  // The second switch of a name is refused, and with it the whole.
  const twice = { createSwitch: { host, name: 'twice' } };
  const inside = steps.flatMap(insideLine);
  return ['atomic', { host, steps: throws ? [...inside, twice, twice] : inside }];
}

/** Emptied, and as it was at first. */
function resetLines(host: string): readonly Line[] {
  return [
    ['resetHost', host],
    ['registerFeatures', { mof: ['../fabrikam.mof'], host }],
    ...['A', 'B'].map((name): Line => {
      return ['createSwitch', { host, name, type: 'external', extensions: STACK }];
    }),
    ['connectUplink', { host, switch: 'A', adapters: belowUplink(1) }],
  ];
}

/** Exported, and imported under another name. */
function copyLines(step: Extract<Step, { do: 'copyVm' | 'copySwitch' }>): readonly Line[] {
  const { to: host, copy: name } = step;
  const keeps = step.do === 'copySwitch' && step.keepsIds === true ? { ids: 'keep' } : {};
  const made = { document: `d${name}`, host, name, ...keeps };
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

/** What the extension of the scenario says. */
const ASKED = {
  port: { feature: PORT_STATUS, equal: { CurrentStatus: 123 } },
  switch: { feature: SWITCH_STATUS, equal: { CurrentStatus: 123 } },
};

function changeLine(change: PlainOrNamed): Line {
  switch (change.do) {
    case 'createVm': {
      const adapters = change.adapters.map((sw, i) =>
        sw === null ? { name: `n${i}` } : { name: `n${i}`, switch: sw },
      );
      return ['createVm', { name: change.vm, host: change.host, adapters }];
    }
    case 'installGuest':
      return ['installExtension', { extension: 'guest', host: change.host }];
    case 'askStatus':
      return ['expectStatus', { vm: change.vm, adapter: change.adapter, ...ASKED.port }];
    case 'askSwitchStatus':
      return ['expectStatus', { host: change.host, switch: change.switch, ...ASKED.switch }];
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
    case 'addClassPolicy': {
      const { vm, adapter, policy, feature, settings } = change;
      const id = policyId(policy);
      return ['addProperty', { vm, adapter, feature, settings, id, as: `p${policy}` }];
    }
    case 'addSwitchClassPolicy': {
      const { host, switch: sw, policy, feature, settings } = change;
      const id = policyId(policy);
      return ['addProperty', { host, switch: sw, feature, settings, id, as: `p${policy}` }];
    }
    case 'updateClassPolicy':
    case 'updateSwitchClassPolicy':
      return updateLine(change.policy, change.settings);
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

/** All but those of two verbs, and of none. */
type PlainOrNamed = Exclude<Change, { do: 'copyVm' | 'copySwitch' | 'registerClasses' }>;

type PlainChange = Exclude<
  PlainOrNamed,
  | { do: 'createVm' | 'vm' | 'addAdapter' | 'installGuest' | 'askStatus' | 'askSwitchStatus' }
  | { readonly policy: number }
>;

/** Changes whose fields are those of their verbs. */
function plainLine(change: PlainChange): Line {
  const { do: verb, mischief: _m, rules: _r, staysAway: _s, ...fields } = change;
  switch (verb) {
    case 'createSwitch': {
      const { host, switch: name, type } = change;
      return [verb, { name, host, type, extensions: STACK }];
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
