import { isPromise } from 'node:util/types';

/**
 * Calls `done` or `failed` when `answer` is a promise that settled; false when it is none. Asked without its prototype, and with
 * the genuine `then`: both may be an extension's own, and throw.
 */
export function whenSettled(
  answer: unknown,
  done: (value: unknown) => void,
  failed: (error: unknown) => void,
): boolean {
  if (!isPromise(answer)) return false;
  try {
    void Promise.prototype.then.call(answer, done, failed);
  } catch (error) {
    queueMicrotask(() => failed(error));
  }
  return true;
}
