import { ExtSwitchError } from '../core/errors.ts';
import { MESSAGE_PACK } from './msgpack.ts';

export type Representation = 'json' | 'msgpack';

const KNOWN: ReadonlyMap<string, Representation> = new Map([
  ['application/json', 'json'],
  [MESSAGE_PACK, 'msgpack'],
  ['application/x-msgpack', 'msgpack'],
]);
/** Answers to Accept texts seen before; clients send the same few. */
const seen = new Map<string, Representation | undefined>();
const MAX_SEEN = 256;

/** The representation an Accept header asks for (RFC 9110, 12.5.1); JSON when it does not mind. Throws `NOT_ACCEPTABLE`. */
export function negotiate(accept: string | undefined): Representation {
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return 'json';
  let answer = seen.get(accept);
  if (answer === undefined && !seen.has(accept)) {
    answer = choose(accept);
    if (seen.size < MAX_SEEN) seen.set(accept, answer);
  }
  if (answer === undefined) {
    throw new ExtSwitchError(
      'NOT_ACCEPTABLE',
      `nothing of "${accept.slice(0, 100)}" can be sent: ask for application/json or ${MESSAGE_PACK}`,
      { expected: `application/json, ${MESSAGE_PACK}` },
    );
  }
  return answer;
}

/** Whether an Accept header is a browser's: it wants a page rather than JSON. */
export function prefersPage(accept: string | undefined): boolean {
  return accept !== undefined && quality(accept, 'text/html') > quality(accept, 'application/json');
}

/** Throws `NOT_ACCEPTABLE` unless the header lets `text/event-stream` through; errors of the stream are JSON. */
export function acceptsEventStream(accept: string | undefined): Representation {
  if (accept === undefined || quality(accept, 'text/event-stream') > 0) return 'json';
  throw new ExtSwitchError('NOT_ACCEPTABLE', 'this route sends text/event-stream', {
    expected: 'text/event-stream',
  });
}

function choose(accept: string): Representation | undefined {
  let best: Representation | undefined;
  let bestQuality = 0;
  for (const [type, representation] of KNOWN) {
    const q = quality(accept, type);
    if (q > bestQuality) {
      best = representation;
      bestQuality = q;
    }
  }
  return best;
}

/** Quality 0 to 1 of a media type: the most specific range that covers it decides. */
function quality(accept: string, type: string): number {
  const family = `${type.slice(0, type.indexOf('/'))}/*`;
  let specificity = -1;
  let result = 0;
  for (const range of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim());
    const match = name === type ? 2 : name === family ? 1 : name === '*/*' ? 0 : -1;
    if (match <= specificity) continue;
    specificity = match;
    const q = parameters.find((parameter) => parameter.startsWith('q='));
    const value = q === undefined ? 1 : Number(q.slice(2));
    result = value >= 0 && value <= 1 ? value : 0;
  }
  return result;
}
