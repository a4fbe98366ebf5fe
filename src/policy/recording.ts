import { ExtSwitchError } from '../core/errors.ts';
import type { StoreValue } from '../store/store.ts';
import type {
  BehaviourOptions,
  ExtensionInfo,
  FabricEvent,
  ProfileName,
  SwitchInfo,
  TraceEntry,
} from './api.ts';
import { extensionInfo } from './extension-catalog.ts';
import type { FeatureRecord } from './records.ts';
import type { Snapshot } from './snapshot.ts';
import type { World } from './world.ts';

/** What stands at the head of a recording. */
export interface RecordingHead {
  readonly host: string;
  readonly seed: string;
  readonly profile: ProfileName;
  readonly oidTimeoutMs: number;
  readonly behaviour: BehaviourOptions;
  readonly extensions: readonly ExtensionInfo[];
  /** Those that are there at the end; others are known by what happened on them. */
  readonly switches: readonly Pick<SwitchInfo, 'id' | 'name' | 'type'>[];
  /** Registered classes at the end. */
  readonly features: readonly FeatureRecord[];
  /** When it begins, and what the store had then: nothing when the trace is whole. */
  readonly start: {
    readonly seq: number;
    readonly time: number;
    readonly records: readonly (readonly [key: string, value: StoreValue])[];
  };
}

/** A piece of the history of a world, enough to do it again with one extension. */
export interface Recording {
  readonly head: RecordingHead;
  /** In order of completion. */
  readonly entries: readonly TraceEntry[];
  /** State changes: when extensions came and went. */
  readonly events: readonly FabricEvent[];
}

/** The history since `from`, or all of it. Throws `ILLEGAL_TRANSITION` when it is not all there. */
export function recordingOf(world: World, from: Snapshot | undefined): Recording {
  const seq = from?.info.seq ?? 0;
  const { droppedSeq } = world.trace;
  if (from !== undefined && from.epoch !== world.epoch) {
    throw new ExtSwitchError(
      'ILLEGAL_TRANSITION',
      `the world was reset or restored after snapshot ${from.info.name}: the way from there to here is not in the trace; take a snapshot now and record from it`,
      { member: 'snapshot', found: from.info.name },
    );
  }
  if (droppedSeq > seq) {
    throw new ExtSwitchError(
      'ILLEGAL_TRANSITION',
      `the trace keeps only its newest entries, and those up to number ${droppedSeq} are gone: take a snapshot, ` +
        'do what is to be recorded, and record from the snapshot; or keep more (traceLimit)',
      { expected: `entries from number ${seq + 1}`, found: `from number ${droppedSeq + 1}` },
    );
  }
  const entries = world.trace.entries({ afterSeq: seq });
  const features: FeatureRecord[] = [];
  for (const { feature, uint16 } of world.registry.all()) {
    if (!feature.builtIn) features.push({ feature, uint16 });
  }
  const { behaviour, oidTimeoutMs } = world.environment;
  return {
    head: {
      host: world.name,
      seed: world.seed,
      profile: world.profile,
      oidTimeoutMs,
      behaviour,
      extensions: Array.from(world.extensions.values(), (each) => extensionInfo(each)),
      switches: Array.from(world.switches.values(), ({ id, name, type }) => ({ id, name, type })),
      features,
      start: {
        seq,
        time: from?.info.time ?? entries[0]?.time ?? world.clock.now(),
        records: from === undefined ? [] : [...from.store.range('')],
      },
    },
    entries,
    events: world.events.after(seq).filter(({ type }) => type === 'state'),
  };
}
