import type { MofQualifier, MofValue } from './ast.ts';

/** The misspelled qualifier of four published pages (management.md 1.4), lower case. */
export const REVISION_TYPO = 'interfacerevison';

/** First qualifier with one of these lower-case names. */
export function findQualifier(
  qualifiers: readonly MofQualifier[],
  ...names: string[]
): MofQualifier | undefined {
  return qualifiers.find((qualifier) => names.includes(qualifier.name.toLowerCase()));
}

/** True for `Name`, `Name(true)`; false for `Name(false)` or when it is absent. */
export function hasFlag(qualifiers: readonly MofQualifier[], name: string): boolean {
  const qualifier = findQualifier(qualifiers, name);
  if (qualifier === undefined) return false;
  const { value } = qualifier;
  return value === undefined || (value.kind === 'boolean' && value.value);
}

export function stringValue(qualifier: MofQualifier | undefined): string | undefined {
  return qualifier?.value?.kind === 'string' ? qualifier.value.value : undefined;
}

/** Elements of a string array value; one string counts as an array of one. */
export function stringItems(value: MofValue | undefined): readonly string[] {
  if (value === undefined) return [];
  const items = value.kind === 'array' ? value.items : [value];
  return items.flatMap((item) => {
    if (item.kind === 'string') return [item.value];
    return item.kind === 'integer' ? [String(item.value)] : [];
  });
}
