import { harmless } from './harmless-text.ts';

/** Any text as the title of a test point, or the reason of a directive, of TAP 14: one line; a `#` would begin a directive. */
export function tapTitle(text: string): string {
  return harmless(text.replaceAll('\\', '\\\\').replaceAll('#', '\\#').replace(/\s+/g, ' ').trim());
}

/** Any text as a value in the YAML block of a test point, on one line: JSON is YAML. */
export function yamlText(text: string): string {
  return harmless(JSON.stringify(text));
}
