import { type NdisVersion, ndisHas } from '../abi/index.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { ProfileName } from './api.ts';

/**
 * NDIS version of each Windows Server generation (introduction-to-ndis-6-*.md). ws2025 brought 6.89; the structures of the
 * switch are described up to 6.85, and none of them changed from 6.81 on.
 */
export const PROFILE_NDIS: Readonly<Record<ProfileName, NdisVersion>> = {
  ws2012: '6.30',
  ws2012r2: '6.40',
  ws2016: '6.60',
  ws2019: '6.82',
  ws2022: '6.85',
  ws2025: '6.85',
};

export const DEFAULT_PROFILE: ProfileName = 'ws2022';

/** Something the control path has from one NDIS version on. */
export interface VersionFact {
  readonly since: NdisVersion;
  readonly what: string;
  /** Header or documentation page that says so. */
  readonly source: string;
  /** Feature class that cannot be used before. */
  readonly feature?: string;
}

/** What differs between profiles on the control path, oldest first; what is not here is the same in all of them. */
export const VERSION_FACTS: readonly VersionFact[] = [
  {
    since: '6.40',
    what: 'NDIS_SWITCH_NIC_PARAMETERS revision 2: 2,224 bytes instead of 2,207',
    source: 'ntddndis.h',
  },
  {
    since: '6.40',
    what: 'NIC_CREATE says NIC_INITIALIZING the first time in the life of a synthetic NIC (C17)',
    source: 'ns-ntddndis-_ndis_switch_nic_parameters.md',
  },
  {
    since: '6.40',
    what: 'NDIS_SWITCH_PORT_PROPERTY_SECURITY revision 2 with DynamicIPAddressLimit: 24 bytes instead of 17',
    source: 'ntddndis.h',
  },
  {
    since: '6.40',
    what: 'port property type Isolation, 5 (E1)',
    source: 'ne-ntddndis-_ndis_switch_port_property_type.md',
    feature: 'Msvm_EthernetSwitchPortIsolationSettingData',
  },
  {
    since: '6.40',
    what: 'port property type RoutingDomain, 6 (E1)',
    source: 'ne-ntddndis-_ndis_switch_port_property_type.md',
    feature: 'Msvm_EthernetSwitchPortRoutingDomainSettingData',
  },
  {
    since: '6.50',
    what: 'NDIS_SWITCH_NIC_SAVE_STATE revision 2 with SaveDataSizeOverflow: 572 bytes instead of 568',
    source: 'introduction-to-ndis-6-50.md',
  },
  {
    since: '6.50',
    what: 'NDIS_OID_REQUEST revision 2 inside NIC_REQUEST: 248 bytes instead of 236',
    source: 'introduction-to-ndis-6-50.md',
  },
  {
    since: '6.50',
    what: 'port flag UNTRUSTED_INTERNAL_PORT (B8)',
    source: 'ntddndis.h',
  },
  {
    since: '6.50',
    what: 'OID_SWITCH_NIC_SUSPEND and RESUME with NIC flag SUSPENDED (G44, OP-39)',
    source: 'ntddndis.h',
  },
  {
    since: '6.60',
    what: 'port flag RESTORING_PORT (B9)',
    source: 'ntddndis.h',
  },
  {
    since: '6.80',
    what: 'OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_STARTED and FINISHED with NIC flag SUSPENDED_LM (G44, OP-39)',
    source: 'ntddndis.h',
  },
];

/** What a switch of this profile has beyond NDIS 6.30, the first version with an extensible switch. */
export function profileFacts(profile: ProfileName): readonly VersionFact[] {
  return VERSION_FACTS.filter(({ since }) => ndisHas(PROFILE_NDIS[profile], since));
}

/** Why a feature class cannot be used in this NDIS version, or `undefined`. */
export function missingFact(ndis: NdisVersion, feature: string): VersionFact | undefined {
  return VERSION_FACTS.find((fact) => fact.feature === feature && !ndisHas(ndis, fact.since));
}

/** The text as a profile name, or `INVALID_ARGUMENT` naming the ones there are. */
export function parseProfile(text: string): ProfileName {
  if (Object.hasOwn(PROFILE_NDIS, text)) return text as ProfileName;
  const known = Object.keys(PROFILE_NDIS).join(', ');
  throw new ExtSwitchError(
    'INVALID_ARGUMENT',
    `profile ${JSON.stringify(text)} is not one of ${known}`,
    {
      member: 'profile',
      expected: known,
      found: text,
    },
  );
}
