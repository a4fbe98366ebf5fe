import { isExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface } from '../../policy/api.ts';
import type { Route } from '../route.ts';
import type { Claim, SubjectKind, WhoseQuestion } from './messages.ts';

/** What a request is about, when that is something one host of a cluster has. */
export interface Subject {
  readonly kind: SubjectKind;
  /** Id or name, as it was given. */
  readonly text: string;
}

/** The subject of a request: by `{vm}` or `{migration}` in its path, or the VM that a migration begins with. */
export function subjectOf(
  route: Route,
  params: Readonly<Record<string, string>>,
  body: unknown,
): Subject | undefined {
  const { vm, migration } = params;
  if (vm !== undefined) return { kind: 'vm', text: vm };
  if (migration !== undefined) {
    return { kind: route.about === 'kept' ? 'kept' : 'migration', text: migration };
  }
  if (route.about !== 'vmInBody' || typeof body !== 'object' || body === null) return undefined;
  const named = (body as { readonly vm?: unknown }).vm;
  return typeof named === 'string' ? { kind: 'vm', text: named } : undefined;
}

/** False when the world has nothing of that id or name; what is here more than once is here. */
export function isHere(world: FabricInterface, { kind, text }: Subject): boolean {
  try {
    if (kind === 'vm') world.vms.get(text);
    else if (kind === 'kept') world.migrations.kept(text);
    else world.migrations.get(text);
    return true;
  } catch (error) {
    // A text that is no id at all is refused where it was asked.
    return !(isExtSwitchError(error) && error.code === 'NOT_FOUND');
  }
}

/** What of this world a question means: at most one, unless a name stands for several VMs. */
export function claimsOf(world: FabricInterface, { kind, text }: WhoseQuestion): Claim[] {
  if (!isHere(world, { kind, text })) return [];
  if (kind !== 'vm') return [{ id: text.toLowerCase(), isLeaving: false }];
  const ids = idsOf(world, text);
  const leaving = leavingVms(world);
  return ids.map((id) => ({ id, isLeaving: leaving.has(id) }));
}

function idsOf(world: FabricInterface, text: string): string[] {
  try {
    return [world.vms.get(text).info.id];
  } catch {
    return [...world.vms.keys()].filter(({ name }) => name === text).map(({ id }) => id);
  }
}

/** VMs that a migration is taking away. */
function leavingVms(world: FabricInterface): ReadonlySet<string> {
  const leaving = new Set<string>();
  for (const { state, dryRun, vm } of world.migrations.list()) {
    if (state === 'running' && dryRun !== true) leaving.add(vm.id);
  }
  return leaving;
}

/** As people read it: `VM "web"`. */
export function subjectName({ kind, text }: Subject): string {
  const what = { vm: 'VM', migration: 'migration', kept: 'what is kept of migration' }[kind];
  return `${what} ${JSON.stringify(text.slice(0, 256))}`;
}
