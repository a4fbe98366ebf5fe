import { compileMof } from '../../mof/compiler.ts';
import { isMofValid, mofError } from '../../mof/diagnostic.ts';
import type { FeatureClass, FeatureMember } from '../../mof/feature-class.ts';
import { mofFilesOf } from '../../sdk/define.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import type { Draw } from './draw-step.ts';

/** A MOF file of whoever simulates. */
export interface MofText {
  /** For diagnostics. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The classes of policies that extensions and files bring. Throws `MOF_INVALID`. */
export function userClasses(
  extensions: readonly ExtensionDefinition[],
  mofs: readonly MofText[],
): readonly FeatureClass[] {
  const files = [...extensions.flatMap(mofFilesOf), ...mofs];
  const found = files.flatMap(({ path, bytes }) => {
    const compiled = compileMof(bytes, { file: path });
    if (!isMofValid(compiled)) throw mofError(compiled);
    return compiled.features;
  });
  const byName = new Map(found.map((feature) => [feature.name, feature] as const));
  return [...byName.values()].filter(({ kind }) => kind === 'setting');
}

/** Settings as JSON has them: 64-bit values as decimal text. */
export type ClassSettings = Readonly<Record<string, unknown>>;

/** Values of a class at its limits, between them, or, where `isValid` is false, one of them beyond. */
export function drawSettings(
  draw: Draw,
  { members }: FeatureClass,
): { readonly settings: ClassSettings; readonly isValid: boolean } {
  const settings: Record<string, unknown> = {};
  for (const member of members)
    if (draw.chance(0.8)) settings[member.name] = memberOf(draw, member);
  if (draw.chance(0.75)) return { settings, isValid: true };
  const wrong = draw.anyOf(members);
  if (wrong === undefined || draw.chance(0.1))
    return { settings: { ...settings, nobodysMember: 1 }, isValid: false };
  return { settings: { ...settings, [wrong.name]: wrongOf(draw, wrong) }, isValid: false };
}

/** Elements of an array without a limit. */
const SOME = 5;

function memberOf(draw: Draw, member: FeatureMember): unknown {
  const { array } = member;
  if (array === undefined) return scalarOf(draw, member);
  const most = array.max ?? SOME;
  const length = draw.pick([0, 1, most]);
  return Array.from({ length }, () => scalarOf(draw, member));
}

function scalarOf(draw: Draw, member: FeatureMember): unknown {
  const { type, maxLen } = member;
  const range = rangeOf(member);
  if (range !== undefined) {
    const [least, most] = range;
    return plain(type, draw.pick([least, most, least + (most - least) / 2n]));
  }
  switch (type) {
    case 'boolean':
      return draw.chance(0.5);
    case 'real32':
    case 'real64':
      return draw.pick([0, 1.5, -0.25]);
    case 'char16':
      return draw.pick(['', 'x']);
    case 'datetime':
      return draw.pick(['', '20260101000000.000000+000']);
    default:
      return draw.pick(
        ['', 'a text', 'x'.repeat(maxLen ?? 40)].filter((text) => text.length <= (maxLen ?? 40)),
      );
  }
}

/** One step beyond what the class allows. */
function wrongOf(draw: Draw, member: FeatureMember): unknown {
  const { type, array, maxLen } = member;
  if (array !== undefined) {
    if (array.max === undefined) return 'no array';
    return Array.from({ length: array.max + 1 }, () => scalarOf(draw, member));
  }
  const range = rangeOf(member);
  if (range !== undefined) return plain(type, draw.pick([range[0] - 1n, range[1] + 1n]));
  if (type === 'string' && maxLen !== undefined) return 'x'.repeat(maxLen + 1);
  return { no: 'value' };
}

/** Least and most of an integer. */
function rangeOf({
  type,
  minValue,
  maxValue,
}: FeatureMember): readonly [bigint, bigint] | undefined {
  const [, sign, bits] = /^([us])int(\d+)$/.exec(type) ?? [];
  if (bits === undefined) return undefined;
  const size = BigInt(bits);
  const least = sign === 'u' ? 0n : -(1n << (size - 1n));
  const most = (1n << (sign === 'u' ? size : size - 1n)) - 1n;
  return [
    minValue === undefined ? least : BigInt(minValue),
    maxValue === undefined ? most : BigInt(maxValue),
  ];
}

const plain = (type: string, value: bigint): string | number =>
  type.endsWith('64') ? String(value) : Number(value);
