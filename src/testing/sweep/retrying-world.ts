import type { FabricInterface } from '../../policy/api.ts';

/** Plays one change of a world; `path` says which, e.g. `vms.get(VM1).start()`. */
export type CallPlayer = <T>(path: string, once: () => Promise<T>) => Promise<T>;

/** What is asked, waited for or looked at: passed through. */
const PLAIN =
  /^(trace|events|findings|time|snapshots|clock|faults|pending|counters|close|recording)$/;
/** What gives handles or data at once; everything else changes something, or asks an extension, and gives a promise. */
const READS = /^(get|list|keys|adapter|classOf|decode)$/;

/** A world whose every change goes through `player`: handles of it too. */
export function playedWorld(fabric: FabricInterface, player: CallPlayer): FabricInterface {
  return wrapped(fabric, '', player) as FabricInterface;
}

function wrapped(value: unknown, path: string, player: CallPlayer): unknown {
  if (Array.isArray(value)) return value.map((each, i) => wrapped(each, `${path}[${i}]`, player));
  if (!isHandle(value)) return value;
  return new Proxy(value, {
    get(target, name) {
      // Private members are those of the object itself.
      const member: unknown = Reflect.get(target, name, target);
      if (typeof name === 'symbol') return member;
      const at = path === '' ? name : `${path}.${name}`;
      if (typeof member !== 'function')
        return PLAIN.test(name) ? member : wrapped(member, at, player);
      if (PLAIN.test(name)) return member.bind(target);
      return (...given: unknown[]): unknown => {
        const call = `${at}(${given.filter(isWord).join(', ')})`;
        const make = (): unknown => Reflect.apply(member, target, given);
        if (READS.test(name)) return wrapped(make(), call, player);
        return player(call, async () => wrapped(await make(), call, player));
      };
    },
  });
}

/** An object of a class of ours; what is only data is of none. */
function isHandle(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null && !isBuiltIn(value);
}

const isBuiltIn = (value: object): boolean =>
  ArrayBuffer.isView(value) ||
  value instanceof Map ||
  value instanceof Set ||
  Symbol.iterator in value;

const isWord = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';
