import type { Area } from '../mutant.ts';

const suites = [
  'test/policy/migration.test.ts',
  'test/policy/migration-faults.test.ts',
  'test/policy/migration-settle.test.ts',
  'test/policy/migration-crash.test.ts',
];

export const MIGRATION: Area = {
  name: 'Migration',
  isSimulated: true,
  mutants: [
    {
      id: 'handed-not-written',
      title: 'the run-time data is handed over before it is durable at the source (rule G38)',
      file: 'src/policy/migration-source.ts',
      from: `    await this.#write(putMigration(id, departure.record('handing')));\n`,
      to: '',
      suites,
    },
    {
      id: 'copy-stays',
      title: 'the source forgets the VM that has arrived, but its disk does not (rule G39)',
      file: 'src/policy/migration-source.ts',
      from: `await this.#link.insist([...ops, putMigration(id, departure.record('succeeded'))]);`,
      to: `await this.#link.insist([...ops.slice(1), putMigration(id, departure.record('succeeded'))]);`,
      suites,
    },
    {
      id: 'lost-answer-not-asked',
      title: 'what was restored is not asked for again when only the answer was lost',
      file: 'src/policy/migration-source.ts',
      from: 'departure.restore ??= await this.#link',
      to: 'departure.restore ??= id.length > 0 ? undefined : await this.#link',
      suites,
    },
    {
      id: 'failed-take-stays-prepared',
      title: 'a destination that could not take the VM stays prepared (OP-17)',
      file: 'src/policy/migration-destination.ts',
      from: '      yield* this.#abandon(arrival);\n      throw error;',
      to: '      throw error;',
      suites,
    },
    {
      id: 'late-prepare-taken',
      title: 'a prepare that comes after the abandon of a migration never heard of is obeyed',
      file: 'src/policy/migration-destination.ts',
      from: `this.#world.nextOrder());\n    arrivals.set(migration, arrival);\n    return arrival;`,
      to: 'this.#world.nextOrder());\n    return arrival;',
      suites,
    },
    {
      id: 'name-kept-after-restart',
      title: 'the name of a VM whose migration is given up after a restart stays taken',
      file: 'src/policy/migration-arrival.ts',
      from: '    if (vm === undefined) {\n      this.#freeName(world);',
      to: '    if (vm === undefined) {',
      suites,
    },
    {
      id: 'farewell-not-told',
      title: 'the destination is not told that it may forget a migration that succeeded',
      file: 'src/policy/migration-source.ts',
      from: '    await world.farewells.tell(id, departure.host);\n',
      to: '',
      suites,
    },
    {
      id: 'ruling-not-durable',
      title: 'a VM that a person takes back is started here before the decision is durable',
      file: 'src/policy/migration-ruling.ts',
      from: `  await link.insist([putMigration(departure.id, departure.record('handing'))]);\n`,
      to: '',
      suites: [
        'test/policy/migration-settle.test.ts',
        'test/policy/migration-crash.test.ts',
        'test/policy/crash-migration.test.ts',
      ],
    },
  ],
};
