/** Words after `node` for a program of the sources: run as tap runs tests (compiled.mjs). */
export const FROM_SOURCES: readonly string[] = [
  '--import',
  new URL('./compiled.mjs', import.meta.url).href,
];
