import type { Area } from '../mutant.ts';

const file = 'src/policy/change-log.ts';
const suites = [
  'test/policy/undo.test.ts',
  'test/policy/durability.test.ts',
  'test/policy/undo-removal.test.ts',
  'test/policy/undo-nics.test.ts',
  'test/policy/vm-durability.test.ts',
];

export const CHANGES: Area = {
  name: 'Change log and undo',
  isSimulated: true,
  mutants: [
    {
      id: 'policy-not-written',
      title: 'a policy of a switch or a host port is acknowledged and never written',
      file: 'src/policy/property-set.ts',
      from: '[put(this.#key(id), propertyRecord(property))],',
      to: '[],',
      suites: ['test/policy/durability.test.ts', 'test/policy/restart.test.ts'],
    },
    {
      id: 'removal-not-written',
      title: 'a policy that was removed is back after a restart',
      file: 'src/policy/property-set.ts',
      from: '[remove(this.#key(property.id))],',
      to: '[],',
      suites: ['test/policy/durability.test.ts', 'test/policy/restart.test.ts'],
    },
    {
      id: 'undone-oldest-first',
      title: 'the changes of an atomic one that fails are taken back oldest first',
      file,
      from: 'for (const undo of transaction.undos.reverse()) await this.#undo(undo);',
      to: 'for (const undo of transaction.undos) await this.#undo(undo);',
      suites,
    },
    {
      id: 'written-since-forgotten',
      title: 'what is written while failed changes are undone is not known to the undoing',
      file,
      from: 'if (this.#writtenSince !== undefined) for (const { key } of ops) this.#writtenSince.add(key);',
      to: '',
      suites,
    },
    {
      id: 'newer-value-overwritten',
      title: 'a failed write that stands is written again over values that came later',
      file,
      from: 'await this.writeAgain(written.ops.filter(({ key }) => !replaced.has(key)));',
      to: 'await this.writeAgain(written.ops);',
      suites,
    },
    {
      id: 'standing-write-forgotten',
      title: 'of a failed write that stands the keys nobody has replaced are not stored',
      file,
      from: '        await this.writeAgain(written.ops.filter(({ key }) => !replaced.has(key)));\n',
      to: '',
      suites,
    },
    {
      id: 'collecting-skips',
      title: 'writes that end while failed ones are collected go from the list at once',
      file,
      from: '        if (this.#isCollecting) return;\n',
      to: '',
      suites: ['test/policy/slips.test.ts'],
    },
    {
      id: 'atomic-not-alone',
      title: 'an atomic change does not wait for those under way',
      file,
      from: 'if (this.#active > 0) await new Promise<void>((resolve) => (this.#idle = resolve));',
      to: '',
      suites: [
        'test/policy/slips.test.ts',
        'test/policy/races.test.ts',
        'test/policy/world.test.ts',
        ...suites,
      ],
    },
    {
      id: 'held-undos-out-of-order',
      title: 'undos that waited for a removal are not put back into their order',
      file,
      from: '        settled.sort((a, b) => byOrder(a.written, b.written));\n',
      to: '',
      suites: ['test/policy/undo-removal.test.ts', ...suites],
    },
    {
      id: 'undo-does-not-wait',
      title: 'an undo does not wait for a removal that may yet come to nothing',
      file,
      from: 'if (removal === written.removal || !removal.covers(ops, part)) continue;',
      to: 'if (removal === written.removal || removal.covers(ops, part)) continue;',
      suites: ['test/policy/undo-removal.test.ts', ...suites],
    },
    {
      id: 'rest-of-a-failed-change-forgotten',
      title:
        'what else a failed change of a VM wanted to write is forgotten when a later change is stored already',
      file: 'src/policy/vm-change.ts',
      from: 'return mine <= vm.stored ? storeStanding(world, vm) : drive(takeBack(world, vm));',
      to: 'return mine <= vm.stored ? undefined : drive(takeBack(world, vm));',
      suites: ['test/policy/undo.test.ts', 'test/policy/vm-durability.test.ts'],
    },
  ],
};
