import type {
  ExtensionDefinition,
  NetPnPEvent,
  NicParameters,
  OidRequest,
  PortFeatureStatusQuery,
  Verdict,
} from '../../../src/sdk/index.ts';
import { NdisStatus } from '../../../src/sdk/index.ts';
import { Sample, sampleExtension } from './sample.ts';

/*
 * Mistakes about attach, restart, pause and detach.
 */

/** Open vSwitch before 18b19ad91: the count of users is set when the driver loads, not when a switch is attached. */
export function countsUsersOnce(): ExtensionDefinition {
  let users = 1;
  return sampleExtension(
    'Counts users once',
    (sw) =>
      new (class extends Sample {
        override queryPortFeatureStatus(query: PortFeatureStatusQuery): Verdict {
          return users === 0 ? 'forward' : super.queryPortFeatureStatus(query);
        }
        override detach(): void {
          users = 0;
        }
      })(sw),
  );
}

/** It relies on being told: nothing is asked when it is enabled on a live switch. */
export const asksNothing = (): ExtensionDefinition =>
  sampleExtension(
    'Asks nothing',
    (sw) =>
      new (class extends Sample {
        override isReady = true;
        override restart(): void {}
      })(sw),
  );

/** It takes its tables of the last time for today's. */
export function keepsItsTables(): ExtensionDefinition {
  let last: Kept | undefined;
  class Kept extends Sample {
    override restart(): void {
      void super.restart();
      this.ports = last?.ports ?? this.ports;
      this.limits = last?.limits ?? this.limits;
    }
    override detach(): void {
      last = this;
    }
  }
  return sampleExtension('Keeps its tables', (sw) => new Kept(sw));
}

/** Open vSwitch before 31bb0c7a3: it queues on while it pauses, and the worker that empties the queue has ended. */
export const queuesWhilePausing = (): ExtensionDefinition =>
  sampleExtension(
    'Queues while pausing',
    (sw) =>
      new (class extends Sample {
        #isWorking = true;
        override connectNic(_nic: NicParameters, request: OidRequest): Verdict {
          const pended = request.pend();
          if (this.#isWorking) sw.after(1, () => request.forward());
          return pended;
        }
        pause(): void {
          this.#isWorking = false;
        }
        override restart(): void {
          this.#isWorking = true;
          void super.restart();
        }
      })(sw),
  );

/** ovs-issues #108: disabling waits for work that nobody does any more. */
export const neverPauses = (): ExtensionDefinition =>
  sampleExtension(
    'Never pauses',
    (sw) =>
      new (class extends Sample {
        pause(): Promise<void> {
          return new Promise(() => undefined);
        }
      })(sw),
  );

/** xdp-for-windows #56, the other way round: of what was on its way when it came it knows what had arrived. */
export const knowsConnectedOnly = (): ExtensionDefinition =>
  sampleExtension(
    'Knows connected NICs only',
    (sw) =>
      new (class extends Sample {
        protected override catchUp(): void {
          super.catchUp();
          for (const { portId, index, state } of sw.nics()) {
            if (state !== 'connected') this.ports.get(portId)?.delete(index);
          }
        }
        override connectNic(nic: NicParameters): Verdict {
          const isKnown = this.ports.get(nic.portId)?.has(nic.index) === true;
          return isKnown || !this.isReady ? 'forward' : NdisStatus.FAILURE;
        }
      })(sw),
  );

/** Open vSwitch before 6c4e7adb0 and 8e2fe95e5: its tables go when the detach begins, and requests still come. */
export const freesTooEarly = (): ExtensionDefinition =>
  sampleExtension(
    'Frees too early',
    (sw) =>
      new (class extends Sample {
        netPnPEvent({ event }: NetPnPEvent): void {
          if (event !== 'filterPreDetach') return;
          Object.assign(this, { ports: null, limits: null });
        }
      })(sw),
  );

/** ovs-issues #96, before 32e35d7dd: the object that attach needs is made once, and detach removes it. */
export function needsItsDevice(): ExtensionDefinition {
  let device: object | undefined = {};
  return sampleExtension('Needs its device', (sw) => {
    if (device === undefined) throw new Error('the device object is not there');
    return new (class extends Sample {
      override detach(): void {
        device = undefined;
      }
    })(sw);
  });
}

/** Open vSwitch, `gOvsSwitchContext`: a second switch fails to attach. */
export function oneSwitchOnly(): ExtensionDefinition {
  let attached: Sample | undefined;
  class Only extends Sample {
    override detach(): void {
      attached = undefined;
    }
  }
  return sampleExtension('One switch only', (sw) => {
    if (attached !== undefined) throw new Error('only one datapath is supported');
    attached = new Only(sw);
    return attached;
  });
}
