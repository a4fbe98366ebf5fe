import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { isExtSwitchError } from '../core/errors.ts';
import { builtinFeatures } from '../mof/index.ts';
import type { ProfileName } from '../policy/api.ts';
import { DEFAULT_PROFILE } from '../policy/profile.ts';
import { mofFilesOf } from '../sdk/define.ts';
import type { ExtensionDefinition } from '../sdk/extension.ts';
import { loadExtension } from '../sdk/load.ts';
import type { Field } from './field.ts';
import {
  BEHAVIOUR,
  EXPECT_FAILURE,
  EXTENSIONS,
  FEATURES,
  FILE_FIELDS,
  HOSTS,
  INVARIANTS,
  type PathAt,
  VM,
} from './file-fields.ts';
import type { ScenarioSource } from './load.ts';
import { addClasses } from './mof-field.ts';
import { addFeature, type Names, noNames } from './names.ts';
import type { Cell } from './plan.ts';
import { Problems } from './problems.ts';
import { Reader } from './reader.ts';
import type { AdapterSpec, HostSpec, MofFile, Scenario, VmSpec } from './scenario.ts';
import type { Entry, SourceNode } from './source-node.ts';
import { readSteps } from './steps.ts';
import { VERB_BY_NAME } from './verb-table.ts';
import { loopOf } from './verbs/flow-verbs.ts';
import { given } from './verbs/vm-verbs.ts';

type Entries = ReadonlyMap<string, Entry>;

/**
 * Checks a scenario with the values of one cell and makes it ready to run: loads its extensions, compiles its MOF files,
 * unfolds its loops. Throws `INVALID_ARGUMENT` with every problem at its line and column.
 */
export async function readScenario(source: ScenarioSource, cell: Cell): Promise<Scenario> {
  const problems = new Problems(source.file);
  const names = noNames(source.file, source.folder);
  const reader = new Reader(problems, names, cell.parameters, readSteps);
  const entries: Entries = source.node.kind === 'map' ? source.node.entries : new Map();
  const missing = Object.entries(FILE_FIELDS).filter(
    ([name, f]) => f.required && !entries.has(name),
  );
  for (const [name, { type }] of missing) {
    problems.add(source.node.place, `the field ${name} (${type}) is missing`);
  }
  const files = new ScenarioFiles(source.folder, problems);
  const extensions = await files.extensions(
    readAt(EXTENSIONS, 'extensions', entries, reader),
    names,
  );
  for (const alias of extensions.keys()) names.extensions.add(alias);
  for (const feature of builtinFeatures()) addFeature(names, feature);
  const features = await files.features(readAt(FEATURES, 'features', entries, reader), names);
  const hosts = await readHosts(entries, reader, files, features, cell.profile ?? DEFAULT_PROFILE);
  const vms = readVms(entries, reader);
  const steps = readAt(stepsAt, 'steps', entries, reader) ?? [];
  const { noPolicyLost = true, noFindings = true } =
    readAt(INVARIANTS, 'invariants', entries, reader) ?? {};
  const behaviour = readAt(BEHAVIOUR, 'behaviour', entries, reader) ?? {};
  const scheduling = entries.get('scheduling')?.value;
  const isSeeded = scheduling?.kind === 'scalar' && scheduling.value === 'seeded';
  if (scheduling !== undefined) FILE_FIELDS['scheduling']?.read(scheduling, reader, 'scheduling');
  const expectFailure = readFailure(entries, reader);
  problems.throwIfAny();
  return {
    name: readText('name', entries, reader) ?? source.file,
    description: readText('description', entries, reader),
    file: source.file,
    seed: cell.seed,
    scheduling: isSeeded ? 'seeded' : 'fifo',
    behaviour: given(behaviour) as Scenario['behaviour'],
    hosts,
    extensions,
    vms,
    steps,
    invariants: { noPolicyLost, noFindings },
    expectFailure,
  };
}

const stepsAt = {
  type: 'list of steps',
  help: '',
  required: true,
  schema: {},
  read: (node: SourceNode, reader: Reader) => reader.steps(node),
};

function readAt<T>(field: Field<T>, name: string, entries: Entries, reader: Reader): T | undefined {
  const entry = entries.get(name);
  return entry === undefined ? undefined : field.read(entry.value, reader, name);
}

function readText(name: string, entries: Entries, reader: Reader): string | undefined {
  const value = entries.get(name)?.value;
  const node = value && reader.resolve(value);
  return node?.kind === 'scalar' && node.value !== null ? String(node.value) : undefined;
}

async function readHosts(
  entries: Entries,
  reader: Reader,
  files: ScenarioFiles,
  features: readonly MofFile[],
  profile: ProfileName,
): Promise<readonly HostSpec[]> {
  const { names } = reader;
  const read = readAt(HOSTS, 'hosts', entries, reader) ?? new Map();
  const node = entries.get('hosts')?.value;
  if (node?.kind === 'map' && node.entries.size === 0) {
    reader.problems.add(node.place, 'hosts: expected at least one');
  }
  const hosts: HostSpec[] = [];
  for (const [name, host] of read) {
    names.hosts.add(name);
    for (const sw of host.switches ?? []) names.switches.add(sw.name);
    const own = host.features === undefined ? features : await files.features(host.features, names);
    hosts.push({
      name,
      profile: host.profile ?? profile,
      store: host.store ?? 'memory',
      features: own,
      extensions: host.extensions ?? [],
      switches: (host.switches ?? []).map((sw: NonNullable<typeof host.switches>[number]) => ({
        name: sw.name,
        type: sw.type ?? 'private',
        extensions: sw.extensions ?? [],
        disabled: sw.disabled ?? [],
      })),
    });
  }
  return hosts;
}

function readVms(entries: Entries, reader: Reader): readonly VmSpec[] {
  const list = entries.get('vms')?.value;
  if (list === undefined) return [];
  if (list.kind !== 'list') {
    reader.wrong(list, 'vms', 'a list of VMs');
    return [];
  }
  const vms: VmSpec[] = [];
  for (const item of list.items) {
    const loop = item.kind === 'map' ? item.entries.get('repeat') : undefined;
    if (loop === undefined || item.kind !== 'map') {
      readVm(item, reader, vms);
      continue;
    }
    const rest = [...item.entries].filter(([name]) => name !== 'repeat');
    const one: SourceNode = { ...item, entries: new Map(rest) };
    for (const inner of loopOf(loop.value, reader)) readVm(one, inner, vms);
  }
  return vms;
}

function readVm(node: SourceNode, reader: Reader, vms: VmSpec[]): void {
  const { names, problems } = reader;
  const vm = VM.read(node, reader, 'vms');
  if (vm === undefined) return;
  const host = vm.host ?? (names.hosts.size === 1 ? [...names.hosts][0] : undefined);
  if (host === undefined) {
    if (names.hosts.size > 0) {
      problems.add(
        node.place,
        `VM ${vm.name}: which host? expected host, one of ${[...names.hosts].join(', ')}`,
      );
    }
    return;
  }
  if (names.vms.has(vm.name)) problems.add(node.place, `a second VM is called ${vm.name}`);
  const adapters = (vm.adapters ?? []).map((each) => given(each) as AdapterSpec);
  names.vms.set(
    vm.name,
    adapters.map(({ name }) => ({ name })),
  );
  vms.push({ name: vm.name, host, adapters });
}

function readFailure(entries: Entries, reader: Reader): Scenario['expectFailure'] {
  const entry = entries.get('expectFailure');
  const read = readAt(EXPECT_FAILURE, 'expectFailure', entries, reader);
  if (entry === undefined || read === undefined) return undefined;
  const known = ['noPolicyLost', 'noFindings'];
  if (!known.includes(read.in) && !VERB_BY_NAME.has(read.in)) {
    reader.problems.add(
      entry.value.place,
      `expectFailure.in: expected ${known.join(', ')} or a verb, found ${JSON.stringify(read.in)}`,
    );
  }
  return { ...given(read), in: read.in, place: entry.key } as Scenario['expectFailure'];
}

/** The files that a scenario names; what is wrong with one is a problem at the place of its path. */
class ScenarioFiles {
  readonly #folder: string;
  readonly #problems: Problems;

  constructor(folder: string, problems: Problems) {
    this.#folder = folder;
    this.#problems = problems;
  }

  async extensions(
    paths: ReadonlyMap<string, PathAt> | undefined,
    names: Names,
  ): Promise<ReadonlyMap<string, ExtensionDefinition>> {
    const loaded = new Map<string, ExtensionDefinition>();
    for (const [alias, at] of paths ?? []) {
      try {
        const definition = await loadExtension(at.path, this.#folder);
        loaded.set(alias, definition);
        for (const { bytes, path } of mofFilesOf(definition)) this.#compile(bytes, path, at, names);
      } catch (error) {
        if (!isExtSwitchError(error)) throw error;
        this.#problems.add(at.place, `extension ${alias}: ${error.message}`);
        names.extensions.add(alias);
      }
    }
    return loaded;
  }

  async features(paths: readonly PathAt[] | undefined, names: Names): Promise<MofFile[]> {
    const files: MofFile[] = [];
    for (const at of paths ?? []) {
      const absolute = resolve(this.#folder, at.path);
      const bytes = await readFile(absolute).catch(() => undefined);
      if (bytes === undefined) {
        this.#problems.add(at.place, `cannot read the MOF file ${at.path}`);
        continue;
      }
      this.#compile(bytes, at.path, at, names);
      files.push({ path: relative(this.#folder, absolute), bytes });
    }
    return files;
  }

  #compile(bytes: Uint8Array, path: string, { place }: PathAt, names: Names): void {
    addClasses({ path, bytes }, place, names, this.#problems);
  }
}
