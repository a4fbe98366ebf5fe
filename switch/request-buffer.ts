import { structure } from '../src/abi/index.ts';

const PORT_PROPERTY = structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS');
const PORT_PROPERTY_DELETE = structure('NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS');
const SWITCH_PROPERTY = structure('NDIS_SWITCH_PROPERTY_PARAMETERS');
const SWITCH_PROPERTY_DELETE = structure('NDIS_SWITCH_PROPERTY_DELETE_PARAMETERS');
const PORT = structure('NDIS_SWITCH_PORT_PARAMETERS');
const NIC = structure('NDIS_SWITCH_NIC_PARAMETERS');

/** Size of both …_PROPERTY_CUSTOM structures. */
export const CUSTOM_SIZE = 16;

/** The longest that come often: NDIS_SWITCH_NIC_PARAMETERS has 2,224 bytes. */
const MAX_PREFIX_WORDS = 556;

/**
 * A buffer for OIDs of properties, ports and NICs with its views, reused from request to request so that the plain way does not allocate.
 * The protocol edge issues one request at a time; a request that pends or shows its raw bytes keeps its buffer and the
 * edge takes a new one.
 */
export class RequestBuffer {
  readonly bytes: Uint8Array;
  /** The same memory as 32-bit words, for fast copies. */
  readonly words: Uint32Array;
  readonly portProperty;
  /** The first so many words, by their number: requests of a few lengths come again and again. */
  readonly #prefixes = new Map<number, Uint32Array>();
  /** The one that was asked for last. */
  #prefix: Uint32Array | undefined;
  #portPropertyDelete: ReturnType<typeof PORT_PROPERTY_DELETE.view> | undefined;
  #switchProperty: ReturnType<typeof SWITCH_PROPERTY.view> | undefined;
  #switchPropertyDelete: ReturnType<typeof SWITCH_PROPERTY_DELETE.view> | undefined;
  #port: ReturnType<typeof PORT.view> | undefined;
  #nic: ReturnType<typeof NIC.view> | undefined;

  /** `sizeBytes` is rounded up to a multiple of 4,096. */
  constructor(sizeBytes: number) {
    const memory = new ArrayBuffer(Math.max(4096, (sizeBytes + 4095) & ~4095));
    this.bytes = new Uint8Array(memory);
    this.words = new Uint32Array(memory);
    this.portProperty = PORT_PROPERTY.view(this.bytes, 0);
  }

  /** Made when it is first needed, as those that follow: most buffers have a use for one or two of them. */
  get portPropertyDelete(): ReturnType<typeof PORT_PROPERTY_DELETE.view> {
    this.#portPropertyDelete ??= PORT_PROPERTY_DELETE.view(this.bytes, 0);
    return this.#portPropertyDelete;
  }

  get switchProperty(): ReturnType<typeof SWITCH_PROPERTY.view> {
    this.#switchProperty ??= SWITCH_PROPERTY.view(this.bytes, 0);
    return this.#switchProperty;
  }

  get switchPropertyDelete(): ReturnType<typeof SWITCH_PROPERTY_DELETE.view> {
    this.#switchPropertyDelete ??= SWITCH_PROPERTY_DELETE.view(this.bytes, 0);
    return this.#switchPropertyDelete;
  }

  get port(): ReturnType<typeof PORT.view> {
    this.#port ??= PORT.view(this.bytes, 0);
    return this.#port;
  }

  get nic(): ReturnType<typeof NIC.view> {
    this.#nic ??= NIC.view(this.bytes, 0);
    return this.#nic;
  }

  /** The words that hold the first `lengthBytes`, or `undefined` when copying them as bytes is as quick. */
  prefix(lengthBytes: number): Uint32Array | undefined {
    const count = (lengthBytes + 3) >>> 2;
    if (count > MAX_PREFIX_WORDS) return undefined;
    const last = this.#prefix;
    if (last !== undefined && last.length === count) return last;
    let prefix = this.#prefixes.get(count);
    if (prefix === undefined) {
      prefix = this.words.subarray(0, count);
      this.#prefixes.set(count, prefix);
    }
    this.#prefix = prefix;
    return prefix;
  }
}
