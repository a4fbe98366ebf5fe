/*
 * Preloaded by tap (.taprc): tests and what they import are run from dist, where `npm test` has just compiled them, under the
 * names of their sources: half the time of a loader that compiles in each process, and maps of tsc for the coverage.
 */
import { register } from 'node:module';

register('./compiled-hooks.mjs', import.meta.url);
