import type { Line } from './scenario-faults.ts';
import type { History, Result, Step } from './step.ts';
import { PORT_CLASS, PORT_SETTING, SWITCH_CLASS, SWITCH_SETTING } from './well-behaved.ts';

/** What was acknowledged of things that nothing but changes with a known end had to do with. */
interface Known {
  readonly vms: Map<string, { state: string; readonly adapters: Map<string, Map<number, number>> }>;
  /** `host/switch` → policies. */
  readonly switches: Map<string, Map<number, number>>;
}

const STATES: Readonly<Record<string, string>> = {
  start: 'running',
  stop: 'off',
  pause: 'paused',
  resume: 'running',
  save: 'saved',
  restore: 'running',
};

/** What must hold at the end of a history, as lines of a scenario: VMs with their states and policies, and policies of switches. */
export function expectedLines({ steps }: History, results: readonly Result[]): readonly Line[] {
  const known: Known = { vms: new Map(), switches: new Map() };
  for (const [at, step] of steps.entries()) {
    const result = results[at] ?? 'unknown';
    if (result === 'skipped' || result === 'refused') continue;
    if (result === 'done' && learn(step, known)) continue;
    for (const vm of vmsNamed(step)) known.vms.delete(vm);
    if (namesSwitches(step)) known.switches.clear();
  }
  const lines: Line[] = [];
  for (const [vm, { state, adapters }] of known.vms) {
    lines.push(['expectState', { vm, state }]);
    for (const [adapter, policies] of adapters) {
      lines.push(['expectProperties', { vm, adapter, equal: settingsOf(policies, PORT_CLASS) }]);
    }
  }
  for (const [place, policies] of known.switches) {
    const [host = '', sw = ''] = place.split('/');
    const equal = settingsOf(policies, SWITCH_CLASS);
    lines.push(['expectProperties', { host, switch: sw, equal }]);
  }
  return lines;
}

const settingsOf = (policies: ReadonlyMap<number, number>, feature: string) =>
  Array.from(policies.values(), (value) => ({
    feature,
    settings: { [feature === PORT_CLASS ? PORT_SETTING : SWITCH_SETTING]: value },
  }));

/** Whether it is clear what a step that was acknowledged has done, and nothing else. */
function learn(step: Step, { vms, switches }: Known): boolean {
  switch (step.do) {
    case 'createVm': {
      const adapters = step.adapters.map((_, i) => [`n${i}`, new Map<number, number>()] as const);
      vms.set(step.vm, { state: 'off', adapters: new Map(adapters) });
      return true;
    }
    case 'vm': {
      const vm = vms.get(step.vm);
      if (step.verb === 'delete') vms.delete(step.vm);
      else if (vm !== undefined) vm.state = STATES[step.verb] ?? vm.state;
      return true;
    }
    case 'addAdapter':
      vms.get(step.vm)?.adapters.set(step.adapter, new Map());
      return true;
    case 'removeAdapter':
      vms.get(step.vm)?.adapters.delete(step.adapter);
      return true;
    case 'addPolicy':
    case 'updatePolicy':
      vms.get(step.vm)?.adapters.get(step.adapter)?.set(step.policy, step.value);
      return true;
    case 'removePolicy':
      vms.get(step.vm)?.adapters.get(step.adapter)?.delete(step.policy);
      return true;
    case 'addSwitchPolicy':
    case 'updateSwitchPolicy': {
      const place = `${step.host}/${step.switch}`;
      if (step.do === 'addSwitchPolicy' && !switches.has(place)) switches.set(place, new Map());
      switches.get(place)?.set(step.policy, step.value);
      return true;
    }
    case 'removeSwitchPolicy':
      switches.get(`${step.host}/${step.switch}`)?.delete(step.policy);
      return true;
    case 'deleteSwitch':
      switches.delete(`${step.host}/${step.switch}`);
      return true;
    case 'restoreSnapshot':
    case 'resetHost':
      vms.clear();
      switches.clear();
      return true;
    case 'createSwitch':
    case 'copySwitch':
    case 'copyVm':
      return true;
    default:
      return step.do !== 'together' && step.do !== 'atomic';
  }
}

function vmsNamed(step: Step): readonly string[] {
  if ('steps' in step) return (step.steps ?? []).flatMap(vmsNamed);
  return 'vm' in step ? [step.vm] : [];
}

const namesSwitches = (step: Step): boolean =>
  'steps' in step ? (step.steps ?? []).some(namesSwitches) : 'switch' in step;
