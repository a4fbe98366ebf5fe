import type {
  ExtensionDefinition,
  NicParameters,
  OidRequest,
  PortParameters,
  Verdict,
} from '../../../src/sdk/index.ts';
import { NdisStatus } from '../../../src/sdk/index.ts';
import { Sample, sampleExtension } from './sample.ts';

/*
 * Mistakes about ports and NICs.
 */

/** Open vSwitch before 40570384b: the port of an internal NIC is forgotten with the connection. */
export const forgetsInternalPort = (): ExtensionDefinition =>
  sampleExtension(
    'Forgets the internal port',
    (sw) =>
      new (class extends Sample {
        override disconnectNic(nic: NicParameters): Verdict {
          if (nic.type === 'internal') this.ports.delete(nic.portId);
          return 'forward';
        }
      })(sw),
  );

/** ovs-issues #78, #111: one physical NIC below a switch, so one NIC index on the external port. */
export const oneNicBelow = (): ExtensionDefinition =>
  sampleExtension(
    'One NIC below',
    (sw) =>
      new (class extends Sample {
        override createNic(nic: NicParameters, request: OidRequest): Verdict {
          return nic.index > 1 ? NdisStatus.RESOURCES : super.createNic(nic, request);
        }
      })(sw),
  );

/** ovs-issues #102: a member that goes takes the whole port out of the table, and does not put it back. */
export const mixesUpMembers = (): ExtensionDefinition =>
  sampleExtension(
    'Mixes up team members',
    (sw) =>
      new (class extends Sample {
        override disconnectNic(nic: NicParameters): Verdict {
          if (nic.type === 'external') this.ports.delete(nic.portId);
          return 'forward';
        }
      })(sw),
  );

/** All switches in one table, by port id. */
export function oneTableForAll(): ExtensionDefinition {
  const ports = new Map<number, Set<number>>();
  const limits = new Map<string, number>();
  return sampleExtension(
    'One table for all',
    (sw) =>
      new (class extends Sample {
        protected override ports = ports;
        protected override limits = limits;
        override detach(): void {
          ports.clear();
          limits.clear();
        }
      })(sw),
  );
}

/** Open vSwitch before adffc2f75: what belongs to the connection being made is kept in one place, unlocked between its OIDs. */
export const oneConnectionAtATime = (): ExtensionDefinition =>
  sampleExtension(
    'One connection at a time',
    (sw) =>
      new (class extends Sample {
        #current = 0;
        override createPort(port: PortParameters, request: OidRequest): Verdict {
          this.#current = port.portId;
          return super.createPort(port, request);
        }
        override createNic(nic: NicParameters, request: OidRequest): Verdict {
          const isOther = nic.type === 'synthetic' && nic.portId !== this.#current;
          return isOther ? NdisStatus.RESOURCES : super.createNic(nic, request);
        }
      })(sw),
  );

/** A reference is given back with the port, which does not go while there is one (rule B42). */
export const keepsPortReferenced = (): ExtensionDefinition =>
  sampleExtension(
    'Keeps the port referenced',
    (sw) =>
      new (class extends Sample {
        override createPort(port: PortParameters, request: OidRequest): Verdict {
          super.createPort(port, request);
          return this.onSuccess(request, () => {
            this.ports.set(port.portId, new Set());
            sw.referencePort(port.portId);
          });
        }
        override deletePort(port: PortParameters, request: OidRequest): Verdict {
          sw.dereferencePort(port.portId);
          return super.deletePort(port, request);
        }
      })(sw),
  );

/** Open vSwitch before 1d3950e90: what failed is cleaned up where it failed, and again where ports end. */
export const cleansUpTwice = (): ExtensionDefinition =>
  sampleExtension(
    'Cleans up twice',
    (sw) =>
      new (class extends Sample {
        readonly #tunnels = new Set<number>();
        override createNic(nic: NicParameters, request: OidRequest): Verdict {
          const isFirst = !this.#tunnels.has(nic.portId);
          if (isFirst) sw.referencePort(nic.portId);
          this.#tunnels.add(nic.portId);
          const verdict = super.createNic(nic, request);
          const succeeded = this.endings.get(request.id);
          this.endings.set(request.id, (isFine) => {
            succeeded?.(isFine);
            if (!isFine && isFirst) sw.dereferencePort(nic.portId);
          });
          return verdict;
        }
        teardownPort({ portId }: PortParameters): Verdict {
          if (this.#tunnels.delete(portId)) sw.dereferencePort(portId);
          return 'forward';
        }
        override detach(): void {
          for (const portId of this.#tunnels) sw.dereferencePort(portId);
        }
      })(sw),
  );

/** Open vSwitch before f18390b7f: it is cleaned out of one of two tables, and is there when it comes again. */
export const cleansOneOfTwo = (): ExtensionDefinition =>
  sampleExtension(
    'Cleans one of two tables',
    (sw) =>
      new (class extends Sample {
        readonly #names = new Set<string>();
        override createNic(nic: NicParameters, request: OidRequest): Verdict {
          if (this.#names.has(nic.name)) return NdisStatus.DATA_NOT_ACCEPTED;
          this.#names.add(nic.name);
          return super.createNic(nic, request);
        }
        override deleteNic(nic: NicParameters, request: OidRequest): Verdict {
          this.#names.delete(nic.name);
          return super.deleteNic(nic, request);
        }
      })(sw),
  );
