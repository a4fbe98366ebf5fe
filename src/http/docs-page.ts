import { createHash } from 'node:crypto';
import type { OpenApiDocument, OpenApiOperation } from './openapi.ts';
import type { JsonSchema } from './route.ts';

const STYLE = `
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
h2{margin-top:2.5rem;border-bottom:1px solid #ccc}details{border:1px solid #ddd;border-radius:4px;margin:.4rem 0}
summary{padding:.4rem .6rem;cursor:pointer}details>div{padding:0 .8rem .6rem}
b.m{display:inline-block;min-width:4.5rem;font-family:ui-monospace,monospace}code,pre{font-family:ui-monospace,monospace}
pre{background:#f5f5f5;padding:.6rem;overflow:auto;white-space:pre-wrap}table{border-collapse:collapse}
td,th{text-align:left;vertical-align:top;padding:.15rem .8rem .15rem 0}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}pre{background:#222}details{border-color:#444}a{color:#8ab4f8}}
`;

/** Lets the page have its own style sheet and nothing else: no script, no frame, no request. */
export function docsPolicy(): string {
  const hash = createHash('sha256').update(STYLE).digest('base64');
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

/** What a browser gets at the address of the server. */
export function welcomePage(version: string): string {
  const link = (path: string, what: string): string =>
    `<tr><td><a href="${path}"><code>${path}</code></a></td><td>${what}</td></tr>`;
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>extswitch</title><style>${STYLE}</style></head><body><h1>extswitch ${escapeHtml(version)}</h1>` +
    `<p>The Hyper-V extensible switch, simulated. The API is below <code>/v1</code>.</p><table>` +
    link('/docs', 'every route, what it takes and answers') +
    link('/openapi.json', 'the same for machines') +
    link('/v1/switches', 'the switches, as JSON') +
    link('/readyz', 'whether it is ready') +
    link('/metrics', 'counters, for Prometheus') +
    `</table></body></html>`
  );
}

/** The document as a page that stands by itself: no script, nothing loaded. */
export function docsPage(document: OpenApiDocument): string {
  const byTag = new Map<string, string[]>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags[0] ?? '';
      const blocks = byTag.get(tag) ?? [];
      blocks.push(operationBlock(method.toUpperCase(), path, operation));
      byTag.set(tag, blocks);
    }
  }
  const sections = [...byTag].map(
    ([tag, blocks]) => `<h2>${escapeHtml(tag)}</h2>${blocks.join('')}`,
  );
  const shapes = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      `<details id="${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code></summary><div>${shape(schema)}</div></details>`,
  );
  const { title, version, description } = document.info;
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${escapeHtml(title)} HTTP</title><style>${STYLE}</style></head><body>` +
    `<h1>${escapeHtml(title)} ${escapeHtml(version)}</h1><p>${escapeHtml(description)}</p>` +
    `<p>Other worlds: the same routes below <code>/worlds/{world}</code>. Machine-readable: <a href="/openapi.json">/openapi.json</a>.</p>` +
    `${sections.join('')}<h2>Shapes</h2>${shapes.join('')}</body></html>`
  );
}

function operationBlock(method: string, path: string, operation: OpenApiOperation): string {
  const parameters = (operation.parameters ?? []).map(
    (p) =>
      `<tr><td><code>${escapeHtml(p.name)}</code></td><td>${p.in}</td><td>${escapeHtml(
        p.description ?? String(p.schema['description'] ?? ''),
      )}</td></tr>`,
  );
  const body = operation.requestBody?.content['application/json']?.schema;
  const responses = Object.entries(operation.responses).map(([status, response]) => {
    const schema = Object.values(response.content ?? {})[0]?.schema;
    return `<tr><td>${escapeHtml(status)}</td><td>${escapeHtml(response.description)}</td><td>${
      schema?.['$ref'] === undefined ? '' : reference(String(schema['$ref']))
    }</td></tr>`;
  });
  return (
    `<details id="${escapeHtml(operation.operationId)}"><summary><b class="m">${method}</b> <code>${escapeHtml(path)}</code> ` +
    `${escapeHtml(operation.summary)}</summary><div>` +
    (operation.description === undefined ? '' : `<p>${escapeHtml(operation.description)}</p>`) +
    (parameters.length > 0 ? `<table>${parameters.join('')}</table>` : '') +
    (body === undefined ? '' : `<p>Body:</p>${shape(body)}`) +
    `<p>Answers:</p><table>${responses.join('')}</table></div></details>`
  );
}

function shape(schema: JsonSchema): string {
  if (schema['$ref'] !== undefined) return reference(String(schema['$ref']));
  const text = escapeHtml(JSON.stringify(schema, null, 2));
  return `<pre>${text.replace(
    /#\/components\/schemas\/([A-Za-z]+)/g,
    (_all, name: string) => `<a href="#${name}">${name}</a>`,
  )}</pre>`;
}

function reference(pointer: string): string {
  const name = escapeHtml(pointer.slice(pointer.lastIndexOf('/') + 1));
  return `<a href="#${name}"><code>${name}</code></a>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
