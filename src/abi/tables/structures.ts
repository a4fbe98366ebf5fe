import { BASIC_STRUCTURES } from './basic.ts';
import { FEATURE_STATUS_STRUCTURES } from './feature-status.ts';
import { FORWARDING_STRUCTURES } from './forwarding.ts';
import { PORT_PROPERTY_STRUCTURES } from './port-property.ts';
import { REQUEST_STRUCTURES } from './request.ts';
import { STANDARD_PROPERTY_STRUCTURES } from './standard-property.ts';
import { SWITCH_OBJECT_STRUCTURES } from './switch-objects.ts';
import { SWITCH_PROPERTY_STRUCTURES } from './switch-property.ts';

/** The 42 structures of the switch ABI, NDIS 6.30 to 6.85 on x64. Views, checks, dumps and C text come from this table. */
export const STRUCTURES = {
  ...BASIC_STRUCTURES,
  ...REQUEST_STRUCTURES,
  ...SWITCH_OBJECT_STRUCTURES,
  ...PORT_PROPERTY_STRUCTURES,
  ...STANDARD_PROPERTY_STRUCTURES,
  ...SWITCH_PROPERTY_STRUCTURES,
  ...FEATURE_STATUS_STRUCTURES,
  ...FORWARDING_STRUCTURES,
} as const;

/** Name of a structure, e.g. `NDIS_SWITCH_PORT_PROPERTY_PARAMETERS`. */
export type StructureName = keyof typeof STRUCTURES;
