/** Breaks that were tried and that nobody notices yet, in words: each is a test that is missing. */
export const OPEN_SLIPS: readonly (readonly [file: string, slip: string])[] = [
  [
    'switch/save-operations.ts',
    'the eight attempts for more room of a save count for all records together, not for each',
  ],
  [
    'switch/allowed-changes.ts',
    'an extension may scribble over the two bytes of padding behind FeatureStatusVersion (rule F10)',
  ],
  [
    'switch/status-query.ts',
    'an answer is too long for a feature status question only from five bytes on (rule F11)',
  ],
  [
    'src/policy/property-set.ts',
    'an update that cannot be stored goes back to what was there when it was asked for, not when its turn came',
  ],
  [
    'src/policy/vm-save.ts',
    'a port keeps RESTORING_PORT after the restore has ended (rule B9); a restore forgets the data of adapters that are not connected; extensions do not get their data back when a save could not be stored',
  ],
  [
    'src/policy/migration-destination.ts',
    'a prepare that is repeated is done again instead of being answered',
  ],
  [
    'src/policy/migration-arrival.ts',
    'MAC addresses of a VM that did not arrive stay kept at the destination; run-time data of adapters that are not connected stays behind',
  ],
  [
    'src/policy/migration-source.ts',
    'a source waits for ever for a destination that says superseded',
  ],
  [
    'src/policy/vm-change.ts',
    'what else a failed change of a VM wanted to write is forgotten when a later change is stored already',
  ],
];
