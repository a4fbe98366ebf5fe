import type { JsonSchema } from './route.ts';
import {
  boolean,
  guid,
  hostName,
  integer,
  macInput,
  mtuInput,
  object,
  objectNames,
  port,
  string,
  text,
} from './schemas.ts';
import { keeping } from './validation.ts';

/* Shapes of VMs, their adapters, and the host's own connections: interfaces.md 3, as src/policy/api.ts has them. */

/** Most adapters a VM takes: 64 synthetic and 4 emulated (Hyper-V maximums of Windows Server 2022). */
const MAX_ADAPTERS = 68;

const vmNicTypes: JsonSchema = keeping('C6', { enum: ['synthetic', 'emulated'] });
const vmStates: JsonSchema = { enum: ['off', 'running', 'paused', 'saved'] };

export const adapter = object(
  {
    id: guid,
    name: string,
    type: vmNicTypes,
    mac: string,
    macType: { enum: ['static', 'dynamic'] },
    mtu: integer,
    switch: object({ id: guid, name: string }),
    connected: { type: 'boolean', description: 'Its NIC is connected now' },
    vfAssigned: boolean,
    port,
    names: objectNames,
    requiredFeatures: {
      type: 'array',
      items: object({ id: guid, name: string }),
      description: 'Features the switch must offer; only when there are any',
    },
  },
  ['switch', 'port', 'requiredFeatures'],
);
const vmProperties = {
  id: guid,
  name: string,
  state: vmStates,
  adapters: { type: 'array', items: adapter },
  savedRecords: { type: 'integer', description: 'Run-time data records kept with a saved VM' },
  host: hostName,
} as const;
export const vm = object(vmProperties, ['host']);
export const savedRecord = object({
  adapterId: guid,
  extensionId: guid,
  extensionFriendlyName: string,
  featureClassId: guid,
  bytes: integer,
});
export const restoreReport = object({
  restored: { type: 'integer', description: 'Records an extension took back' },
  unowned: {
    type: 'array',
    items: savedRecord,
    description: 'Records no extension took: kept with the VM (rule G26)',
  },
});
export const restoredVm = object({ ...vmProperties, restore: restoreReport }, ['host']);

const requiredInput = {
  type: 'array',
  items: text(256),
  maxItems: 64,
  description: 'Feature ids or names the switch must offer for the adapter to connect',
} as const;
const adapterOptions = {
  name: text(256),
  switch: text(256, 'Switch id or unique name; left out: not connected'),
  mac: { ...macInput, description: 'A static address; left out: a dynamic one of the pool' },
  type: vmNicTypes,
  mtu: mtuInput,
  requiredFeatures: requiredInput,
} as const;
export const adapterInput = object(adapterOptions, Object.keys(adapterOptions));
export const vmInput = object(
  {
    name: text(256),
    adapters: { type: 'array', items: adapterInput, maxItems: MAX_ADAPTERS },
  },
  ['adapters'],
);

/** What NIC_UPDATED may change (rule C29). */
const nicChange = {
  name: text(256),
  mac: { ...macInput, description: 'PermanentMacAddress' },
  vmMac: { ...macInput, description: 'VMMacAddress: what the guest set' },
  mtu: mtuInput,
  numaNode: { type: 'integer', minimum: 0, maximum: 65_535 },
} as const;
export const nicChangeInput = object(nicChange, Object.keys(nicChange));
export const adapterChangeInput = object(
  {
    ...nicChange,
    requiredFeatures: {
      ...requiredInput,
      description: `${requiredInput.description}: all of them; empty: none`,
    },
    switch: {
      type: ['string', 'null'],
      minLength: 1,
      maxLength: 256,
      description: 'Switch id or unique name to connect to, with its policies; null disconnects',
    },
  },
  [...Object.keys(nicChange), 'requiredFeatures', 'switch'],
);

const teams: JsonSchema = { enum: ['none', 'lbfo', 'switch'] };
const counted = { type: 'integer', minimum: 0, maximum: 65_535 } as const;
export const uplinkInput = object(
  {
    team: {
      ...teams,
      description: '`lbfo` looks like one adapter (rule C5), each of a `switch` team has an index',
    },
    adapters: {
      type: 'array',
      minItems: 1,
      maxItems: 1_000,
      items: object(
        { name: text(256), mac: macInput, virtualFunctions: counted, queues: counted },
        ['mac', 'virtualFunctions', 'queues'],
      ),
    },
  },
  ['team'],
);
export const physicalAdapter = object({
  index: { type: 'integer', description: '1 to 32 (rule C3)' },
  name: string,
  mac: string,
  linkUp: boolean,
  virtualFunctions: integer,
  virtualFunctionsUsed: integer,
  queues: integer,
  queuesUsed: integer,
});
export const uplink = object({
  team: teams,
  port,
  operational: {
    type: 'boolean',
    description: 'An adapter below the external NIC is connected (rule C53)',
  },
  adapters: { type: 'array', items: physicalAdapter },
});
