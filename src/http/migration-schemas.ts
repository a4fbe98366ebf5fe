import type { JsonSchema } from './route.ts';
import { guid, hostName, object, string, text } from './schemas.ts';
import { restoreReport } from './vm-schemas.ts';

/* Shapes of migrations and compatibility reports: interfaces.md 3, as src/policy/migration-api.ts has them. */

const incompatibility = object(
  {
    code: {
      enum: [
        'SWITCH_MISSING',
        'SWITCH_DOWN',
        'FEATURE_REQUIRED',
        'CLASS_MISSING',
        'CLASS_OLDER',
        'CLASS_NEWER',
        'UINT16_PROFILE',
        'NDIS_VERSION',
        'EXTENSION_MISSING',
        'EXTENSION_DISABLED',
        'PROPERTY_REFUSED',
        'PORT_REFUSED',
        'NAME_TAKEN',
        'MAC_TAKEN',
        'RECORD_UNOWNED',
      ],
    },
    severity: { enum: ['error', 'warning'], description: '`error` stops a migration' },
    message: string,
    adapter: string,
    feature: string,
    extensionId: guid,
    ndisStatus: string,
    rule: string,
  },
  ['adapter', 'feature', 'extensionId', 'ndisStatus', 'rule'],
);
const compatibility = object({
  ok: { type: 'boolean', description: 'No problem is an error' },
  problems: { type: 'array', items: incompatibility },
});

const step = object(
  {
    name: {
      enum: [
        'compare',
        'validate',
        'prepare',
        'save',
        'release',
        'take',
        'restore',
        'finish',
        'undo',
      ],
    },
    state: { enum: ['pending', 'running', 'succeeded', 'failed'] },
    oid: { ...string, description: 'The OID that was refused' },
    ndisStatus: string,
    message: string,
  },
  ['oid', 'ndisStatus', 'message'],
);
const destinationMembers = {
  host: text(
    256,
    'Another host of the cluster, or another world of this server; left out: this one',
  ),
  switch: text(256, 'Switch id or name there for every adapter; left out: the name it has here'),
} as const;
const destination: JsonSchema = object(destinationMembers, Object.keys(destinationMembers));
const namedVm = object({ id: guid, name: string });

const owner: JsonSchema = { enum: ['source', 'destination'] };
const found = object(
  {
    copy: { enum: ['none', 'kept', 'gone', 'taken'] },
    host: { ...string, description: 'Where a copy that has gone runs' },
  },
  ['host'],
);
const keeps = { const: true, description: 'What the VM was is kept on this host' } as const;
const settled = object(
  { owner, time: { type: 'integer', description: "Milliseconds of the host's clock" }, found },
  ['found'],
);

export const migration = object(
  {
    id: guid,
    vm: namedVm,
    destination,
    started: {
      type: 'number',
      description: "Milliseconds of the source's clock; 0: of a version that did not keep it",
    },
    state: { enum: ['running', 'succeeded', 'failed'] },
    dryRun: { const: true, description: 'Only the report was asked for' },
    steps: { type: 'array', items: step },
    report: compatibility,
    restore: restoreReport,
    error: object({ code: string, message: string }),
    settled: { ...settled, description: 'A person has decided, and what the destination had' },
    kept: keeps,
    host: hostName,
  },
  ['dryRun', 'report', 'restore', 'error', 'settled', 'kept', 'host'],
);
export const settlement = object({
  owner: { ...owner, description: 'Whose the VM is from now on' },
  confirm: text(256, 'Name of the host that does not answer, once more'),
});
export const migrationInput = object(
  {
    vm: text(256, 'VM id or unique name'),
    destination,
    dryRun: { type: 'boolean', description: 'Only the compatibility report: nothing moves' },
  },
  ['dryRun'],
);
export const arrival = object(
  {
    id: guid,
    vm: namedVm,
    state: { enum: ['prepared', 'taken', 'abandoned', 'superseded'] },
    kept: keeps,
    host: hostName,
  },
  ['kept', 'host'],
);
