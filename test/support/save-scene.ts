import type { NdisVersion } from '../../src/abi/index.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { ExtensionDefinition, ExtensionType } from '../../src/sdk/extension.ts';
import type { SwitchBehaviour } from '../../switch/environment.ts';
import type { Nic, Port } from '../../switch/ports.ts';
import type { RestoreOutcome, SaveOutcome } from '../../switch/save-operations.ts';
import type { SaveRecord } from '../../switch/save-record.ts';
import type { Switch } from '../../switch/switch.ts';
import {
  extension,
  makePort,
  nicOptions,
  now,
  type SwitchWorld,
  startSwitch,
  switchWorld,
} from './switch-world.ts';

/** A switch with one connected NIC, and what a save or restore of it sends. */
export interface SaveScene {
  readonly world: SwitchWorld;
  readonly machine: Switch;
  readonly port: Port;
  readonly nic: Nic;
  save(): SaveOutcome;
  restore(records: readonly SaveRecord[]): RestoreOutcome;
  /** `SAVE SUCCESS` … of what was sent since the NIC was connected. */
  sent(): string[];
}

/** A connected NIC above which these extensions stand, top to bottom. */
export function saveScene(
  extensions: readonly ExtensionDefinition[],
  ndis: NdisVersion = '6.85',
  behaviour: Partial<SwitchBehaviour> = {},
): SaveScene {
  const world = switchWorld(ndis, 'test', behaviour);
  const machine = startSwitch(world, extensions);
  const port = makePort(machine);
  const { nic } = now(machine.connectNic(port, nicOptions()));
  world.trace.clear();
  return {
    world,
    machine,
    port,
    nic,
    save: () => now(machine.saveNic(port, nic)),
    restore: (records) => now(machine.restoreNic(port, nic, records)),
    sent: () => nicOidsOf(world),
  };
}

/** NIC requests of a world by short name and status. */
export function nicOidsOf(world: SwitchWorld): string[] {
  return world.trace
    .entries()
    .map(
      ({ oid, status }) =>
        `${oid.replace('OID_SWITCH_NIC_', '')} ${status.replace('NDIS_STATUS_', '')}`,
    );
}

/** Gives these blobs one by one, again after BUFFER_TOO_SHORT, then forwards. */
export function keeper(
  blobs: readonly Uint8Array[],
  type: ExtensionType = 'filter',
  name: string = type,
): ExtensionDefinition {
  const left = [...blobs];
  return extension(
    type,
    {
      saveNic: (state) => {
        const next = left[0];
        if (next === undefined) return 'forward';
        const status = state.save(next);
        if (status === NdisStatus.SUCCESS) left.shift();
        return status;
      },
    },
    name,
  );
}

/** So many equal bytes. */
export function blob(length: number, fill = 0xab): Uint8Array {
  return new Uint8Array(length).fill(fill);
}
