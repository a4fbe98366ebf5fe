import type { ExtensionDefinition } from '../src/sdk/index.ts';

/** The extensions that come with the package, loaded when first asked for: passthrough, port ACL, MAC forward. */
export async function bundledExtensions(): Promise<readonly ExtensionDefinition[]> {
  const modules = await Promise.all([
    import('./passthrough/extension.ts'),
    import('./port-acl/extension.ts'),
    import('./mac-forward/extension.ts'),
  ]);
  return modules.map((module) => module.default);
}
