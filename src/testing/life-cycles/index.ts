import type { LifeCycle } from './life-cycle.ts';
import { toggleWithPorts } from './toggle-with-ports.ts';

/** The life cycles that broke real extensions, in the order they are best read. */
export const lifeCycles: readonly LifeCycle[] = [toggleWithPorts];
