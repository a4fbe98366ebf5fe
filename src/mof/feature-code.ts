import type { MemberValue } from './feature-class.ts';
import type { FeaturePlan, MemberPlan } from './feature-plan.ts';
import { type MemberReader, ReadSource } from './member-reader.ts';
import type { MemberWriter } from './member-writer.ts';
import type { Settings } from './settings.ts';

/*
 * The plan of a class as JavaScript text, for buffers that come again and again (the switch's request buffer): members
 * with their offsets as literals, scalars as one DataView access, results as one object literal. Twice to four times as
 * quick as the loops over closures, which remain for everything else and for first uses, since compiling takes longer
 * than a few dozen calls. Both must agree byte for byte; test/mof/back/code.test.ts compares them.
 *
 * Into the text go numbers from the plan and member names that are plain identifiers, quoted. A class with another
 * name in it, or with `__proto__`, which an object literal takes for something else, gets no code.
 */

/** Writes settings at `base` into room that was checked for the fixed part; gives the end of the tails from `base`. */
export type WriterCode = (
  settings: Settings,
  bytes: Uint8Array,
  view: DataView,
  base: number,
  writers: readonly MemberWriter[],
  fail: (index: number, value: MemberValue | undefined) => Error,
) => number;

/** Reads the members at `base`; those that are not plain numbers through their `readers`, which read `source`. */
export type ReaderCode = (
  view: DataView,
  base: number,
  readers: readonly MemberReader[],
  source: ReadSource,
) => Settings;

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,200}$/;
const MAX_MEMBERS = 64;

/** How a kind looks in code: DataView's name of it, the JavaScript type, bytes, and whether byte order is passed. */
interface ScalarCode {
  readonly name: string;
  readonly type: 'number' | 'bigint' | 'boolean';
  readonly size: number;
}

/** By {@link Kind}: boolean, the integers and the reals. */
const SCALARS: readonly ScalarCode[] = [
  { name: 'Uint8', type: 'boolean', size: 1 },
  { name: 'Uint8', type: 'number', size: 1 },
  { name: 'Int8', type: 'number', size: 1 },
  { name: 'Uint16', type: 'number', size: 2 },
  { name: 'Int16', type: 'number', size: 2 },
  { name: 'Uint32', type: 'number', size: 4 },
  { name: 'Int32', type: 'number', size: 4 },
  { name: 'BigUint64', type: 'bigint', size: 8 },
  { name: 'BigInt64', type: 'bigint', size: 8 },
  { name: 'Float32', type: 'number', size: 4 },
  { name: 'Float64', type: 'number', size: 8 },
];

/** Whether a class can have code at all. */
function hasPlainNames(plan: FeaturePlan): boolean {
  return (
    plan.members.length <= MAX_MEMBERS &&
    plan.members.every((m) => PLAIN_NAME.test(m.name) && m.name !== '__proto__')
  );
}

/** Statements that zero `[from, to)` of the fixed part: R1's pads, and room a member's own writer expects zeroed. */
function zeroes(from: number, to: number): string {
  if (to - from > 16) return `bytes.fill(0, base + ${from}, base + ${to});\n`;
  let text = '';
  let at = from;
  while (at < to) {
    const size = at + 4 <= to ? 4 : 1;
    text += `view.setUint${size * 8}(base + ${at}, 0${size === 1 ? '' : ', true'});\n`;
    at += size;
  }
  return text;
}

function writeMember(m: MemberPlan, index: number, scalar: ScalarCode | undefined): string {
  const value = `v${index}`;
  const load = `const ${value} = settings[${JSON.stringify(m.name)}];\n`;
  if (scalar === undefined) {
    return `${load}cursor = writers[${index}](${value}, bytes, base, cursor);\n`;
  }
  const put = scalar.type === 'boolean' ? `${value} ? 1 : 0` : value;
  const order = scalar.size === 1 ? '' : ', true';
  return (
    `${load}if (typeof ${value} !== '${scalar.type}') throw fail(${index}, ${value});\n` +
    `view.set${scalar.name}(base + ${m.offset}, ${put}${order});\n`
  );
}

/** Code that writes the class, or `undefined` when it can have none. */
export function writerCode(plan: FeaturePlan): WriterCode | undefined {
  if (!hasPlainNames(plan)) return undefined;
  let zeroing = '';
  let members = '';
  /** End of the last scalar: what lies between scalars is zeroed first. */
  let end = 0;
  plan.members.forEach((m, index) => {
    const scalar = SCALARS[m.op];
    members += writeMember(m, index, scalar);
    if (scalar === undefined) return;
    zeroing += zeroes(end, m.offset);
    end = m.offset + scalar.size;
  });
  zeroing += zeroes(end, plan.size);
  const text = `'use strict';
return function write(settings, bytes, view, base, writers, fail) {
let cursor = ${plan.size};
${zeroing}${members}return cursor;
};`;
  return new Function(text)() as WriterCode;
}

/** Code that reads the class, or `undefined` when it can have none. */
export function readerCode(plan: FeaturePlan): ReaderCode | undefined {
  if (!hasPlainNames(plan) || plan.members.length === 0) return undefined;
  const members = plan.members.map((m, index) => {
    const scalar = SCALARS[m.op];
    const name = JSON.stringify(m.name);
    if (scalar === undefined) return `${name}: readers[${index}](source)`;
    const order = scalar.size === 1 ? '' : ', true';
    const value = `view.get${scalar.name}(base + ${m.offset}${order})`;
    return `${name}: ${scalar.type === 'boolean' ? `${value} !== 0` : value}`;
  });
  const text = `'use strict';
return function read(view, base, readers, source) {
return { ${members.join(', ')} };
};`;
  const make = new Function(text) as () => ReaderCode;
  generalize(make(), plan);
  return make();
}

/**
 * Has another copy of the code make results of texts, small integers and reals: hidden classes are shared, so from then on
 * the fields of every result take any value and a first large number changes nothing. Its call sites are its own.
 */
function generalize(code: ReaderCode, plan: FeaturePlan): void {
  for (const value of ['', 0, 0.5]) {
    const fakes = SCALARS.map((scalar) => [`get${scalar.name}`, () => value]);
    const view = Object.fromEntries(fakes) as DataView;
    code(
      view,
      0,
      plan.members.map(() => () => value),
      new ReadSource('', 0),
    );
  }
}
