/** A VM with one adapter on port 2 of a switch, as the server shows it (src/policy/api.ts). */
export const VM_ID = 'd0000000-0000-4000-8000-000000000001';
export const ADAPTER_ID = 'e0000000-0000-4000-8000-000000000001';
const NAMES = {
  portId: 2,
  portName: 'b0000000-0000-4000-8000-000000000002',
  portFriendlyName: 'TestVm eth0',
  nicName: 'nic-e0',
  nicFriendlyName: 'eth0',
  switchId: '0c5f1f4e-0000-4000-8000-000000000001',
  switchName: 'TestSwitch',
  vmId: VM_ID,
  vmName: 'TestVm',
  adapterId: ADAPTER_ID,
  instanceId: `Microsoft:${VM_ID.toUpperCase()}\\${ADAPTER_ID.toUpperCase()}\\C`,
};
const NIC = {
  index: 0,
  name: 'nic-e0',
  friendlyName: 'eth0',
  type: 'synthetic',
  state: 'connected',
  mac: '00-15-5d-00-00-01',
  currentMac: '02-00-00-00-00-01',
  mtu: 1500,
  vfAssigned: true,
};
export const VM_PORT = {
  id: NAMES.portName,
  portId: 2,
  name: 'TestVm eth0',
  type: 'synthetic',
  state: 'created',
  isValidationPort: false,
  nics: [NIC],
  names: NAMES,
};
export const ADAPTER = {
  id: ADAPTER_ID,
  name: 'eth0',
  type: 'synthetic',
  mac: NIC.mac,
  macType: 'dynamic',
  mtu: 1500,
  switch: { id: NAMES.switchId, name: 'TestSwitch' },
  connected: true,
  vfAssigned: true,
  port: VM_PORT,
  names: NAMES,
  requiredFeatures: [
    { id: 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb', name: 'Fabrikam_PortCustomSettingData' },
  ],
};
export const VM = {
  id: VM_ID,
  name: 'TestVm',
  state: 'running',
  adapters: [ADAPTER],
  savedRecords: 0,
};

/** The external port of a switch team of two, and the uplink of which it is. */
const externalNic = {
  ...NIC,
  type: 'external',
  vfAssigned: false,
  currentMac: '00-15-5d-00-01-00',
  mac: '00-15-5d-00-01-00',
};
export const UPLINK_PORT = {
  id: 'b0000000-0000-4000-8000-000000000001',
  portId: 1,
  name: 'External',
  type: 'external',
  state: 'created',
  isValidationPort: false,
  nics: [
    { ...externalNic, name: 'PCI 0', friendlyName: 'Team' },
    { ...externalNic, index: 1, name: 'PCI 1', friendlyName: 'Ethernet 1' },
    { ...externalNic, index: 2, name: 'PCI 2', friendlyName: 'Ethernet 2', state: 'created' },
  ],
  names: {
    portId: 1,
    portName: 'b0000000-0000-4000-8000-000000000001',
    instanceId: 'Microsoft:S\\P',
  },
};
export const UPLINK = {
  team: 'switch',
  port: UPLINK_PORT,
  operational: true,
  adapters: [
    {
      index: 1,
      name: 'Ethernet 1',
      mac: '00-15-5d-00-01-00',
      linkUp: true,
      virtualFunctions: 8,
      virtualFunctionsUsed: 1,
      queues: 16,
      queuesUsed: 0,
    },
    {
      index: 2,
      name: 'Ethernet 2',
      mac: '00-15-5d-00-01-00',
      linkUp: false,
      virtualFunctions: 0,
      virtualFunctionsUsed: 0,
      queues: 0,
      queuesUsed: 0,
    },
  ],
};
