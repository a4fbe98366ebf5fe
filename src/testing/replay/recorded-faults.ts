import type { FaultPoints, RequestFate, TraceFault } from '../../../switch/fault-points.ts';
import type { FilterModule } from '../../../switch/filter-module.ts';
import type { OidRequest } from '../../../switch/oid-request.ts';
import { NdisStatus } from '../../core/status.ts';
import type { TraceEntry } from '../../policy/api.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';

const EDGE = 'miniportEdge';
/** Effects of which the recording says all there is to say. */
const SAID = ['status', 'throw', 'hang', 'twice'] as const;
type Said = (typeof SAID)[number];

const isSaid = ({ effect, call }: TraceFault): boolean =>
  call === undefined && SAID.some((one) => one === effect);

/**
 * What a fault rule did to the recorded extension that cannot be done again: how long it was delayed, which of its calls failed,
 * and what an act did is not in the recording.
 */
export function cannotBeInjected({ faults = [] }: TraceEntry, recordedId: string): boolean {
  return faults.some((fault) => fault.module === recordedId && !isSaid(fault));
}

/** Name of a status as the trace has it; names that have no number of their own are hex text. `undefined`: `forward` or `pend`. */
export function statusNamed(name: string): NdisStatus | undefined {
  const known = NdisStatus[name.replace('NDIS_STATUS_', '') as keyof typeof NdisStatus];
  if (known !== undefined) return known;
  return name.startsWith('0x') ? (Number(name) as NdisStatus) : undefined;
}

/** Injects what the recording says was injected, at the extension under test and at the miniport edge. */
export class RecordedFaults implements FaultPoints {
  readonly #definition: ExtensionDefinition;
  readonly #recordedId: string;
  readonly #entryOf: (request: OidRequest) => TraceEntry | undefined;

  /** `recordedId`: of the extension whose place `definition` takes. */
  constructor(
    definition: ExtensionDefinition,
    recordedId: string,
    entryOf: (request: OidRequest) => TraceEntry | undefined,
  ) {
    this.#definition = definition;
    this.#recordedId = recordedId;
    this.#entryOf = entryOf;
  }

  request(
    _switchName: string,
    module: FilterModule | undefined,
    request: OidRequest,
  ): RequestFate | undefined {
    // What stands in for the extensions below answers as they did, faults included.
    if (module !== undefined && module.definition !== this.#definition) return undefined;
    const where = module === undefined ? EDGE : this.#recordedId;
    const entry = this.#entryOf(request);
    const fault = entry?.faults?.find((one) => one.module === where && isSaid(one));
    if (entry === undefined || fault === undefined) return undefined;
    const { rule } = fault;
    const effect = fault.effect as Said;
    if (effect !== 'status') return { rule, effect };
    const verdict = entry.route.find((stop) => stop.module === where)?.verdict ?? '';
    // What may not fail went on whatever the status was (rule D23).
    return { rule, effect, status: statusNamed(verdict) ?? NdisStatus.FAILURE };
  }

  call(): undefined {
    return undefined;
  }
}
