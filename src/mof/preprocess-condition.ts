import type { DiagnosticSink } from './diagnostic.ts';
import { type MacroTable, TokenList } from './preprocess-macros.ts';
import type { Span } from './source.ts';
import { makeToken, type Token } from './token.ts';

/** Binary operators of `#if`, strongest first within each level number. */
const LEVELS: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '>': 7,
  '<=': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
};
const DOUBLE = new Set(['||', '&&', '==', '!=', '<=', '>=', '<<', '>>']);
const MAX_DEPTH = 64;

class ConditionFailure extends Error {}

/** Evaluates the expression of `#if` or `#elif` with 64-bit integers; a wrong one is reported and counts as false. */
export function evaluateCondition(
  tokens: readonly Token[],
  at: Span,
  macros: MacroTable,
  sink: DiagnosticSink,
): boolean {
  try {
    const condition = new Condition(expandCondition(tokens, macros));
    return condition.whole() !== 0n;
  } catch (failure) {
    if (!(failure instanceof ConditionFailure)) throw failure;
    sink.report('E-CPP-DIRECTIVE', at, `the condition is wrong: ${failure.message}`);
    return false;
  }
}

/** Replaces `defined X` first, then the macros. */
function expandCondition(tokens: readonly Token[], macros: MacroTable): Token[] {
  const result: Token[] = [];
  const rest = new TokenList(tokens);
  while (rest.peek().kind !== 'eof') {
    const token = rest.take();
    if (token.kind !== 'word' || token.text !== 'defined') {
      if (token.kind === 'word' && macros.has(token.text))
        result.push(...macros.expand(token, rest));
      else result.push(token);
      continue;
    }
    const isWrapped = rest.peek().text === '(';
    if (isWrapped) rest.take();
    const name = rest.take();
    if (name.kind !== 'word') throw new ConditionFailure('"defined" needs the name of a macro');
    if (isWrapped && rest.take().text !== ')') throw new ConditionFailure('")" is missing');
    const { source, start, end } = token;
    const value = macros.has(name.text) ? 1n : 0n;
    result.push(makeToken('integer', String(value), source, start, end, value));
  }
  return result;
}

class Condition {
  readonly #list: TokenList;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#list = new TokenList(tokens);
  }

  whole(): bigint {
    const value = this.#choice();
    const rest = this.#list.peek();
    if (rest.kind !== 'eof') throw new ConditionFailure(`unexpected "${rest.text}"`);
    return value;
  }

  #choice(): bigint {
    const condition = this.#binary(1);
    if (this.#list.peek().text !== '?') return condition;
    this.#list.take();
    const yes = this.#deeper(() => this.#choice());
    if (this.#list.take().text !== ':') throw new ConditionFailure('":" is missing');
    const no = this.#deeper(() => this.#choice());
    return condition !== 0n ? yes : no;
  }

  #binary(level: number): bigint {
    let left = this.#unary();
    for (;;) {
      const operator = this.#operator(level);
      if (operator === undefined) return left;
      const right = this.#deeper(() => this.#binary((LEVELS[operator] as number) + 1));
      left = BigInt.asIntN(64, apply(operator, left, right));
    }
  }

  /** Takes an operator of this level or a stronger one. */
  #operator(level: number): string | undefined {
    const first = this.#list.peek();
    if (first.kind !== 'punct') return undefined;
    const single = first.text;
    const second = first.source.text[first.start + 1] ?? '';
    const double = single + second;
    const operator = DOUBLE.has(double) ? double : single;
    const own = LEVELS[operator];
    if (own === undefined || own < level) return undefined;
    this.#list.take();
    if (operator === double) this.#list.take();
    return operator;
  }

  #unary(): bigint {
    const token = this.#list.take();
    if (token.kind === 'integer') return token.integer;
    // An unknown name is 0, as in C.
    if (token.kind === 'word') return 0n;
    if (token.text === '(') {
      const value = this.#deeper(() => this.#choice());
      if (this.#list.take().text !== ')') throw new ConditionFailure('")" is missing');
      return value;
    }
    const found = token.kind === 'eof' ? 'a value is missing' : `unexpected "${token.text}"`;
    if (!['!', '-', '+', '~'].includes(token.text)) throw new ConditionFailure(found);
    const value = this.#deeper(() => this.#unary());
    if (token.text === '!') return value === 0n ? 1n : 0n;
    if (token.text === '-') return -value;
    return token.text === '~' ? ~value : value;
  }

  #deeper(read: () => bigint): bigint {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new ConditionFailure('nested too deeply');
    const value = read();
    this.#depth -= 1;
    return value;
  }
}

function apply(operator: string, a: bigint, b: bigint): bigint {
  const truth = (holds: boolean): bigint => (holds ? 1n : 0n);
  switch (operator) {
    case '||':
      return truth(a !== 0n || b !== 0n);
    case '&&':
      return truth(a !== 0n && b !== 0n);
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '&':
      return a & b;
    case '==':
      return truth(a === b);
    case '!=':
      return truth(a !== b);
    case '<':
      return truth(a < b);
    case '>':
      return truth(a > b);
    case '<=':
      return truth(a <= b);
    case '>=':
      return truth(a >= b);
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    default:
      return divideOrShift(operator, a, b);
  }
}

function divideOrShift(operator: string, a: bigint, b: bigint): bigint {
  if (operator === '<<' || operator === '>>') {
    if (b < 0n || b > 63n) throw new ConditionFailure(`a shift by ${b}`);
    return operator === '<<' ? a << b : a >> b;
  }
  if (b === 0n) throw new ConditionFailure('a division by zero');
  return operator === '/' ? a / b : a % b;
}
