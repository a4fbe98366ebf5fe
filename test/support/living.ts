import { isExtSwitchError } from '../../src/core/errors.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  ExtensionType,
  SwitchContext,
} from '../../src/sdk/extension.ts';
import { Switch } from '../../switch/switch.ts';
import { extension, now, type SwitchWorld } from './switch-world.ts';

/** An extension that writes its life and its events into `log`. */
export function living(
  log: string[],
  type: ExtensionType,
  name: string,
  more: (sw: SwitchContext) => ExtensionHandlers = () => ({}),
): ExtensionDefinition {
  return extension(
    type,
    (sw) => {
      log.push(`attach ${name}`);
      return {
        restart: () => void log.push(`restart ${name}`),
        activate: () => void log.push(`activate ${name}`),
        pause: () => void log.push(`pause ${name}`),
        detach: () => void log.push(`detach ${name}`),
        netPnPEvent: ({ event, stack }) => void log.push(`${event} ${name} of ${stack.length}`),
        ...more(sw),
      };
    },
    name,
  );
}

/** `name state` of every module, top to bottom. */
export const states = (machine: Switch): string[] =>
  machine.modules.map(({ name, state }) => `${name} ${state}`);

/** Every change of a module's state, as the switch told it. */
export const lives = (world: SwitchWorld): string[] =>
  world.changes
    .filter(({ event }) => event === 'moduleState')
    .map((change) => `${change['extension']} ${change['from']}>${change['to']}`);

/** `code rule` of what a call throws. */
export function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isExtSwitchError(error)) return `${error.code} ${error.place.rule}`;
    throw error;
  }
  return 'not refused';
}

/** A switch that is started and not yet active (OP-20). */
export function startInactive(
  world: SwitchWorld,
  extensions: readonly ExtensionDefinition[],
): Switch {
  const id = '5a5a5a5a-0000-0000-0000-000000000002';
  const machine = new Switch({ id, name: 'early', type: 'external' }, world.environment);
  now(machine.start(extensions, { activate: false }));
  return machine;
}
