import type { OidRequest } from '../../../switch/oid-request.ts';
import { requestTypeName } from '../../../switch/oid-request.ts';
import { oidName } from '../../abi/index.ts';
import { ExtSwitchError } from '../../core/errors.ts';
import { isErrorStatus, type NdisStatus, statusName } from '../../core/status.ts';
import type { ExtensionInfo, TraceEntry } from '../../policy/api.ts';
import type { Recording } from '../../policy/recording.ts';
import { parseRecording } from '../../policy/recording-text.ts';
import { defineExtension, isExtensionDefinition } from '../../sdk/define.ts';
import type { ExtensionDefinition, OidRequest as Handle, Verdict } from '../../sdk/extension.ts';
import type { TestFinding } from '../test-switch.ts';
import { byteDifference } from './byte-difference.ts';
import { cannotBeInjected, RecordedFaults, statusNamed } from './recorded-faults.ts';
import type { ReplayDifference, ReplayReport } from './replay-report.ts';
import { propertyFacts, requestOf } from './replay-request.ts';
import { ReplayStage } from './replay-stage.ts';
import { changeAfter, changeBefore } from './replay-tables.ts';
import { type Act, timelineOf } from './timeline.ts';

export interface ReplayOptions {
  /** Id of the extension in the recording whose place it takes; default: its own. */
  readonly inPlaceOf?: string;
}

/**
 * Plays a recording (`fabric.recording()`, `extswitch trace --save`) against an extension: the same OIDs in the same order with
 * the same bytes at the same virtual time, on switches whose tables are as they were. Each answer is compared with the recorded
 * one. Equal recordings and extensions give equal reports. Throws `MALFORMED` and `INVALID_ARGUMENT` for a text that is no
 * recording, `NOT_FOUND` when the extension is not in it.
 */
export async function replayTrace(
  recording: string,
  extension: ExtensionDefinition,
  options: ReplayOptions = {},
): Promise<ReplayReport> {
  const given = parseRecording(recording);
  const definition = isExtensionDefinition(extension) ? extension : defineExtension(extension);
  const recorded = recordedOf(given, (options.inPlaceOf ?? definition.id).toLowerCase());
  const player = new Player(given, definition, recorded);
  return player.play();
}

function recordedOf({ head }: Recording, id: string): ExtensionInfo {
  const found = head.extensions.find((one) => one.id === id);
  if (found !== undefined) return found;
  const known = head.extensions.map((one) => `${one.name} (${one.id})`).join(', ') || 'none';
  throw new ExtSwitchError(
    'NOT_FOUND',
    `extension ${id} is not in the recording, which has: ${known}; name the one it takes the place of`,
    { extensionId: id, expected: known },
  );
}

/** A request on its way. */
interface Played {
  readonly entry: TraceEntry;
  readonly request: OidRequest;
  readonly verdicts: string[];
}

/** A request the extension made itself. */
interface Issued {
  readonly oid: string;
  readonly requestType: string;
  readonly input: Uint8Array;
}

class Player {
  readonly #recording: Recording;
  readonly #definition: ExtensionDefinition;
  readonly #recorded: ExtensionInfo;
  readonly #stage: ReplayStage;
  readonly #played = new Map<OidRequest, Played>();
  readonly #differences: ReplayDifference[] = [];
  /** By switch: the act that goes on, and what the extension issued since it began. */
  readonly #current = new Map<string, { readonly act: Act; readonly issued: Issued[] }>();
  /** Recorded requests of the extension whose answers have been given again, by the request that got it. */
  readonly #answered = new Map<OidRequest, TraceEntry>();
  readonly #given = new Set<TraceEntry>();
  #same = 0;

  constructor(recording: Recording, definition: ExtensionDefinition, recorded: ExtensionInfo) {
    this.#recording = recording;
    this.#definition = definition;
    this.#recorded = recorded;
    this.#stage = new ReplayStage(
      recording,
      definition,
      recorded.id,
      {
        answered: (_name, module, request, answer) => {
          if (module.definition !== definition) return;
          const text = typeof answer === 'number' ? statusName(answer) : answer;
          this.#played.get(request)?.verdicts.push(text);
        },
        issued: (name, module, request) => {
          if (module.definition !== definition) return;
          const { oid, type, buffer, inputLength } = request;
          this.#current.get(name)?.issued.push({
            oid: oidName(oid),
            requestType: requestTypeName(type),
            input: buffer.slice(0, inputLength),
          });
        },
      },
      (request, handle) => this.#below(request, handle),
      new RecordedFaults(definition, recorded.id, (request) => this.#entryOf(request)),
    );
  }

  async play(): Promise<ReplayReport> {
    const stage = this.#stage;
    await stage.open();
    const { acts, skipped } = timelineOf(this.#recording, this.#recorded.id, stage.startsOn);
    for (const act of acts) {
      await stage.advanceTo(act.time);
      this.#endAct(act.switchName);
      this.#current.set(act.switchName, { act, issued: [] });
      await this.#do(act);
    }
    await this.#letEnd();
    for (const name of [...this.#current.keys()]) this.#endAct(name);
    const played = [...this.#played.values()].filter(({ entry }) => !this.#isBeyond(entry));
    const beyond = this.#played.size - played.length;
    for (const one of played) this.#compare(one);
    await stage.close();
    this.#differences.sort((a, b) => a.seq - b.seq);
    const { id, name, version } = this.#definition;
    return {
      extension: { id, name, version },
      recorded: {
        id: this.#recorded.id,
        name: this.#recorded.name,
        version: this.#recorded.version,
      },
      profile: this.#recording.head.profile,
      requests: played.length,
      same: this.#same,
      differences: this.#differences,
      findings: this.#findings(),
      skipped: [
        ...Array.from(skipped, ([reason, count]) => ({ reason, count })),
        ...(beyond === 0 ? [] : [{ reason: BEYOND, count: beyond }]),
      ],
    };
  }

  async #do(act: Act): Promise<void> {
    const { switchName: name } = act;
    const stage = this.#stage;
    switch (act.kind) {
      case 'attach':
        return this.#attached(act, await stage.attach(name, act.isLive));
      case 'restart':
        return this.#attached(act, await stage.restack(name, true));
      case 'detach':
        await stage.restack(name, false);
        return;
      case 'activate':
        return stage.activate(name);
      case 'gone':
        return stage.remove(name);
      case 'oid':
        return this.#request(act.entry, act.isSeen);
    }
  }

  async #request(entry: TraceEntry, isSeen: boolean): Promise<void> {
    const stage = this.#stage;
    const { state, pipeline, modules } = stage.machine(entry.switch);
    const { registry } = stage.world;
    const property = propertyFacts(registry, entry);
    if (entry.origin === 'protocolEdge') changeBefore(state, entry);
    if (isSeen && stage.runsOn(entry.switch)) {
      const request = requestOf(entry, property, pipeline, registry);
      this.#played.set(request, { entry, request, verdicts: [] });
      pipeline.start(request, modules);
      if (!request.done) await stage.settle();
    }
    if (entry.origin === 'protocolEdge' && !isErrorStatus(statusOf(entry.status))) {
      changeAfter(state, entry, property);
    }
    await stage.settle();
  }

  /** What is still held gets the time it may be held. */
  async #letEnd(): Promise<void> {
    const { clock } = this.#stage;
    const isHeld = ({ request }: Played): boolean => !request.done;
    while ([...this.#played.values()].some(isHeld)) {
      const next = clock.nextAt();
      if (next === undefined) return;
      await this.#stage.advanceTo(next);
    }
  }

  // --- what is below the extension -----------------------------------------------------------------------------------

  /** Answers as the extensions below did; what the miniport edge completed, it completes again. */
  #below(request: OidRequest, handle: Handle): Verdict {
    const entry = this.#entryOf(request);
    const last = entry?.route.at(-1)?.module;
    if (entry === undefined || last === 'miniportEdge' || last === this.#recorded.id) {
      return 'forward';
    }
    const { output } = entry;
    if (output !== undefined && output.length > 0) {
      handle.bytes.set(output.subarray(0, handle.bytes.length));
      handle.bytesWritten = output.length;
    }
    return statusOf(entry.status);
  }

  /** What is recorded of a request: of one of the extension's own, the next with this OID and these bytes. */
  #entryOf(request: OidRequest): TraceEntry | undefined {
    const known = this.#played.get(request)?.entry ?? this.#answered.get(request);
    if (known !== undefined) return known;
    const name = oidName(request.oid);
    const input = request.methodInput ?? request.buffer.subarray(0, request.inputLength);
    for (const { act } of this.#current.values()) {
      for (const entry of act.issued) {
        if (entry.oid !== name || this.#given.has(entry)) continue;
        // What a query asks is in its OID; the trace has the answer in the place of the question.
        if (entry.requestType !== 'query' && Buffer.compare(entry.input, input) !== 0) continue;
        this.#answered.set(request, entry);
        this.#given.add(entry);
        return entry;
      }
    }
    return undefined;
  }

  // --- comparing -----------------------------------------------------------------------------------------------------

  /** A fault was injected that is not injected again. */
  #isBeyond(entry: TraceEntry): boolean {
    return cannotBeInjected(entry, this.#recorded.id);
  }

  #compare({ entry, request, verdicts }: Played): void {
    const before = this.#differences.length;
    const said = entry.route
      .filter(({ module }) => module === this.#recorded.id)
      .map(({ verdict }) => verdict);
    this.#text(entry, 'verdict', said.join(' > '), verdicts.join(' > '));
    const status = request.done ? statusName(request.status) : 'NDIS_STATUS_PENDING';
    this.#text(entry, 'status', entry.status, status);
    if (entry.requestType !== 'set') {
      const output = request.done ? request.buffer.subarray(0, request.bytesWritten) : NOTHING;
      this.#bytes(entry, 'output', entry.oid, entry.output ?? NOTHING, output);
    }
    if (this.#differences.length === before) this.#same += 1;
  }

  #endAct(name: string): void {
    const current = this.#current.get(name);
    this.#current.delete(name);
    if (current === undefined) return;
    const { act, issued } = current;
    if (act.kind === 'oid' && this.#isBeyond(act.entry)) return;
    const entry = act.kind === 'oid' ? act.entry : placeOf(act);
    for (let i = 0; i < Math.max(issued.length, act.issued.length); i += 1) {
      const was = act.issued[i];
      const is = issued[i];
      if (was === undefined || is === undefined || was.oid !== is.oid) {
        this.#text(entry, 'issued', issueText(was), issueText(is));
        return;
      }
      if (was.requestType === 'query') continue;
      if (this.#bytes(entry, 'issued', was.oid, was.input, is.input)) return;
    }
  }

  #attached(act: Act, problem: string | undefined): void {
    if (problem === undefined) return;
    this.#text(placeOf(act), 'attached', 'runs', problem);
  }

  #text(
    { seq, request, switch: name, oid, time }: Place,
    what: ReplayDifference['what'],
    recorded: string,
    replayed: string,
  ): void {
    if (recorded === replayed) return;
    this.#differences.push({ seq, request, switch: name, oid, time, what, recorded, replayed });
  }

  /** Whether they differ. */
  #bytes(
    { seq, request, switch: name, oid, time }: Place,
    what: ReplayDifference['what'],
    kind: string,
    recorded: Uint8Array,
    replayed: Uint8Array,
  ): boolean {
    const at = byteDifference(this.#stage.world.registry, kind, recorded, replayed);
    if (at === undefined) return false;
    const place = { seq, request, switch: name, oid, time };
    const hex = (bytes: Uint8Array): string => `${kind} ${Buffer.from(bytes).toString('hex')}`;
    this.#differences.push({
      ...place,
      what,
      recorded: hex(recorded),
      replayed: hex(replayed),
      at,
    });
    return true;
  }

  #findings(): readonly TestFinding[] {
    return this.#stage.world.events
      .after(0)
      .filter(({ type, data }) => type === 'finding' && data['extensionId'] === this.#definition.id)
      .filter(({ data }) => data['injected'] === undefined)
      .map(({ data }) => data as unknown as TestFinding);
  }
}

const NOTHING = new Uint8Array(0);
const BEYOND =
  'a fault was injected that the recording does not say enough about (a delay, a failed call, an act): done without it, and not compared';

type Place = Pick<TraceEntry, 'seq' | 'request' | 'switch' | 'oid' | 'time'>;

function placeOf({ kind, switchName, time }: Act): Place {
  return { seq: 0, request: 0, switch: switchName, oid: kind, time };
}

function issueText(one: Pick<Issued, 'oid' | 'requestType'> | undefined): string {
  return one === undefined ? 'nothing' : `${one.oid} ${one.requestType}`;
}

/** NaN for what is no status. */
function statusOf(name: string): NdisStatus {
  return statusNamed(name) ?? (Number.NaN as NdisStatus);
}
