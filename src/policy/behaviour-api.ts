/** Where the documents leave a choice: the recommended reading is the default (rules.md, open points). */
export interface BehaviourOptions {
  /** OP-19: `short` (default) deletes a validation port right after the check; `standing` keeps it until the VM starts. */
  readonly validationPorts?: 'short' | 'standing';
  /** OP-20: `first` (default) activates a switch before its first port; `last` creates host ports before activation. */
  readonly activation?: 'first' | 'last';
  /** OP-29: how often an OID that failed with NDIS_STATUS_RESOURCES is sent again; default 0. */
  readonly transientRetries?: number;
  /** OP-15: ask for run-time data at a plain power-off too; default false. */
  readonly saveOnStop?: boolean;
  /** OP-17: send RESTORE_COMPLETE after a failed restore; default true. */
  readonly completeFailedRestore?: boolean;
  /** OP-36: internal NICs a switch takes; default 1. */
  readonly internalNics?: number;
  /** OP-39: issue the suspend, resume and suspended-migration OIDs where the profile has them; default false. */
  readonly suspendOids?: boolean;
}
