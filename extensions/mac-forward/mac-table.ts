import type { NicParameters, Settings } from '../../src/sdk/index.ts';

const MAC_LENGTH = 6;

/** `00-15-5d-00-00-01` of the class member MacAddress, or why it is no address that can send. */
export function readMac(settings: Settings | undefined): { mac: string } | { malformed: string } {
  const value = settings?.['MacAddress'];
  if (!Array.isArray(value)) return { malformed: 'its bytes do not fit the class' };
  const bytes: readonly unknown[] = value;
  if (bytes.length !== MAC_LENGTH) {
    return { malformed: `MacAddress has ${bytes.length} bytes, expected ${MAC_LENGTH}` };
  }
  // IEEE 802: bit 0 of the first byte marks a group address, which is never a source.
  if (typeof bytes[0] === 'number' && (bytes[0] & 1) === 1) {
    return { malformed: 'MacAddress is a group address, which cannot send' };
  }
  return { mac: bytes.map((byte) => Number(byte).toString(16).padStart(2, '0')).join('-') };
}

interface ConnectedNic {
  readonly portId: number;
  readonly index: number;
  readonly isExternal: boolean;
  readonly mac: string;
}

/** Which source addresses may send on a switch, and which NICs are connected to it. */
export class MacTable {
  /** PropertyInstanceId → address. */
  readonly #addresses = new Map<string, string>();
  /** Address → instances that allow it; more than one only when that was set while the extension did not run. */
  readonly #allowed = new Map<string, number>();
  readonly #nics = new Map<string, ConnectedNic>();

  has(instanceId: string): boolean {
    return this.#addresses.has(instanceId);
  }

  /** True when another instance than this one allows the address. */
  isTaken(mac: string, instanceId: string): boolean {
    const own = this.#addresses.get(instanceId) === mac ? 1 : 0;
    return (this.#allowed.get(mac) ?? 0) > own;
  }

  allow(instanceId: string, mac: string): void {
    this.disallow(instanceId);
    this.#addresses.set(instanceId, mac);
    this.#allowed.set(mac, (this.#allowed.get(mac) ?? 0) + 1);
  }

  disallow(instanceId: string): void {
    const mac = this.#addresses.get(instanceId);
    if (mac === undefined) return;
    this.#addresses.delete(instanceId);
    const count = (this.#allowed.get(mac) ?? 0) - 1;
    if (count > 0) this.#allowed.set(mac, count);
    else this.#allowed.delete(mac);
  }

  /** Connected, or connected with other facts than before. */
  connect(nic: NicParameters): void {
    const { portId, index } = nic;
    this.#nics.set(`${portId}/${index}`, {
      portId,
      index,
      isExternal: nic.type === 'external',
      mac: nic.currentMacAddress,
    });
  }

  disconnect({ portId, index }: { readonly portId: number; readonly index: number }): void {
    this.#nics.delete(`${portId}/${index}`);
  }

  /**
   * Ports allowed to send: the external one as soon as an adapter below its NIC is connected (rule C53; what comes from
   * outside has foreign addresses), then the ports with a connected NIC whose address is allowed, ascending.
   */
  sendingPorts(): number[] {
    const external = new Set<number>();
    const ports = new Set<number>();
    for (const { portId, index, isExternal, mac } of this.#nics.values()) {
      if (isExternal) {
        if (index > 0) external.add(portId);
      } else if (this.#allowed.has(mac)) {
        ports.add(portId);
      }
    }
    return [...external, ...[...ports].sort((a, b) => a - b)];
  }

  clear(): void {
    this.#addresses.clear();
    this.#allowed.clear();
    this.#nics.clear();
  }
}
