import { cleanUpOnce } from './clean-up-once.ts';
import { disableDuringTrafficSetUp } from './disable-during-traffic-set-up.ts';
import { enableDuringStart } from './enable-during-start.ts';
import { internalNicReconnect } from './internal-nic-reconnect.ts';
import type { LifeCycle } from './life-cycle.ts';
import { serviceRestart } from './service-restart.ts';
import { severalSwitches } from './several-switches.ts';
import { teamedUplink } from './teamed-uplink.ts';
import { toggleWithPorts } from './toggle-with-ports.ts';
import { uninstallRace } from './uninstall-race.ts';
import { vmsStopTogether } from './vms-stop-together.ts';

/** The life cycles that broke real extensions, in the order they are best read. */
export const lifeCycles: readonly LifeCycle[] = [
  toggleWithPorts,
  disableDuringTrafficSetUp,
  enableDuringStart,
  uninstallRace,
  internalNicReconnect,
  teamedUplink,
  severalSwitches,
  serviceRestart,
  vmsStopTogether,
  cleanUpOnce,
];
