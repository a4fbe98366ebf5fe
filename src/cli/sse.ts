/** One Server-Sent Event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id?: string;
}

/** Reads a `text/event-stream` body (WHATWG HTML 9.2.6): fields, comments, CR, LF and CRLF ends, BOM. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let buffer = '';
  let fields = { event: 'message', data: [] as string[], id: undefined as string | undefined };
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true });
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(buffer);
      if (end === null) break;
      const line = buffer.slice(0, end.index);
      buffer = buffer.slice(end.index + end[0].length);
      if (line !== '') {
        takeField(fields, line);
        continue;
      }
      if (fields.data.length > 0) {
        const { event, id } = fields;
        yield { event, data: fields.data.join('\n'), ...(id === undefined ? {} : { id }) };
      }
      fields = { event: 'message', data: [], id: fields.id };
    }
  }
}

/**
 * The chunks of a body until it ends or `signal` is aborted. By itself a body does not always learn of an abort: Node 20's
 * fetch holds the listener weakly, and a garbage collection in between loses it.
 */
export async function* untilAborted(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', stop, { once: true });
  try {
    while (!signal.aborted) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

function takeField(
  fields: { event: string; data: string[]; id: string | undefined },
  line: string,
): void {
  const colon = line.indexOf(':');
  const name = colon === -1 ? line : line.slice(0, colon);
  const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
  if (name === 'event') fields.event = value;
  else if (name === 'data') fields.data.push(value);
  else if (name === 'id' && !value.includes('\0')) fields.id = value;
}
