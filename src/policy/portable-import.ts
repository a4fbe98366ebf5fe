import type { VmInfo } from './api.ts';
import type { Transaction } from './change-log.ts';
import { isHyperVDump } from './hyperv-dump.ts';
import { contentOfHyperVDump } from './hyperv-import.ts';
import { switchInfo } from './info.ts';
import type { ImportOptions, ImportReport, PortableContent } from './migration-api.ts';
import { readKept } from './opaque-policies.ts';
import { checkPortableDocument } from './portable-check.ts';
import { ClassMap } from './portable-classes.ts';
import { MacIntake } from './portable-macs.ts';
import { oneOf, text, wrongAt } from './portable-shape.ts';
import { importSwitch } from './portable-switch.ts';
import { type Intake, importVm } from './portable-vm.ts';
import { vmInfo } from './vm-info.ts';
import type { SwitchEntry, World } from './world.ts';

type Tx = Transaction | undefined;

/** The VMs of a document from anywhere, all of them or none; its switches are left out. */
export function importVms(
  world: World,
  transaction: Tx,
  document: unknown,
  options: ImportOptions = {},
): Promise<ImportReport> {
  return importContent(world, transaction, readDocument(document), options, false);
}

/** The switches of a document with their policies, host ports and VMs, all of it or nothing. */
export function importSwitches(
  world: World,
  transaction: Tx,
  document: unknown,
  options: ImportOptions = {},
): Promise<ImportReport> {
  return importContent(world, transaction, readDocument(document), options, true);
}

interface Read {
  readonly content: PortableContent;
  readonly notes: readonly string[];
}

function readDocument(document: unknown): Read {
  if (isHyperVDump(document)) return contentOfHyperVDump(document);
  return { content: checkPortableDocument(document), notes: [] };
}

async function importContent(
  world: World,
  transaction: Tx,
  { content, notes: before }: Read,
  options: ImportOptions,
  withSwitches: boolean,
): Promise<ImportReport> {
  checkOptions(content, options, withSwitches);
  return allOrNothing(world, transaction, async (inside) => {
    const notes = [...before];
    const imported = new Map<string, SwitchEntry>();
    const intake: Intake = {
      world,
      transaction: inside,
      options: withSwitches ? withoutName(options) : options,
      classes: ClassMap.register(world, inside, content.features, notes),
      macs: new MacIntake(world, options.ids !== 'keep', notes),
      imported,
      notes,
    };
    const switches: SwitchEntry[] = [];
    if (withSwitches) {
      for (const [i, one] of content.switches.entries()) {
        const entry = await importSwitch({ ...intake, options }, one, `switches[${i}]`);
        imported.set(one.name, entry);
        switches.push(entry);
      }
    }
    const vms: VmInfo[] = [];
    for (const [i, one] of content.vms.entries()) {
      vms.push(vmInfo(world, await importVm(intake, one, `vms[${i}]`)));
    }
    await readKept(world, inside);
    return { switches: switches.map(switchInfo), vms, notes };
  });
}

/** A name given for a switch is not that of its VMs. */
function withoutName({ name: _name, ...options }: ImportOptions): ImportOptions {
  return options;
}

/** What names nothing in the document is a slip of the person who wrote it: refused, naming what there is. */
function checkOptions(
  { switches, vms }: PortableContent,
  options: ImportOptions,
  withSwitches: boolean,
): void {
  const { ids, name, switches: mapping = {} } = options;
  if (ids !== undefined) oneOf('fresh', 'keep')(ids, 'ids');
  const [what, all] = withSwitches ? ['switch', switches] : ['VM', vms];
  if (all.length === 0)
    throw wrongAt(withSwitches ? 'switches' : 'vms', `at least one ${what}`, []);
  if (name !== undefined) {
    text(256, 1)(name, 'name');
    if (all.length !== 1) throw wrongAt('name', `a document with one ${what}`, `${all.length}`);
  }
  const known = new Set<string>();
  for (const { adapters } of vms) for (const one of adapters) known.add(one.switch?.name ?? '');
  for (const [from, to] of Object.entries(mapping)) {
    text(256, 1)(to, `switches.${from}`);
    if (known.has(from) && from !== '') continue;
    const there = [...known].filter((one) => one !== '').map((one) => JSON.stringify(one));
    const expected = there.length === 0 ? 'nothing: no adapter has a switch' : there.join(', ');
    throw wrongAt('switches', `names of switches of the document's adapters (${expected})`, from);
  }
}

/** As an atomic change, or inside the one that runs: then what came before it there stays when this is refused. */
async function allOrNothing<T>(
  world: World,
  transaction: Tx,
  change: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const { changes } = world;
  if (transaction === undefined) return changes.atomic(change);
  return changes.run(transaction, async () => {
    const { ops, undos } = transaction;
    const [opCount, undoCount] = [ops.length, undos.length];
    try {
      return await change(transaction);
    } catch (error) {
      for (const undo of undos.splice(undoCount).reverse()) {
        try {
          await undo();
        } catch (cause) {
          const fields = { error: String(cause) };
          world.log('error', 'an import that was refused could not be undone', fields);
        }
      }
      ops.length = opCount;
      throw error;
    }
  });
}
