import { object, string } from './schemas.ts';

const integer = { type: 'integer' } as const;

export const timeInfo = object(
  {
    mode: {
      enum: ['wall', 'stopped', 'manual'],
      description: 'wall follows the machine; stopped and manual move only by a warp',
    },
    nowMs: { type: 'number', description: 'Virtual milliseconds since 1970' },
    nextTimerMs: {
      type: 'number',
      description: 'Virtual time of the next timer, when there is one',
    },
  },
  ['nextTimerMs'],
);

export const snapshotInfo = object({
  name: string,
  time: { type: 'number', description: 'Virtual milliseconds when it was taken' },
  seq: { type: 'integer', description: 'Newest number of trace and events at that moment' },
  switches: integer,
  ports: { type: 'integer', description: 'Stored ports: those of VMs follow from the VMs' },
  properties: integer,
  vms: integer,
  records: { type: 'integer', description: 'Records of the store in it' },
});
