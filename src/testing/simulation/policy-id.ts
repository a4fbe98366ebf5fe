/** PropertyInstanceId of the policy with this number. */
export const policyId = (policy: number): string =>
  `00000000-0000-4000-8000-${policy.toString(16).padStart(12, '0')}`;

/** Numbers of the policies of a class: their ids end with them. */
export const numbersOf = (
  properties: Iterable<{ readonly id: string; readonly feature: string }>,
  of: string,
): number[] =>
  Array.from(properties)
    .filter(({ feature }) => feature === of)
    .map(({ id }) => Number.parseInt(id.slice(-12), 16));
