import { isExtSwitchError } from '../../core/errors.ts';
import type { LifeCycle } from './life-cycle.ts';
import type { LifeCycleStage } from './stage.ts';

const NAMES = ['VM1', 'VM2', 'VM3', 'VM4'] as const;

/** A virtual function comes or goes, unless a forwarding extension lets none past it (rules D41, H12). */
async function offload(
  { fabric }: LifeCycleStage,
  vm: string,
  verb: 'assignVf' | 'removeVf',
): Promise<void> {
  const adapter = fabric.vms.get(vm).adapter('eth0');
  if (verb === 'removeVf' && !adapter.info.vfAssigned) return;
  try {
    await adapter[verb]();
  } catch (error) {
    const isItsRight =
      isExtSwitchError(error) && (error.code === 'VETOED' || error.place.rule === 'H12');
    if (!isItsRight) throw error;
  }
}

export const disableDuringTrafficSetUp: LifeCycle = {
  name: 'disable-during-traffic-set-up',
  title: 'The extension is disabled while VMs connect and offloads are set up',
  origin: [
    {
      what: 'Open vSwitch 31bb0c7a3, "Pause switch state on PnP event"',
      url: 'https://github.com/openvswitch/ovs/commit/31bb0c7a3',
    },
    {
      what: 'ovs-issues #108, "Disabling switch extensions for Openvswitch takes infinite time"',
      url: 'https://github.com/openvswitch/ovs-issues/issues/108',
    },
    {
      what: 'xdp-for-windows #212, "offload: XDP LWF isn\'t using NetEventFilterPreDetach"',
      url: 'https://github.com/microsoft/xdp-for-windows/issues/212',
    },
  ],
  story:
    'Disabling the extension took for ever while its user-mode processes still ran, and it went on queueing packets until it was detached: it had not heeded the event that announces the detach, in which work has to be stopped and what was set up below has to be taken back.',
  checks:
    'Disabling ends in time, holds up no VM and leaves no OID behind; OIDs that come while the extension is paused are let through; enabled again it serves the VMs that connected without it.',
  rules: ['A61', 'A62', 'A63', 'A65', 'A66', 'A75', 'D6', 'D41', 'H12'],
  isRace: true,
  async run(stage) {
    const name = 'Traffic';
    const adapters = [{ name: 'Ethernet 1', virtualFunctions: 8, queues: 16 }];
    await stage.createSwitch(name, { type: 'external', uplink: { adapters } });
    const owners = (await Promise.all(NAMES.map((vm) => stage.createVm(vm, [name])))).flat();
    const updates = owners.map((owner) => () => stage.policies.update(owner));
    await stage.together(
      'start VMs while it is disabled',
      [...NAMES.map((vm) => () => stage.start(vm)), () => stage.toggle(name, false)],
      'A65',
    );
    await stage.check('disabled while VMs started');
    await stage.together(
      'assign VFs and enable it',
      [() => stage.toggle(name, true), ...NAMES.map((vm) => () => offload(stage, vm, 'assignVf'))],
      'A65',
    );
    await stage.check('enabled while VFs were assigned');
    await stage.together(
      'update policies while it is disabled',
      [...updates.slice(0, 2), () => stage.toggle(name, false), ...updates.slice(2)],
      'A65',
    );
    await stage.check('disabled while policies changed');
    await stage.enable(name);
    await stage.together(
      'remove VFs and disable it',
      [...NAMES.map((vm) => () => offload(stage, vm, 'removeVf')), () => stage.toggle(name, false)],
      'A65',
    );
    await stage.check('disabled while VFs were removed');
    await stage.enable(name);
    await stage.together('update policies', updates, 'J11');
    await stage.together(
      'stop VMs',
      NAMES.map((vm) => () => stage.stop(vm)),
    );
  },
};
