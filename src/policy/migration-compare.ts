import { macText, parseMac } from '../../switch/parameters.ts';
import type { PropertyInstance } from '../../switch/ports.ts';
import { maxSaveData, SAVE_STATE } from '../../switch/save-state-view.ts';
import { type Steps, settled } from '../../switch/steps.ts';
import { type ExtSwitchError, isExtSwitchError } from '../core/errors.ts';
import { isErrorStatus } from '../core/status.ts';
import { versionText } from './class-relation.ts';
import type {
  CompatibilityReport,
  Incompatibility,
  MigrationDocument,
  MigrationMapping,
  PortableAdapter,
  PortableProperty,
} from './migration-api.ts';
import { classKey } from './migration-document.ts';
import {
  arrivedSettings,
  classesOf,
  mayBeKept,
  switchFor,
  type TypedSettings,
} from './migration-skeleton.ts';
import { isEnabledOn, notOffered, notOfferedText } from './required-features.ts';
import { refused } from './veto.ts';
import { portOf } from './vm-connection.ts';
import type { AdapterEntry, VmEntry } from './vm-entry.ts';
import { mustBeThere, type SwitchEntry, type World } from './world.ts';

/*
 * What Compare-VM is to Hyper-V (management.md 5): everything that would keep a VM from running here, or that would be missing,
 * each with what to do about it. Two halves: what the tables of this world say, and what the extensions say on a validation port.
 */

type Problem = Omit<Incompatibility, 'severity'>;

/** One adapter looked at on the switch it would connect to. */
interface Place {
  readonly world: World;
  readonly adapter: PortableAdapter;
  readonly entry: SwitchEntry | undefined;
  readonly problems: Incompatibility[];
  readonly typed: TypedSettings | undefined;
}

/**
 * Without asking anybody. `self`: the VM is this world's own, so its names and addresses are no clash. `typed` takes the values
 * of policies that fit.
 */
export function staticProblems(
  world: World,
  document: MigrationDocument,
  switches: MigrationMapping,
  self = false,
  typed?: TypedSettings,
): Incompatibility[] {
  const problems: Incompatibility[] = [];
  if (!self) namesTaken(world, document, problems);
  const classes = classesOf(document);
  const isAlive = document.vm.state === 'running' || document.vm.state === 'paused';
  for (const adapter of document.vm.adapters) {
    const entry = placeOf(world, adapter, switches, problems);
    const place = { world, adapter, entry, problems, typed };
    requiredMissing(place);
    for (const property of adapter.properties) {
      classProblem(place, property, classes.get(classKey(property.featureId, property.version)));
    }
    ownersMissing(place);
    recordProblems(place);
    if (!self) macTaken(place, isAlive);
  }
  return problems;
}

export function reportOf(problems: readonly Incompatibility[]): CompatibilityReport {
  return { ok: problems.every(({ severity }) => severity !== 'error'), problems };
}

function fails(problems: Incompatibility[], problem: Problem): void {
  problems.push({ ...problem, severity: 'error' });
}

function warns(problems: Incompatibility[], problem: Problem): void {
  problems.push({ ...problem, severity: 'warning' });
}

/** Ids and names, which somebody may take while the extensions are asked. */
export function namesTaken(
  world: World,
  { vm }: MigrationDocument,
  problems: Incompatibility[],
): void {
  if (world.vms.has(vm.id) || vm.adapters.some(({ id }) => world.adapters.has(id))) {
    fails(problems, {
      code: 'NAME_TAKEN',
      message: `VM id ${vm.id} is taken: the VM, or a copy of it, is on ${hostText(world)} already`,
    });
  } else if (world.vmNames.has(vm.name)) {
    fails(problems, {
      code: 'NAME_TAKEN',
      message: `a VM named ${JSON.stringify(vm.name)} is on ${hostText(world)} already: delete or rename one of them`,
    });
  }
}

/** The switch for an adapter, told of when it is missing or cannot take anything now. */
function placeOf(
  world: World,
  adapter: PortableAdapter,
  switches: MigrationMapping,
  problems: Incompatibility[],
): SwitchEntry | undefined {
  const { name, switch: from } = adapter;
  try {
    const entry = switchFor(world, adapter, switches);
    const life = entry?.machine.state.life;
    if (entry === undefined || life === 'active') return entry;
    fails(problems, {
      code: 'SWITCH_DOWN',
      adapter: name,
      rule: 'A50',
      message: `switch ${entry.name} is ${life}, expected active: a required extension does not run there`,
    });
  } catch (error) {
    if (!isExtSwitchError(error)) throw error;
    fails(problems, {
      code: 'SWITCH_MISSING',
      adapter: name,
      message: `adapter ${JSON.stringify(name)} connects to switch ${JSON.stringify(from?.name)} (33012): ${error.message} on ${hostText(world)}; name another one or create it`,
    });
  }
  return undefined;
}

function requiredMissing({ world, adapter, entry, problems }: Place): void {
  if (entry === undefined) return;
  for (const missing of notOffered(world, entry, adapter.requiredFeatures)) {
    fails(problems, {
      code: 'FEATURE_REQUIRED',
      adapter: adapter.name,
      feature: missing.name,
      message: `switch ${entry.name}: ${notOfferedText(missing)}`,
    });
  }
}

/** A report is read where the VM is: `this host` would be the wrong one. */
const hostText = ({ name }: World): string => `host ${JSON.stringify(name)}`;

/** At most one problem for a policy: what its class is here, then whether its values fit. */
function classProblem(
  { world, adapter, problems, typed }: Place,
  property: PortableProperty,
  theirs: MigrationDocument['features'][number] | undefined,
): void {
  const { feature, featureId, version } = property;
  const about = { adapter: adapter.name, feature };
  const registered = world.registry.byId('setting', featureId);
  if (registered === undefined) {
    const code = 'CLASS_MISSING';
    const where = `class ${feature} (${featureId}) is not registered on ${hostText(world)}`;
    // What the connection requires is in the report already, with this as its reason.
    const isRequired = adapter.requiredFeatures.some(({ id }) => id === featureId);
    if (isRequired || theirs === undefined || !mayBeKept(theirs)) {
      const message = `${where}: register its MOF there, or remove the policy`;
      fails(problems, { ...about, code, message });
    } else {
      const message = `${where}: the policy is kept there unread and told to nobody; it is read when the MOF is registered there, and wherever the VM goes next`;
      warns(problems, { ...about, code, message });
    }
    return;
  }
  const uint16 = theirs?.uint16 ?? 'native';
  const { missing, feature: here } = registered;
  if (missing !== undefined) {
    fails(problems, {
      ...about,
      code: 'NDIS_VERSION',
      rule: 'E1',
      message: `${feature} needs NDIS ${missing.since}, ${hostText(world)} has ${world.ndis}: ${missing.what}`,
    });
    return;
  }
  if (here.version < version) {
    fails(problems, {
      ...about,
      code: 'CLASS_OLDER',
      message: `class ${feature} is version ${versionText(here.version)} on ${hostText(world)}, the policy is ${versionText(version)}: register the newer class there`,
    });
    return;
  }
  if (here.version > version) {
    warns(problems, {
      ...about,
      code: 'CLASS_NEWER',
      message: `class ${feature} is version ${versionText(here.version)} on ${hostText(world)}, the policy is ${versionText(version)}: new members take their defaults`,
    });
  }
  if (!here.builtIn && registered.uint16 !== uint16) {
    fails(problems, {
      ...about,
      code: 'UINT16_PROFILE',
      message: `class ${feature} is serialized with uint16 ${registered.uint16} on ${hostText(world)}, with ${uint16} where the VM is: register it alike`,
    });
    return;
  }
  try {
    arrivedSettings(registered, property, typed);
  } catch (error) {
    fails(problems, {
      ...about,
      code: 'PROPERTY_REFUSED',
      message: `policy ${property.id}: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
}

/** Extensions whose policies nobody would consume; the switch's own behaviour applies then (management.md 5). */
function ownersMissing({ world, adapter, entry, problems }: Place): void {
  if (entry === undefined) return;
  const told = new Set<string>();
  for (const { featureId, feature } of adapter.properties) {
    const here = world.registry.byId('setting', featureId)?.feature;
    if (here === undefined || here.builtIn || told.has(here.extensionId)) continue;
    const { extensionId } = here;
    told.add(extensionId);
    if (isEnabledOn(world, entry, extensionId)) continue;
    const installed = world.extensions.get(extensionId);
    warns(problems, {
      code: installed !== undefined ? 'EXTENSION_DISABLED' : 'EXTENSION_MISSING',
      adapter: adapter.name,
      feature,
      extensionId,
      message:
        installed !== undefined
          ? `extension ${installed.name} (${extensionId}), which ${feature} is for, does not run on switch ${entry.name}: nobody enforces the policy until it is enabled there`
          : `extension ${extensionId}, which ${feature} is for, is not installed on ${hostText(world)}: nobody enforces the policy`,
    });
  }
}

/** Run-time data that nobody would take (rule G26), or that no request of this NDIS version can carry (rule G12). */
function recordProblems({ world, adapter, entry, problems }: Place): void {
  if (entry === undefined) return;
  const max = maxSaveData(SAVE_STATE.revisionFor(world.ndis));
  for (const { extensionId, extensionFriendlyName, data } of adapter.saved) {
    const about = { adapter: adapter.name, extensionId };
    if (data.length > max) {
      fails(problems, {
        ...about,
        code: 'NDIS_VERSION',
        rule: 'G12',
        message: `${data.length} bytes of run-time data of ${extensionFriendlyName}: NDIS ${world.ndis} carries at most ${max}`,
      });
    } else if (!isEnabledOn(world, entry, extensionId)) {
      warns(problems, {
        ...about,
        code: 'RECORD_UNOWNED',
        rule: 'G26',
        message: `${data.length} bytes of run-time data of ${extensionFriendlyName} (${extensionId}): it does not run on switch ${entry.name}; they are kept with the VM`,
      });
    }
  }
}

function macTaken({ world, adapter, problems }: Place, isAlive: boolean): void {
  const mac = parseMac(adapter.mac);
  if (mac === undefined) return;
  const user = world.macs.userOf(mac);
  const told = { code: 'MAC_TAKEN', adapter: adapter.name } as const;
  if (user !== undefined && user.id !== adapter.id) {
    const message = `mac ${macText(mac)} is in use by ${user.description}: give one of them another address`;
    if (isAlive) fails(problems, { ...told, message });
    else warns(problems, { ...told, message });
  } else if (world.macs.isKept(mac)) {
    warns(problems, {
      ...told,
      message: `mac ${macText(mac)} is in the settings of another adapter of ${hostText(world)}: the two cannot run at the same time`,
    });
  }
}

// --- what the extensions say -------------------------------------------------------------------------------------------

/**
 * S12 steps 1 and 2 for each adapter: a validation port with its policies, taken away again (rules B44-B47, G36). `first` stops
 * at the first refusal, as a migration does; else each policy is asked about, so that a report names all of them.
 */
export function* askedProblems(
  world: World,
  vm: VmEntry,
  first: boolean,
): Steps<Incompatibility[]> {
  const problems: Incompatibility[] = [];
  for (const adapter of vm.adapters) {
    const entry = adapter.target === undefined ? undefined : world.switches.get(adapter.target.id);
    if (entry === undefined) continue;
    adapter.opening = entry;
    try {
      yield* askAbout(world, adapter, entry, first, problems);
    } finally {
      adapter.opening = undefined;
    }
    if (first && problems.length > 0) break;
  }
  return problems;
}

function* askAbout(
  world: World,
  adapter: AdapterEntry,
  entry: SwitchEntry,
  first: boolean,
  problems: Incompatibility[],
): Steps<void> {
  const check = (): void => mustBeThere(entry);
  const options = portOf(adapter, { isValidationPort: true });
  const { port, request } = yield* settled(entry.machine.createPort(options, { check }));
  const { name } = adapter.settings;
  if (isErrorStatus(request.status)) {
    const error = refused(world, request, `the validation port of ${adapter.description}`);
    fails(problems, { code: 'PORT_REFUSED', adapter: name, ...whoRefused(error) });
    return;
  }
  for (const property of adapter.properties.values()) {
    const added = entry.machine.addProperty(port, property, { check });
    const told = added instanceof Promise ? yield* settled(added) : added;
    if (told === undefined || !isErrorStatus(told.status)) continue;
    const error = refused(world, told, `${policyText(property)} of ${adapter.description}`);
    const about = { adapter: name, feature: property.codec.name };
    fails(problems, { code: 'PROPERTY_REFUSED', ...about, ...whoRefused(error) });
    if (first) break;
  }
  yield* settled(entry.machine.deletePort(port));
}

function whoRefused({ message, place }: ExtSwitchError): Pick<Problem, 'message'> {
  const { ndisStatus, extensionId } = place;
  return {
    message,
    ...(ndisStatus === undefined ? {} : { ndisStatus }),
    ...(extensionId === undefined ? {} : { extensionId }),
  };
}

function policyText({ codec, id }: PropertyInstance): string {
  return `property ${codec.name} (${id})`;
}
