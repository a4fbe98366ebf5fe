import { structure } from '../../abi/index.ts';
import type { TraceEntry } from '../../policy/api.ts';
import { byteFlaw } from './byte-laws.ts';
import type { Complain } from './trace-checks.ts';

const SAVE_STATE = structure('NDIS_SWITCH_NIC_SAVE_STATE');

const at = (name: Parameters<typeof structure>[0], member: string): number => {
  const field = structure(name).row.fields.find((each) => each.name === member);
  if (field === undefined) throw new Error(`${name} has no ${member}`);
  return field.offset;
};
const u32 = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset] ?? 0) |
    ((bytes[offset + 1] ?? 0) << 8) |
    ((bytes[offset + 2] ?? 0) << 16) |
    ((bytes[offset + 3] ?? 0) << 24)) >>>
  0;
const hex = (bytes: Uint8Array, from: number, to = bytes.length): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('hex');

const PORT_ID = at('NDIS_SWITCH_PORT_PARAMETERS', 'PortId');
const NIC_PORT = at('NDIS_SWITCH_NIC_PARAMETERS', 'PortId');
const NIC_INDEX = at('NDIS_SWITCH_NIC_PARAMETERS', 'NicIndex');
const NIC_MTU = at('NDIS_SWITCH_NIC_PARAMETERS', 'MTU');
const SAVE_PORT = at('NDIS_SWITCH_NIC_SAVE_STATE', 'PortId');
const SAVE_NIC = at('NDIS_SWITCH_NIC_SAVE_STATE', 'NicIndex');
const SAVE_ID = at('NDIS_SWITCH_NIC_SAVE_STATE', 'ExtensionId');
const PROPERTY_PORT = at('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS', 'PortId');
const DELETED_PORT = at('NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS', 'PortId');
const INSTANCE = {
  OID_SWITCH_PORT_PROPERTY: at('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS', 'PropertyInstanceId'),
  OID_SWITCH_PORT_PROPERTY_DELETE: at(
    'NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS',
    'PropertyInstanceId',
  ),
  OID_SWITCH_PROPERTY: at('NDIS_SWITCH_PROPERTY_PARAMETERS', 'PropertyInstanceId'),
  OID_SWITCH_PROPERTY_DELETE: at('NDIS_SWITCH_PROPERTY_DELETE_PARAMETERS', 'PropertyInstanceId'),
};
/** Rule G7: one record is asked for with more room at most this often. */
const MAX_ATTEMPTS = 8;
const SUCCESS = 'NDIS_STATUS_SUCCESS';
const RESOURCES = 'NDIS_STATUS_RESOURCES';

/** Records that extensions saved, on any host: nothing else may ever be restored. */
export type SavedRecords = Set<string>;

/** Owner and data of a save state; `undefined` when what an extension wrote there is none (rule G17). */
function recordOf(bytes: Uint8Array): string | undefined {
  const view = SAVE_STATE.view(bytes);
  const from = view.SaveDataOffset;
  const length = view.SaveDataSize + view.SaveDataSizeOverflow;
  if (from + length > bytes.length) return undefined;
  return `${hex(bytes, SAVE_ID, SAVE_ID + 16)} ${hex(bytes, from, from + length)}`;
}

/** Port/index of a request of a NIC, of others nothing that one has. */
const nicOf = ({ oid, input }: TraceEntry): string =>
  oid.startsWith('OID_SWITCH_NIC_') ? `${u32(input, NIC_PORT)}/${u32(input, NIC_INDEX)}` : '';

/** One switch, as its requests tell it. */
interface Known {
  /** Port/index of the NICs there are → MTU as NIC_CREATE left it. */
  readonly nics: Map<string, number>;
  /** NICs of which a save has begun and not ended → attempts at the present record. */
  readonly saving: Map<string, number>;
  /** Port/instance id of the policies the stack was told of. */
  readonly properties: Set<string>;
  /** Policies whose removal was refused: what they are told of next, an extension or the management may have decided. */
  readonly doubted: Set<string>;
  /** NICs that were deleted since nothing was under way: an undo makes them anew. */
  readonly gone: Set<string>;
  /** The last request that was refused for want of resources, and how often in a row. */
  refused: { readonly request: TraceEntry; times: number } | undefined;
}

/** What each request must be after those before it. */
export class RequestLaws {
  readonly #switches = new Map<string, Known>();
  readonly #retries: number;
  /** Records that were restored since {@link quiet}; they may come from another host. */
  readonly #restored: { readonly where: string; readonly record: string }[] = [];
  readonly #saved: SavedRecords;

  /** `retries`: how often what failed with RESOURCES is sent again (OP-29). */
  constructor(retries: number, saved: SavedRecords) {
    this.#retries = retries;
    this.#saved = saved;
  }

  /** The switch is made anew. */
  begin(sw: string): void {
    this.#switches.set(sw, {
      nics: new Map(),
      saving: new Map(),
      properties: new Set(),
      doubted: new Set(),
      gone: new Set(),
      refused: undefined,
    });
  }

  add(entry: TraceEntry, complain: Complain): void {
    if (entry.requestType === 'indication') return;
    const where = `switch ${entry.switch}: ${entry.oid} (${entry.request})`;
    const flaw = byteFlaw(entry);
    if (flaw !== undefined) complain('bytes', `${where}: ${flaw}`);
    if (!this.#switches.has(entry.switch)) this.begin(entry.switch);
    const known = this.#switches.get(entry.switch);
    if (known === undefined) return;
    if (entry.requestType === 'query') return;
    const wrong = this.#follow(entry, known) ?? this.#countRefusals(entry, known);
    if (wrong !== undefined) complain(wrong[0], `${where}: ${wrong[1]}`);
  }

  /** Nothing is under way, and every host has told what it did. */
  quiet(complain: Complain): void {
    for (const { where, record } of this.#restored.splice(0)) {
      if (this.#saved.has(record)) continue;
      complain('saves', `${where}: ${record.slice(0, 120)} was never saved (G23, G35)`);
    }
    for (const [sw, known] of this.#switches) {
      known.refused = undefined;
      known.gone.clear();
      for (const nic of known.saving.keys()) {
        complain('saves', `switch ${sw}: the save of NIC ${nic} never completed (G8)`);
      }
    }
  }

  /** OP-29: what fails for want of resources is sent again so often, and no more. */
  #countRefusals(entry: TraceEntry, known: Known): [string, string] | undefined {
    if (entry.origin !== 'protocolEdge') return undefined;
    const { refused } = known;
    const isSame =
      refused !== undefined &&
      refused.request.oid === entry.oid &&
      Buffer.compare(refused.request.input, entry.input) === 0;
    const times = isSame ? refused.times + 1 : 1;
    known.refused = entry.status === RESOURCES ? { request: entry, times } : undefined;
    if (times <= 1 + this.#retries || known.gone.has(nicOf(entry))) return undefined;
    return ['requests', `sent ${times} times, ${1 + this.#retries} expected (OP-29)`];
  }

  #follow(entry: TraceEntry, known: Known): [string, string] | undefined {
    const { oid, input, status } = entry;
    if (oid.startsWith('OID_SWITCH_NIC_')) return this.#followNic(entry, known);
    if (oid === 'OID_SWITCH_PORT_DELETE') {
      const prefix = `${u32(input, PORT_ID)}/`;
      for (const key of known.properties) {
        if (key.startsWith(prefix)) known.properties.delete(key);
      }
      return undefined;
    }
    const [, base, verb] = /^(OID_SWITCH_(?:PORT_)?PROPERTY)_(ADD|UPDATE|DELETE)$/.exec(oid) ?? [];
    if (base === undefined) return undefined;
    const isPort = base === 'OID_SWITCH_PORT_PROPERTY';
    const isDelete = verb === 'DELETE';
    const place = INSTANCE[(isDelete ? oid : base) as keyof typeof INSTANCE];
    const port = isPort ? u32(input, isDelete ? DELETED_PORT : PROPERTY_PORT) : 'switch';
    const key = `${port}/${hex(input, place, place + 16)}`;
    const isThere = known.properties.has(key);
    const isDoubted = known.doubted.has(key);
    if (verb === 'ADD') {
      if (status === SUCCESS) known.properties.add(key);
      if (status === SUCCESS) known.doubted.delete(key);
      return isThere && !isDoubted ? ['requests', `${key} is added again (E14)`] : undefined;
    }
    if (isDelete && status !== SUCCESS && isThere) known.doubted.add(key);
    else if (isDelete) known.properties.delete(key);
    return isThere ? undefined : ['requests', `${key} was never added`];
  }

  #followNic(entry: TraceEntry, known: Known): [string, string] | undefined {
    const { oid, input, status } = entry;
    const { nics, saving } = known;
    if (oid.includes('_SAVE') || oid.includes('_RESTORE')) return this.#followSave(entry, known);
    const key = nicOf(entry);
    switch (oid) {
      case 'OID_SWITCH_NIC_CREATE':
        if (status === SUCCESS) nics.set(key, u32(input, NIC_MTU));
        return undefined;
      case 'OID_SWITCH_NIC_CONNECT': {
        const mtu = nics.get(key);
        const now = u32(input, NIC_MTU);
        if (mtu === undefined || mtu === now) return undefined;
        return ['requests', `MTU ${now}, but ${mtu} when NIC_CREATE completed (C19)`];
      }
      case 'OID_SWITCH_NIC_UPDATED':
        if (nics.has(key)) nics.set(key, u32(input, NIC_MTU));
        return undefined;
      case 'OID_SWITCH_NIC_DISCONNECT':
        return saving.has(key) ? ['saves', `its save has not completed (G8)`] : undefined;
      case 'OID_SWITCH_NIC_DELETE':
        nics.delete(key);
        known.gone.add(key);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Rules G5 to G8, G23 to G26. */
  #followSave(entry: TraceEntry, known: Known): [string, string] | undefined {
    const { oid, input, output, status, route } = entry;
    const { nics, saving } = known;
    const key = `${u32(input, SAVE_PORT)}/${u32(input, SAVE_NIC)}`;
    if (!nics.has(key)) return ['saves', `there is no NIC ${key} (G4, G25)`];
    switch (oid) {
      case 'OID_SWITCH_NIC_SAVE': {
        const isShort = status === 'NDIS_STATUS_BUFFER_TOO_SHORT';
        const attempts = isShort ? (saving.get(key) ?? 0) + 1 : 0;
        saving.set(key, attempts);
        const isSaved = status === SUCCESS && route.at(-1)?.module !== 'miniportEdge';
        // Success without a record is none (OP-10, OP-11).
        if (isSaved && output !== undefined && output.length >= SAVE_STATE.minimumSize) {
          const record = recordOf(output);
          if (record !== undefined) this.#saved.add(record);
        }
        return attempts > MAX_ATTEMPTS ? ['saves', `asked ${attempts} times (G7)`] : undefined;
      }
      case 'OID_SWITCH_NIC_SAVE_COMPLETE':
        return saving.delete(key) ? undefined : ['saves', `no save of NIC ${key} has begun (G8)`];
      case 'OID_SWITCH_NIC_RESTORE': {
        if (saving.has(key)) return ['saves', `a save of NIC ${key} has not completed (G28)`];
        const where = `switch ${entry.switch}: ${oid} (${entry.request})`;
        this.#restored.push({ where, record: recordOf(input) ?? 'what does not fit its bounds' });
        return undefined;
      }
      default:
        return undefined;
    }
  }
}
