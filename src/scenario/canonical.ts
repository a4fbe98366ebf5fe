/** Text of a value that is the same for equal values: 64-bit numbers and their decimal text are equal. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, each]) => `${name}: ${canonical(each)}`);
    return `{ ${members.sort().join(', ')} }`;
  }
  return String(value);
}
