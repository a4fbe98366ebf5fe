import { drive } from '../../switch/steps.ts';
import type { CompatibilityReport } from './migration-api.ts';
import { askedProblems, reportOf, staticProblems } from './migration-compare.ts';
import type { Departure } from './migration-departure.ts';
import { documentOf } from './migration-document.ts';
import { incompatible } from './migration-error.ts';
import { skeletonOf } from './migration-skeleton.ts';
import { mappingOf } from './migration-source.ts';
import type { VmEntry } from './vm-entry.ts';
import { connectAdapter } from './vm-move.ts';
import { pauseVm } from './vm-power.ts';
import { restoreVm, saveVm } from './vm-save.ts';
import type { World } from './world.ts';

/** Whether a VM could run on its switches here, or on this one with all its adapters. Its own names and addresses are no clash. */
export async function compareHere(
  world: World,
  vm: VmEntry,
  switchIdOrName?: string,
): Promise<CompatibilityReport> {
  const document = documentOf(world, vm);
  const switches = mappingOf(document.vm.adapters, switchIdOrName);
  const problems = staticProblems(world, document, switches, true);
  const skeleton = skeletonOf(world, document, switches, true);
  skeleton.adapters = skeleton.adapters.filter((adapter) => {
    const own = vm.adapters.find(({ id }) => id === adapter.id);
    const place = own?.connection ?? own?.standing;
    // Where it has a port now, its policies are accepted already, and its port name is taken by itself.
    return place?.entry.id !== adapter.target?.id;
  });
  const asked = await world.changes.run(undefined, () =>
    drive(askedProblems(world, skeleton, false)),
  );
  return reportOf([...problems, ...asked]);
}

/**
 * A migration to another switch of this host: what Hyper-V does between two hosts (S11), with the same report before and the same
 * run-time data carried over, in one atomic change. Nobody else is asked, so that there is nothing to settle: it is all of it or
 * nothing, and, as a dry run, not remembered by the store.
 */
export async function moveHere(
  world: World,
  departure: Departure,
  vm: VmEntry,
  switchIdOrName: string,
): Promise<void> {
  try {
    departure.begin('compare');
    const report = await compareHere(world, vm, switchIdOrName);
    departure.report = report;
    if (!report.ok) throw incompatible(vm.name, departure.host, report);
    await world.changes.atomic(async (transaction) => {
      const { state } = vm;
      const isAlive = state === 'running' || state === 'paused';
      if (isAlive) {
        departure.begin('save');
        await saveVm(world, transaction, vm);
      }
      departure.begin('take');
      for (const adapter of vm.adapters) {
        if (adapter.target === undefined) continue;
        await connectAdapter(world, transaction, adapter, switchIdOrName);
      }
      if (!isAlive) return;
      departure.begin('restore');
      departure.restore = await restoreVm(world, transaction, vm);
      if (state === 'paused') await pauseVm(world, transaction, vm);
    });
    departure.succeed();
  } catch (error) {
    departure.restore = undefined;
    departure.fail(error);
  }
  departure.end();
}
