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
  ],
};
