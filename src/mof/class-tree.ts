import type { MofClass, MofFeature } from './ast.ts';
import type { FeatureClass } from './feature-class.ts';

/** One class of the tree. */
export interface ClassInfo {
  readonly name: string;
  /** Canonical spelling, after repair. Absent: a root, or the superclass is unknown. */
  readonly superclass?: string;
  readonly declaration: MofClass;
  readonly builtIn: boolean;
  /** Only some of its properties are known here, so an instance may set others. */
  readonly isOpen: boolean;
}

/** What `ClassTree.adopt` takes over from a compilation. */
export interface CompiledClasses {
  readonly tree: ClassTree;
  readonly features: readonly FeatureClass[];
}

/**
 * Classes by name, case-insensitive, with their superclasses; a layer over another tree. The lowest layer is
 * `builtInClasses()`; a world keeps one layer of its own and adopts each compiled file.
 */
export class ClassTree {
  readonly #parent: ClassTree | undefined;
  readonly #classes = new Map<string, ClassInfo>();
  #features: FeatureClass[] = [];

  constructor(parent?: ClassTree) {
    this.#parent = parent;
  }

  get(name: string): ClassInfo | undefined {
    return this.#classes.get(name.toLowerCase()) ?? this.#parent?.get(name);
  }

  add(info: ClassInfo): void {
    this.#classes.set(info.name.toLowerCase(), info);
  }

  addFeature(feature: FeatureClass): void {
    const name = feature.name.toLowerCase();
    this.#features = this.#features.filter((other) => other.name.toLowerCase() !== name);
    this.#features.push(feature);
  }

  /** Takes over classes and features of a compilation, replacing those of the same name. */
  adopt(compiled: CompiledClasses): void {
    for (const info of compiled.tree.#classes.values()) this.add(info);
    for (const feature of compiled.features) this.addFeature(feature);
  }

  /** Removes a class of this layer and its feature; true when it was there. */
  remove(name: string): boolean {
    const key = name.toLowerCase();
    this.#features = this.#features.filter((feature) => feature.name.toLowerCase() !== key);
    return this.#classes.delete(key);
  }

  /** Names of all layers, this one first. */
  *names(): Generator<string> {
    for (const info of this.#classes.values()) yield info.name;
    if (this.#parent !== undefined) yield* this.#parent.names();
  }

  /** Features of all layers, this one first. */
  *features(): Generator<FeatureClass> {
    yield* this.#features;
    if (this.#parent !== undefined) yield* this.#parent.features();
  }

  /** The class and its superclasses, nearest first; ends at a root or an unknown class. */
  lineage(name: string): ClassInfo[] {
    const line: ClassInfo[] = [];
    const seen = new Set<string>();
    let next: string | undefined = name;
    while (next !== undefined && !seen.has(next.toLowerCase())) {
      seen.add(next.toLowerCase());
      const info = this.get(next);
      if (info === undefined) break;
      line.push(info);
      next = info.superclass;
    }
    return line;
  }

  /** True when `name` is `base` or derives from it. */
  isA(name: string, base: string): boolean {
    const lower = base.toLowerCase();
    return this.lineage(name).some((info) => info.name.toLowerCase() === lower);
  }

  /** Own and inherited properties and methods; the nearest declaration of a name wins, superclasses come first. */
  membersOf(name: string): readonly { readonly feature: MofFeature; readonly owner: ClassInfo }[] {
    const byName = new Map<string, { feature: MofFeature; owner: ClassInfo }>();
    for (const owner of this.lineage(name).reverse()) {
      for (const feature of owner.declaration.features) {
        byName.set(feature.name.toLowerCase(), { feature, owner });
      }
    }
    return [...byName.values()];
  }
}
