import type { ControlPlane, Item } from './client.ts';

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Names of the modules of a stack, which the server gives as extension ids; the edges of the switch have names already. The
 * server is asked when the first extension is met: they do not change while it runs.
 */
export class ModuleNames {
  readonly #plane: ControlPlane;
  #names: ReadonlyMap<string, string> | undefined;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
  }

  /** A function that gives the name of each of `modules`; `undefined` for edges and extensions the server does not know. */
  async of(modules: readonly unknown[]): Promise<(module: unknown) => string | undefined> {
    if (modules.some((module) => GUID.test(String(module)))) this.#names ??= await this.#load();
    return (module) => this.#names?.get(String(module));
  }

  async #load(): Promise<ReadonlyMap<string, string>> {
    const names = new Map<string, string>();
    for await (const items of this.#plane.pages('/extensions')) {
      for (const { id, name } of items as readonly Item[]) names.set(String(id), String(name));
    }
    return names;
  }
}
