import { isDeepStrictEqual } from 'node:util';
import type { Store, StoreOp, StoreValue } from '../store/store.ts';

/** What makes one store's content another's, and what takes that back. */
export interface Difference {
  readonly ops: readonly StoreOp[];
  readonly inverse: readonly StoreOp[];
}

/** The writes that give `store` the content of `wanted`; values are compared by what they hold. */
export function storeDifference(store: Store, wanted: Store): Difference {
  const ops: StoreOp[] = [];
  const inverse: StoreOp[] = [];
  const before = store.range('')[Symbol.iterator]();
  const after = wanted.range('')[Symbol.iterator]();
  let old = before.next();
  let fresh = after.next();
  // Both in the order of their keys, which are ASCII.
  while (old.done !== true || fresh.done !== true) {
    const oldKey = old.done === true ? undefined : old.value[0];
    const freshKey = fresh.done === true ? undefined : fresh.value[0];
    if (oldKey !== undefined && (freshKey === undefined || oldKey < freshKey)) {
      ops.push({ op: 'delete', key: oldKey });
      inverse.push({ op: 'put', key: oldKey, value: entryValue(old) });
      old = before.next();
    } else if (freshKey !== undefined && (oldKey === undefined || freshKey < oldKey)) {
      ops.push({ op: 'put', key: freshKey, value: entryValue(fresh) });
      inverse.push({ op: 'delete', key: freshKey });
      fresh = after.next();
    } else {
      const [was, is] = [entryValue(old), entryValue(fresh)];
      if (was !== is && !isDeepStrictEqual(was, is)) {
        ops.push({ op: 'put', key: freshKey as string, value: is });
        inverse.push({ op: 'put', key: freshKey as string, value: was });
      }
      old = before.next();
      fresh = after.next();
    }
  }
  return { ops, inverse };
}

function entryValue(step: IteratorResult<readonly [string, StoreValue]>): StoreValue {
  return (step.value as readonly [string, StoreValue])[1];
}
