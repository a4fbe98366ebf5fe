import type { Area } from '../mutant.ts';

export const SAVING: Area = {
  name: 'Save and restore',
  isSimulated: true,
  mutants: [
    {
      id: 'failed-save-not-completed',
      title: 'SAVE_COMPLETE is not sent when the save failed (rule G8, OP-14)',
      file: 'switch/save-operations.ts',
      from: '      yield* this.#end(OIDS.OID_SWITCH_NIC_SAVE_COMPLETE.code, nic);',
      to: '      if (outcome.refused === undefined) yield* this.#end(OIDS.OID_SWITCH_NIC_SAVE_COMPLETE.code, nic);',
      suites: ['test/switch/save-faults.test.ts', 'test/switch/save.test.ts'],
    },
    {
      id: 'restored-to-the-old-port',
      title: 'NIC_RESTORE names the port the data was saved from (rule G25)',
      file: 'switch/save-record.ts',
      from: 'const head = { ...record, portId: nic.portId, nicIndex: nic.index };',
      to: 'const head = { portId: nic.portId, nicIndex: nic.index, ...record };',
      suites: ['test/switch/save-restore.test.ts', 'test/policy/vm-save.test.ts'],
    },
    {
      id: 'record-shares-bytes',
      title: 'a saved record is a window on the request’s buffer, not a copy',
      file: 'switch/save-record.ts',
      from: 'data = done.buffer.slice(piece.offset, piece.offset + piece.length);',
      to: 'data = done.buffer.subarray(piece.offset, piece.offset + piece.length);',
      suites: [
        'test/switch/save.test.ts',
        'test/switch/save-faults.test.ts',
        'test/switch/save-restore.test.ts',
        'test/policy/vm-save.test.ts',
      ],
    },
    {
      id: 'attempts-of-all-records',
      title: 'the eight attempts for more room of a save count for all records together (rule G17)',
      file: 'switch/save-operations.ts',
      from: '      room = FIRST_ROOM;\n      attempt = 1;',
      to: '      room = FIRST_ROOM;',
      suites: ['test/switch/save-faults.test.ts', 'test/switch/save.test.ts'],
    },
    {
      id: 'restoring-for-ever',
      title: 'a port keeps RESTORING_PORT after its restore has ended (rule B9)',
      file: 'src/policy/vm-save.ts',
      from: '        port.flags &= ~RESTORING_PORT;\n',
      to: '',
      suites: ['test/policy/vm-save.test.ts'],
    },
    {
      id: 'unconnected-data-forgotten',
      title: 'a restore forgets the data of adapters that are not connected',
      file: 'src/policy/vm-save.ts',
      from: '    for (const [adapter, records] of before) if (!adapter.isConnected) left.set(adapter, records);\n',
      to: '',
      suites: ['test/policy/vm-save.test.ts'],
    },
    {
      id: 'data-not-given-back',
      title: 'extensions do not get their data back when a save could not be stored',
      file: 'src/policy/vm-save.ts',
      from: '      yield* giveBack(world, vm, data);\n',
      to: '',
      suites: ['test/policy/vm-save.test.ts'],
    },
  ],
};
