import type { Output } from './terminal.ts';

/** Colours by meaning. Each is the identity where colour is not wanted. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly error: (text: string) => string;
}

/** Colour on a terminal only, and never with NO_COLOR set (no-color.org) or TERM=dumb. */
export function createStyle(
  output: Output,
  env: Readonly<Record<string, string | undefined>>,
): Style {
  const wanted = output.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  const paint = (open: number, close: number): ((text: string) => string) =>
    wanted ? (text) => `\u001b[${open}m${text}\u001b[${close}m` : (text) => text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    good: paint(32, 39),
    warning: paint(33, 39),
    error: paint(31, 39),
  };
}
