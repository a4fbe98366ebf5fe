import { isExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface, FeatureStatusInfo, SwitchHandle } from '../../policy/api.ts';
import type { Act, Places } from './change.ts';
import { GUEST } from './guest.ts';
import { switchLine, vmLine } from './state-lines.ts';
import type { Change } from './step.ts';
import {
  expectedStatus,
  KEEPER_NAME,
  mofOf,
  PORT_CLASS,
  PORT_STATUS,
  SWITCH_CLASS,
  SWITCH_STATUS,
} from './well-behaved.ts';

/** Changes of a world as a whole, questions to its extensions, and what an operator decides. */
export type WorldChange = Extract<
  Change,
  {
    do:
      | 'registerClasses'
      | 'installGuest'
      | 'askStatus'
      | 'askSwitchStatus'
      | 'settleMigration'
      | 'resumeMigration'
      | 'abandonArrival'
      | 'discardKept';
  }
>;

const WORLD_CHANGES: Readonly<Record<WorldChange['do'], true>> = {
  registerClasses: true,
  installGuest: true,
  askStatus: true,
  askSwitchStatus: true,
  settleMigration: true,
  resumeMigration: true,
  abandonArrival: true,
  discardKept: true,
};

export const isWorldChange = (change: Change): change is WorldChange =>
  Object.hasOwn(WORLD_CHANGES, change.do);

export function ofWorld(change: WorldChange, places: Places): Act | undefined {
  switch (change.do) {
    case 'askStatus':
    case 'askSwitchStatus':
      return ofQuestion(change, places);
    case 'registerClasses':
      return ofClasses(change, places);
    case 'installGuest':
      return ofGuest(change, places);
    default:
      return ofRuling(change, places);
  }
}

/** Decision 0003: a newer version only while nothing is of it; an older one never. */
function ofClasses(
  { host, version }: Extract<Change, { do: 'registerClasses' }>,
  places: Places,
): Act | undefined {
  const world = places.world(host);
  if (world === undefined) return undefined;
  const shown = (): number => world.features.get(PORT_CLASS).version >> 8;
  const before = shown();
  const mayRise = version === before || (version > before && !hasPolicies(world));
  return {
    host,
    touches: [],
    run: (fabric) => fabric.features.register(mofOf(version), { source: 'simulation.mof' }),
    missing: () => {
      if (!mayRise)
        return `${host} has version ${version} of a class it has policies of, or a newer`;
      return shown() === version ? undefined : `${host} has version ${shown()}, not ${version}`;
    },
  };
}

/** Something is of one of the classes. */
function hasPolicies(world: FabricInterface): boolean {
  for (const { id } of world.vms.keys()) {
    for (const { properties } of world.vms.get(id).adapters) {
      for (const { feature } of properties.list()) if (feature === PORT_CLASS) return true;
    }
  }
  for (const { id } of world.switches.list()) {
    for (const { feature } of world.switches.get(id).properties.list()) {
      if (feature === SWITCH_CLASS) return true;
    }
  }
  return false;
}

function ofGuest(
  { host }: Extract<Change, { do: 'installGuest' }>,
  places: Places,
): Act | undefined {
  const world = places.world(host);
  const has = (): boolean => world?.extensions.list().some(({ id }) => id === GUEST.id) === true;
  if (world === undefined || has()) return undefined;
  return {
    host,
    // It comes to the bottom of no stack, disabled: every switch lists it (rules A36, A42).
    touches: Array.from(world.switches.list(), ({ name }) => switchLine(host, name)),
    run: (fabric) => fabric.extensions.install(GUEST),
    missing: () => (has() ? undefined : `${host} has no ${GUEST.name}`),
  };
}

/** The switch an adapter is on, with the number of its port. */
function placeOf(
  change: Extract<Change, { do: 'askStatus' | 'askSwitchStatus' }>,
  places: Places,
): { host: string; world: FabricInterface; sw: SwitchHandle; portId?: number } | undefined {
  const host = change.do === 'askStatus' ? places.hostOf(change.vm) : change.host;
  const world = host === undefined ? undefined : places.world(host);
  if (host === undefined || world === undefined) return undefined;
  if (change.do === 'askSwitchStatus') {
    const found = [...world.switches.list()].find(({ name }) => name === change.switch);
    return found && { host, world, sw: world.switches.get(found.id) };
  }
  const adapter = world.vms
    .get(change.vm)
    .info.adapters.find(({ name }) => name === change.adapter);
  if (adapter?.port === undefined || adapter.switch === undefined) return undefined;
  const { portId } = adapter.port;
  return { host, world, sw: world.switches.get(adapter.switch.id), portId };
}

/** Who is asked answers with what it believes, as long as nobody misbehaves (rules F1, F8). */
function ofQuestion(
  change: Extract<Change, { do: 'askStatus' | 'askSwitchStatus' }>,
  places: Places,
): Act | undefined {
  const place = placeOf(change, places);
  if (place === undefined) return undefined;
  const { host, sw, portId } = place;
  let answer: FeatureStatusInfo | undefined;
  const keeper = sw.extensions.list().find(({ name }) => name === KEEPER_NAME);
  const isSure =
    change.mischief === undefined &&
    change.rules === undefined &&
    keeper?.running === true &&
    !keeper.desynchronized;
  return {
    host,
    touches: [],
    run: async (fabric) => {
      const on = fabric.switches.get(sw.info.id);
      const asked =
        portId === undefined
          ? on.status(SWITCH_STATUS)
          : on.ports.get(String(portId)).status(PORT_STATUS);
      answer = await asked.catch((error: unknown) => {
        if (isSure && isExtSwitchError(error) && error.code === 'NO_FEATURE_STATUS')
          return undefined;
        throw error;
      });
    },
    missing: () => {
      if (!isSure) return undefined;
      const expected = expectedStatus(portId);
      const found = answer?.data['CurrentStatus'];
      const where = `${host}/${sw.info.name}, port ${portId ?? 'none'}`;
      return found === expected ? undefined : `${where}: status ${found}, expected ${expected}`;
    },
  };
}

type Ruling = Exclude<
  WorldChange,
  { do: 'registerClasses' | 'installGuest' | 'askStatus' | 'askSwitchStatus' }
>;

/** What a person decides, or asks for, of a migration whose other end is away. */
function ofRuling(change: Ruling, places: Places): Act | undefined {
  const { host, vm } = change;
  const world = places.world(host);
  if (world === undefined) return undefined;
  const touches = [vmLine(vm), `policy/${vm}/`];
  const missing = (): undefined => undefined;
  if (change.do === 'abandonArrival') {
    const arrival = [...world.migrations.arrivals()].find(
      ({ vm: of, state }) => of.name === vm && state === 'prepared',
    );
    if (arrival === undefined) return undefined;
    const run = (fabric: FabricInterface) => fabric.migrations.abandon(arrival.id);
    return { host, touches, shakesVms: true, run, missing };
  }
  const isKept = change.do === 'discardKept';
  const found = [...world.migrations.list()].findLast(
    ({ vm: of, state, kept }) => of.name === vm && (isKept ? kept === true : state === 'running'),
  );
  if (found === undefined) return undefined;
  const { id, destination } = found;
  if (change.do === 'settleMigration') {
    const { owner } = change;
    const confirm = destination.host ?? '';
    return {
      host,
      touches,
      run: (fabric) => fabric.migrations.settle(id, { owner, confirm }),
      missing: (after) => {
        if (world.migrations.get(id).state === 'running') return undefined;
        const isHere = after.get(vmLine(vm))?.startsWith(`{"host":"${host}"`) === true;
        if (isHere === (owner === 'source')) return undefined;
        return `${vm} is ${isHere ? 'still' : 'not'} on ${host}, and the ${owner}'s by decision`;
      },
    };
  }
  const run = (fabric: FabricInterface): Promise<unknown> =>
    isKept ? fabric.migrations.discard(id) : fabric.migrations.resume(id);
  return { host, touches, run, missing };
}
