/** What can be shown and logged in its place, for it may be a proxy, or have getters, that throw in turn. */
export function legible(error: unknown): unknown {
  try {
    if (!(error instanceof Error)) return new Error(`${String(error)} was thrown`);
    const { name, message, stack } = error;
    const isPlain = [name, message, stack].every((text) => typeof text === 'string');
    return isPlain && error.cause === undefined ? error : new Error(`${name}: ${message}`);
  } catch {
    return new Error('what was thrown cannot be read');
  }
}

/** Its name and the first line of its message, shortened. */
export function firstLine(error: unknown): string {
  const shown = legible(error);
  const text = shown instanceof Error ? `${shown.name}: ${shown.message}` : String(shown);
  return text.slice(0, 400).split('\n', 1)[0] ?? '';
}
