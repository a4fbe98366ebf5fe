import { nearestName } from '../mof/nearest-name.ts';
import type { Names } from './names.ts';
import type { Problems } from './problems.ts';
import { type Place, type SourceNode, shown } from './source-node.ts';
import type { Step } from './step.ts';

/** Values that `${name}` stands for. */
export type Scope = ReadonlyMap<string, SourceNode>;

/** Steps a scenario may unfold into: beyond this it is a mistake in a loop. */
const MOST_STEPS = 1_000_000;

/**
 * What reading one scenario needs: where problems go, what `${…}` stands for here, and which names there are. Loops are
 * unfolded while reading, so each step is checked with the values it will run with.
 */
export class Reader {
  readonly problems: Problems;
  readonly names: Names;
  readonly scope: Scope;
  /** Inside `expectRefused`: a wrong setting may be what is tried. */
  readonly expectsRefusal: boolean;
  /** Inside `atomic`. */
  readonly isAtomic: boolean;
  readonly #readSteps: (node: SourceNode, reader: Reader) => readonly Step[];
  readonly #count: { steps: number };

  constructor(
    problems: Problems,
    names: Names,
    scope: Scope,
    readSteps: (node: SourceNode, reader: Reader) => readonly Step[],
    expectsRefusal = false,
    count = { steps: 0 },
    isAtomic = false,
  ) {
    this.problems = problems;
    this.names = names;
    this.scope = scope;
    this.expectsRefusal = expectsRefusal;
    this.#readSteps = readSteps;
    this.#count = count;
    this.isAtomic = isAtomic;
  }

  steps(node: SourceNode): readonly Step[] {
    return this.#readSteps(node, this);
  }

  /** False, and a problem, when there are too many. */
  countStep(place: Place): boolean {
    this.#count.steps += 1;
    if (this.#count.steps <= MOST_STEPS) return true;
    this.problems.add(place, `the scenario unfolds into more than ${MOST_STEPS} steps`);
    return false;
  }

  /** The same with more names in scope. */
  with(name: string, value: SourceNode): Reader {
    const scope = new Map(this.scope).set(name, value);
    return this.#copy(scope, this.expectsRefusal);
  }

  refusing(): Reader {
    return this.#copy(this.scope, true);
  }

  /** For the steps of an atomic change. */
  atomic(): Reader {
    return this.#copy(this.scope, this.expectsRefusal, true);
  }

  /** A problem inside an atomic change: the step would wait for it, or pull the world from under it. */
  apart(place: Place, verb: string): void {
    if (this.isAtomic) this.problems.add(place, `${verb} is not possible inside an atomic change`);
  }

  #copy(scope: Scope, expectsRefusal: boolean, isAtomic = this.isAtomic): Reader {
    const { problems, names } = this;
    return new Reader(
      problems,
      names,
      scope,
      this.#readSteps,
      expectsRefusal,
      this.#count,
      isAtomic,
    );
  }

  /** The node with its parameters filled in. A text that is nothing but `${x}` takes the type of x; `$${` is a plain `${`. */
  resolve(node: SourceNode): SourceNode {
    if (node.kind !== 'scalar' || typeof node.value !== 'string' || !node.value.includes('${')) {
      return node;
    }
    const whole = /^\$\{([^}]*)\}$/.exec(node.value);
    if (whole !== null) return { ...this.#lookUp(whole[1] ?? '', node), place: node.place };
    const value = node.value.replace(/\$(\$\{)|\$\{([^}]*)\}/g, (_all, escaped, name) => {
      if (escaped !== undefined) return escaped;
      const found = this.#lookUp(name, node);
      if (found.kind === 'scalar') return String(found.value);
      this.problems.add(node.place, `\${${name}} is ${shown(found)}: expected a plain value`);
      return '';
    });
    return { ...node, value };
  }

  #lookUp(path: string, at: SourceNode): SourceNode {
    const [name = '', ...members] = path.split('.');
    let found = this.scope.get(name);
    if (found === undefined) {
      const near = nearestName(name, [...this.scope.keys()]);
      this.problems.add(at.place, `unknown parameter \${${path}}`, near && `\${${near}}`);
      this.problems.settle(at.place);
      return { kind: 'scalar', place: at.place, value: '' };
    }
    for (const member of members) {
      const next: SourceNode | undefined =
        found.kind === 'map' ? found.entries.get(member)?.value : undefined;
      if (next === undefined) {
        this.problems.add(at.place, `\${${path}}: there is no ${member} in ${name}`);
        this.problems.settle(at.place);
        return { kind: 'scalar', place: at.place, value: '' };
      }
      found = next;
    }
    return found;
  }

  /** A problem at a node: what was expected, what is there. */
  wrong(node: SourceNode, what: string, expected: string): undefined {
    this.problems.add(node.place, `${what}: expected ${expected}, found ${shown(node)}`);
  }
}
