import { connect, type Item } from '../client.ts';
import { ColumnPrinter } from '../columns.ts';
import type { CommandHandler } from '../command.ts';
import { parseJson, readInputText } from '../input.ts';
import { printJson } from '../print-items.ts';
import { harmless } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** `batch` */
export const batch: CommandHandler = async (call, terminal) => {
  const [path = '-'] = call.arguments;
  const name = path === '-' ? 'standard input' : path;
  const given = parseJson(await readInputText(terminal, path), name);
  const body = Array.isArray(given) ? { operations: given } : given;
  if (typeof body !== 'object' || body === null || !('operations' in body)) {
    throw new UsageError(`${name} must hold a list of operations, or {"operations": […]}`, 'batch');
  }
  const request = call.has('atomic') ? { ...body, atomic: true } : body;
  const answer = await connect(call, terminal).request('POST', '/batch', { body: request });
  const results = resultsOf(answer.body);
  const failed = results.filter((result) => Number(result['status']) >= 400).length;
  if (call.has('json')) await printJson(terminal, answer.body);
  else {
    const operations = (body as { readonly operations: readonly Item[] }).operations;
    const rows = results.map((result, at) => ({ result, operation: operations[at] ?? {} }));
    const shown = rows.filter(({ result }) => Number(result['status']) >= 400);
    await new ColumnPrinter(terminal, [
      { title: 'status', value: ({ result }: (typeof rows)[number]) => result['status'] },
      { title: 'method', value: ({ operation }: (typeof rows)[number]) => operation['method'] },
      { title: 'path', value: ({ operation }: (typeof rows)[number]) => operation['path'] },
      { title: 'reason', value: ({ result }: (typeof rows)[number]) => reasonOf(result) },
    ]).print(shown);
    await terminal.line(`${results.length - failed} done, ${failed} failed`);
  }
  return failed === 0 ? 0 : 1;
};

function resultsOf(body: unknown): readonly Item[] {
  if (Array.isArray(body)) return body as Item[];
  const { results, items } = body as { readonly results?: Item[]; readonly items?: Item[] };
  return results ?? items ?? [];
}

function reasonOf(result: Item): string {
  const body = result['body'] as Item | undefined;
  return harmless(String(body?.['detail'] ?? body?.['title'] ?? ''));
}
