import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** A request as the server saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** An answer: status, JSON body, headers; or a function that takes the response over. */
export type Reply =
  | readonly [status: number, body?: unknown, headers?: Readonly<Record<string, string>>]
  | ((response: ServerResponse) => void);

/** A server that answers `METHOD /path?query` from a table, and remembers what it was asked. */
export async function fakeServer(
  t: Test,
  replies: Readonly<Record<string, Reply | readonly Reply[]>>,
): Promise<{ readonly url: string; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const counts = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const key = `${request.method} ${request.url}`;
    seen.push({
      method: String(request.method),
      path: String(request.url),
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    });
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    const found = replies[key];
    const several = Array.isArray(found) && typeof found[0] !== 'number';
    const reply = (several ? (found as Reply[])[Math.min(count, found.length - 1)] : found) as
      | Reply
      | undefined;
    if (typeof reply === 'function') return reply(response);
    const [status, body, headers] = reply ?? [404, { title: 'Not found', detail: `no ${key}` }];
    const type = status >= 400 ? 'application/problem+json' : 'application/json';
    response.writeHead(status, { 'content-type': type, ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, seen };
}
