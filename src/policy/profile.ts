import type { NdisVersion } from '../abi/index.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { ProfileName } from './api.ts';

/** NDIS version of each Windows Server generation (introduction-to-ndis-6-*.md): it decides structure revisions. */
export const PROFILE_NDIS: Readonly<Record<ProfileName, NdisVersion>> = {
  ws2012: '6.30',
  ws2012r2: '6.40',
  ws2016: '6.60',
  ws2019: '6.82',
  ws2022: '6.85',
  ws2025: '6.85',
};

export const DEFAULT_PROFILE: ProfileName = 'ws2022';

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
