import type { JsonSchema } from './route.ts';
import { boolean, guid, integer, object, settings, string, switchShape, text } from './schemas.ts';
import { vm } from './vm-schemas.ts';

/* Portable documents: docs/reference/portable-document.md, as src/policy/migration-api.ts has them. */

const listed = (items: JsonSchema, description?: string): JsonSchema => ({
  type: 'array',
  items,
  ...(description === undefined ? {} : { description }),
});
const named = object({ id: guid, name: string });

export const portableProperty = object({
  id: guid,
  featureId: guid,
  feature: string,
  version: { type: 'integer', description: 'InterfaceVersion, major * 256 + minor' },
  settings,
  revision: integer,
});

const record = object({
  extensionId: guid,
  extensionFriendlyName: string,
  featureClassId: guid,
  portId: integer,
  data: { type: 'string', contentEncoding: 'base64', description: 'bin in MessagePack' },
});

const adapter = object(
  {
    id: guid,
    portName: guid,
    name: string,
    type: { enum: ['synthetic', 'emulated'] },
    mac: string,
    macType: { enum: ['static', 'dynamic'] },
    mtu: integer,
    vmMac: string,
    numaNode: integer,
    isKnown: boolean,
    switch: named,
    requiredFeatures: listed(named),
    properties: listed(portableProperty, 'In order of creation'),
    saved: listed(record, 'Run-time data kept with the VM (rule G11)'),
  },
  ['portName', 'vmMac', 'switch'],
);

const nic = object(
  {
    index: integer,
    name: string,
    friendlyName: string,
    mac: string,
    mtu: integer,
    vmMac: string,
    netCfgInstanceId: guid,
    numaNode: integer,
    vmName: string,
    vmFriendlyName: string,
    adapter: object({ name: string, virtualFunctions: integer, queues: integer }),
  },
  ['vmMac', 'netCfgInstanceId', 'numaNode', 'vmName', 'vmFriendlyName', 'adapter'],
);

const port = object(
  {
    id: guid,
    portId: integer,
    name: string,
    type: string,
    team: { enum: ['none', 'lbfo', 'switch'] },
    nics: listed(nic),
    properties: listed(portableProperty),
  },
  ['team'],
);

const feature = object({
  id: guid,
  name: string,
  kind: { enum: ['setting', 'status'] },
  version: integer,
  extensionId: guid,
  uint16: { enum: ['native', 'doc32'] },
  mof: { type: 'string', description: 'MOF text of the class' },
});

export const portableDocument = object({
  format: { const: 'extswitch-portable' },
  version: { const: 1 },
  profile: string,
  features: listed(feature, 'Classes the policies are of, built-in ones left out'),
  switches: listed(
    object({
      id: guid,
      name: string,
      type: string,
      extensions: listed(
        object({ id: guid, name: string, version: string, enabled: boolean, required: boolean }),
        'Top to bottom inside their class',
      ),
      properties: listed(portableProperty),
      ports: listed(port, "Ports that are no VM's"),
    }),
  ),
  vms: listed(object({ id: guid, name: string, state: string, adapters: listed(adapter) })),
  checksum: { type: 'string', description: '`sha256:` over the canonical JSON of the rest' },
});

const importWithOptions = object(
  {
    document: {
      type: 'object',
      description:
        'A portable document, or a dump of a Hyper-V host; what is wrong in it is named (422)',
    },
    switches: {
      type: 'object',
      additionalProperties: text(256),
      description:
        "Name of a switch the document's adapters have → id or name here; left out: the same name",
    },
    ids: { enum: ['fresh', 'keep'], description: '`fresh` (default): new ids' },
    name: text(256, 'Instead of the name in the document; only with one'),
  },
  ['switches', 'ids', 'name'],
);

/** With what is to be done with it, or the document by itself, as it was exported. */
export const importInput: JsonSchema = {
  anyOf: [
    importWithOptions,
    {
      type: 'object',
      required: ['format'],
      properties: { format: {} },
      description: 'The document itself: fresh ids, switches of the same names',
    },
  ],
};

export const importReport = object({
  switches: listed(switchShape),
  vms: listed(vm),
  notes: listed(
    string,
    'Classes registered, values upgraded, addresses replaced, what is kept and delivered to nobody',
  ),
});
