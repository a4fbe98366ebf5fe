import { readFileSync } from 'node:fs';

/** Version of this package, e.g. `0.1.0`: package.json lies two folders up from the sources, three from the build. */
export function readVersion(): string {
  for (const place of ['../../package.json', '../../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as {
        readonly name?: unknown;
        readonly version?: unknown;
      };
      if (found.name === 'extswitch') return String(found.version);
    } catch {
      // not there: look one folder further up
    }
  }
  throw new Error('package.json of extswitch was not found beside its code');
}
