import { ExtSwitchError } from '../core/errors.ts';

/** NDIS versions in scope, oldest first (ndis-switch-abi.md 6). */
export const NDIS_VERSIONS = [
  '6.30',
  '6.40',
  '6.50',
  '6.60',
  '6.80',
  '6.81',
  '6.82',
  '6.83',
  '6.84',
  '6.85',
] as const;

/** A version a switch may be built for. */
export type NdisVersion = (typeof NDIS_VERSIONS)[number];

/** Version a row of the tables starts with; 5.0 and 6.0 are older than the switch itself. */
export type SinceVersion = NdisVersion | '5.0' | '6.0';

/** What is used when no version is said. */
export const NEWEST_NDIS: NdisVersion = '6.85';

const ORDER: Readonly<Record<SinceVersion, number>> = {
  '5.0': 0,
  '6.0': 1,
  '6.30': 2,
  '6.40': 3,
  '6.50': 4,
  '6.60': 5,
  '6.80': 6,
  '6.81': 7,
  '6.82': 8,
  '6.83': 9,
  '6.84': 10,
  '6.85': 11,
};

/** True when something that exists since `since` exists in a build for `ndis`. */
export function ndisHas(ndis: NdisVersion, since: SinceVersion): boolean {
  return ORDER[ndis] >= ORDER[since];
}

/** The text as a version, or `INVALID_ARGUMENT`. */
export function parseNdisVersion(text: string): NdisVersion {
  const version = NDIS_VERSIONS.find((known) => known === text);
  if (version === undefined) {
    throw new ExtSwitchError('INVALID_ARGUMENT', `${JSON.stringify(text)} is not an NDIS version`, {
      member: 'ndis',
      expected: NDIS_VERSIONS.join(', '),
      found: text,
    });
  }
  return version;
}
