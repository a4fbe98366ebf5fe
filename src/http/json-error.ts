/** Where JSON text stops being JSON, as an index into the text, and what was expected there (RFC 8259). */
export interface JsonError {
  readonly at: number;
  readonly expected: string;
}

const SPACE = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const STRING_PART = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;

/** A reader that only moves forward; each method leaves `at` behind what it took, or at the fault. */
class Reader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  take(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match === null) return false;
    this.at += match[0].length;
    return true;
  }

  peek(): string {
    this.take(SPACE);
    return this.text.charAt(this.at);
  }

  fail(expected: string): JsonError {
    return { at: this.at, expected };
  }

  string(): JsonError | undefined {
    this.at += 1;
    for (;;) {
      this.take(STRING_PART);
      const character = this.text.charAt(this.at);
      if (character === '"') {
        this.at += 1;
        return undefined;
      }
      if (character !== '\\' || !this.take(ESCAPE)) {
        return this.fail(character === '\\' ? 'an escape such as \\n or \\u0041' : 'the closing "');
      }
    }
  }

  scalar(): JsonError | undefined {
    if (this.peek() === '"') return this.string();
    return this.take(NUMBER) || this.take(WORD) ? undefined : this.fail('a value');
  }

  /** `"name" :` of an object. */
  name(): JsonError | undefined {
    if (this.peek() !== '"') return this.fail('a member name in double quotes');
    const error = this.string();
    if (error !== undefined) return error;
    if (this.peek() !== ':') return this.fail('":"');
    this.at += 1;
    return undefined;
  }
}

/** First fault of `text`; the end of the text when there is none. Uses no recursion, so depth does not matter. */
export function findJsonError(text: string): JsonError {
  const reader = new Reader(text);
  const open: ('}' | ']')[] = [];
  for (;;) {
    const start = reader.peek();
    let error: JsonError | undefined;
    if (start === '{' || start === '[') {
      reader.at += 1;
      const close = start === '{' ? '}' : ']';
      if (reader.peek() !== close) {
        open.push(close);
        error = start === '{' ? reader.name() : undefined;
        if (error !== undefined) return error;
        continue;
      }
      reader.at += 1;
    } else {
      error = reader.scalar();
    }
    error ??= afterValue(reader, open);
    if (error !== undefined) return error;
  }
}

/** Closes what ends here; `undefined` when another value follows. */
function afterValue(reader: Reader, open: ('}' | ']')[]): JsonError | undefined {
  for (;;) {
    const close = open[open.length - 1];
    const next = reader.peek();
    if (close === undefined) return reader.fail('the end');
    if (next === ',') {
      reader.at += 1;
      return close === '}' ? reader.name() : undefined;
    }
    if (next !== close) return reader.fail(`"," or "${close}"`);
    reader.at += 1;
    open.pop();
  }
}
