import type { PropertyCodec } from '../../switch/environment.ts';
import type { PropertyInstance } from '../../switch/ports.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { guidWords, NULL_GUID } from '../core/guid.ts';
import type { Settings } from '../sdk/extension.ts';
import type { PortableFeature } from './migration-api.ts';

/**
 * Stands for a class that nobody has registered here: a policy of it that came with a VM is kept as it came, values as JSON has
 * them, and no OID carries it (management.md 5). Whoever brings the VM elsewhere, or registers the class, gets it back unchanged.
 */
export class OpaqueCodec implements PropertyCodec {
  /** The class, as the host it came from has it. */
  readonly feature: PortableFeature;
  /** As built-in policies, which are never told to extensions (rule E3). */
  readonly propertyType = 0;
  readonly idWords = guidWords(NULL_GUID);
  readonly fixedSize = 0;

  constructor(feature: PortableFeature) {
    this.feature = feature;
  }

  get name(): string {
    return this.feature.name;
  }
  get id(): string {
    return this.feature.id;
  }
  get extensionId(): string {
    return this.feature.extensionId;
  }
  get version(): number {
    return this.feature.version;
  }

  normalize(): never {
    this.#unread();
  }
  size(): never {
    this.#unread();
  }
  write(): never {
    this.#unread();
  }
  decode(): Settings {
    this.#unread();
  }

  #unread(): never {
    const { name, id } = this.feature;
    throw new ExtSwitchError(
      'ILLEGAL_TRANSITION',
      `a policy of class ${name} (${id}) is kept unread, since the class is not registered here: register its MOF, or delete the policy`,
      { member: 'feature', expected: 'a registered class', found: id },
    );
  }
}

/** The class of a policy that is kept unread; `undefined` for one that is read. */
export function opaqueClass({ codec }: PropertyInstance): PortableFeature | undefined {
  return codec instanceof OpaqueCodec ? codec.feature : undefined;
}
