import { ExtSwitchError } from '../core/errors.ts';
import { type ControlPlane, type Item, pathOf } from './client.ts';
import { commandName, type Invocation } from './command.ts';
import { UsageError } from './usage-error.ts';

/**
 * Whose properties and feature status are meant: `/switches/S`, `/switches/S/ports/P`, or `/vms/V/adapters/A`, by the flags
 * `--switch [--port]` or `--vm [--adapter]` as the cmdlets have them (management.md 4). Throws {@link UsageError} unless it
 * is exactly one of them.
 */
export async function targetPath(call: Invocation, plane: ControlPlane): Promise<string> {
  const [switchName, port] = [call.text('switch'), call.text('port')];
  const help = commandName(call.spec);
  const together = (one: string, other: string): void => {
    if (call.has(one) && call.has(other)) {
      throw new UsageError(`--${one} and --${other} cannot be used together`, help);
    }
  };
  together('vm', 'switch');
  together('vm', 'port');
  together('switch', 'adapter');
  if (call.has('vm')) return adapterPath(call, plane);
  if (switchName === undefined) {
    throw new UsageError(
      'whose? give --switch SWITCH [--port PORT] or --vm VM [--adapter ADAPTER]',
      help,
    );
  }
  const base = `/switches${pathOf(switchName)}`;
  return port === undefined ? base : `${base}/ports${pathOf(port)}`;
}

/** `/vms/V/adapters/A` by `--vm` and `--adapter`; a VM with one adapter needs no `--adapter`. */
export async function adapterPath(call: Invocation, plane: ControlPlane): Promise<string> {
  const vm = call.text('vm') ?? '';
  const given = call.text('adapter');
  if (given !== undefined) return `/vms${pathOf(vm)}/adapters${pathOf(given)}`;
  const { adapters } = (await plane.get(`/vms${pathOf(vm)}`)) as {
    readonly adapters: readonly Item[];
  };
  const [only, second] = adapters;
  if (only !== undefined && second === undefined) {
    return `/vms${pathOf(vm)}/adapters${pathOf(String(only['id']))}`;
  }
  if (only === undefined) {
    throw new ExtSwitchError('NOT_FOUND', `VM ${vm} has no network adapters`);
  }
  const names = adapters.map(({ name }) => JSON.stringify(name)).join(', ');
  throw new UsageError(
    `VM ${vm} has ${adapters.length} adapters, name one with --adapter: ${names}`,
    commandName(call.spec),
  );
}
