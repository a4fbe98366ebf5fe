import type { MofQualifier } from '../ast.ts';
import { findQualifier, REVISION_TYPO } from '../qualifiers.ts';
import { describeValue } from '../values.ts';
import type { CompileState } from './state.ts';

const VERSION = /^\s*(\d{1,3})(?:\.(\d{1,3}))?\s*$/;

/**
 * Reads InterfaceVersion and InterfaceRevision: "major[.minor]" as a string, or the major number (management.md 1.4, 1.5).
 * Some older pages name the pair Version and Revision. The revision is the minor version when the version has no dot.
 */
export class VersionReader {
  readonly #state: CompileState;
  /** One warning of each kind a class is enough. */
  readonly #warned = new Set<string>();

  constructor(state: CompileState) {
    this.#state = state;
  }

  /** major * 256 + minor; `undefined` when the list names none, or a wrong one (reported). */
  read(qualifiers: readonly MofQualifier[]): number | undefined {
    const version = this.#find(qualifiers, 'InterfaceVersion', 'version');
    if (version === undefined) return undefined;
    const parts = this.#parts(version);
    const revision = this.#find(qualifiers, 'InterfaceRevision', 'revision', REVISION_TYPO);
    const revisionParts = revision === undefined ? undefined : this.#parts(revision);
    if (parts === undefined) return undefined;
    const minor = revisionParts?.major ?? 0;
    if (parts.minor === undefined) return parts.major * 256 + minor;
    if (revision !== undefined && minor !== 0 && minor !== parts.minor) {
      const message = `the revision is ${minor}, but the version says ${parts.major}.${parts.minor}; the version counts`;
      this.#state.sink.report('W-REVISION', revision.span, message);
    }
    return parts.major * 256 + parts.minor;
  }

  #find(
    qualifiers: readonly MofQualifier[],
    name: string,
    alias: string,
    ...others: string[]
  ): MofQualifier | undefined {
    const found = findQualifier(qualifiers, name.toLowerCase(), ...others);
    if (found !== undefined) return found;
    const aliased = findQualifier(qualifiers, alias);
    if (aliased !== undefined) {
      const message = `qualifier ${aliased.name} is read as ${name}`;
      this.#warn('W-QUALIFIER-ALIAS', aliased, message, `write ${name}`);
    }
    return aliased;
  }

  #parts(qualifier: MofQualifier): { major: number; minor: number | undefined } | undefined {
    const { name, value } = qualifier;
    // Other kinds of values were refused with the qualifier list.
    if (value?.kind !== 'string' && value?.kind !== 'integer') {
      if (/^(version|revision)$/i.test(name)) this.#refuse(qualifier);
      return undefined;
    }
    const match = VERSION.exec(String(value.value));
    const major = Number(match?.[1]);
    const minor = match?.[2] === undefined ? undefined : Number(match[2]);
    if (match === null || major > 255 || (minor ?? 0) > 255) return this.#refuse(qualifier);
    if (value.kind === 'integer') {
      const message = `${name} is a number; read as "${major}"`;
      this.#warn('W-VERSION-TYPE', qualifier, message, `write ${name}("${major}")`);
    }
    return { major, minor };
  }

  #refuse(qualifier: MofQualifier): undefined {
    const { value, name, span } = qualifier;
    const found = value === undefined ? 'nothing' : describeValue(value);
    const message = `${name} is "major" or "major.minor", each 0 to 255; found ${found}`;
    this.#state.sink.report('E-VERSION', value?.span ?? span, message);
    return undefined;
  }

  #warn(
    code: 'W-QUALIFIER-ALIAS' | 'W-VERSION-TYPE',
    at: MofQualifier,
    message: string,
    hint: string,
  ): void {
    if (this.#warned.has(code)) return;
    this.#warned.add(code);
    this.#state.sink.report(code, at.span, message, { hint });
  }
}
