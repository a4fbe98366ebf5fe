import { setTimeout as sleep } from 'node:timers/promises';

/** What a change came to, as far as the one who asked for it can know. */
export type Outcome =
  /** Acknowledged: it must be there whatever dies now. */
  | { readonly kind: 'done'; readonly status: number; readonly body: Record<string, unknown> }
  /** Refused, or never sent: it must not be there. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  /** No answer, or one that says that nobody knows: it may be there or not. */
  | { readonly kind: 'unknown'; readonly status: number; readonly code: string };

/** Longer than any host waits for its store or for another host: an answer that comes at all comes within it. */
const TIMEOUT_MS = 45_000;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * Asks a host. Errors of the client's side (4xx) are refusals. So is STORE_UNAVAILABLE when `isStoreCertain`: a host that lives on takes
 * back what it could not store in time (docs/decisions/0011); one that is killed in between cannot.
 */
export async function ask(
  url: string,
  method: Method,
  path: string,
  body?: object,
  isStoreCertain = false,
): Promise<Outcome> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url}${path}`, {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    text = await response.text();
  } catch (error) {
    const code = codeOf(error);
    // Nobody listened: it was never sent.
    if (code === 'ECONNREFUSED') return { kind: 'refused', status: 0, code };
    return { kind: 'unknown', status: 0, code };
  }
  const { status } = response;
  const json = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  if (status < 400) return { kind: 'done', status, body: json };
  const code = String(json['type']).split(':').at(-1) ?? '';
  const isCertain = status < 500 || (isStoreCertain && code === 'STORE_UNAVAILABLE');
  return { kind: isCertain ? 'refused' : 'unknown', status, code };
}

/** Milliseconds for an answer of a host that lives and is slow: its lease may have run out for a moment (503). */
const ANSWERED_WITHIN_MS = 30_000;

/** Asks what changes nothing, again and again while there is no answer that says anything. */
export async function askAgain(
  url: string,
  method: 'GET' | 'POST',
  path: string,
): Promise<Outcome> {
  const deadline = Date.now() + ANSWERED_WITHIN_MS;
  for (;;) {
    const outcome = await ask(url, method, path);
    if (outcome.kind !== 'unknown' || Date.now() >= deadline) return outcome;
    await sleep(250);
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Object && 'code' in cause) return String(cause.code);
  return error.name;
}
