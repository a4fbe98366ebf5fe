import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { isExtSwitchError } from '../../src/core/errors.ts';
import { buildServer } from '../../src/http/server.ts';
import { Worlds } from '../../src/http/worlds.ts';
import type { FabricOptions } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import type { Act } from './acts.ts';

const FABRIKAM = readFileSync(new URL('../../policies/fabrikam.mof', import.meta.url));

/** A world in which acts are done, one way or the other. */
export interface Stage {
  readonly fabric: Fabric;
  /** Does one act; the code of the refusal, when it was refused. Throws when an act does otherwise than it should. */
  perform(act: Act): Promise<string | undefined>;
  close(): Promise<void>;
}

async function open(
  extensions: readonly ExtensionDefinition[],
  options: FabricOptions,
): Promise<Fabric> {
  const fabric = await Fabric.open({ clock: 'manual', seed: 'golden', extensions, ...options });
  await fabric.features.register(FABRIKAM, { source: 'fabrikam.mof' });
  return fabric;
}

export async function libraryStage(
  extensions: readonly ExtensionDefinition[],
  options: FabricOptions = {},
): Promise<Stage> {
  const fabric = await open(extensions, options);
  return {
    fabric,
    async perform(act) {
      try {
        await act.library(fabric);
      } catch (error) {
        if (!act.mayBeRefused || !isExtSwitchError(error)) throw error;
        return error.code;
      }
      if (act.mayBeRefused) throw new Error(`${act.title}: was not refused`);
      return undefined;
    },
    close: () => fabric.close(),
  };
}

export async function httpStage(
  extensions: readonly ExtensionDefinition[],
  options: FabricOptions = {},
): Promise<Stage> {
  const fabric = await open(extensions, options);
  const worlds = new Worlds({ main: fabric, mainStore: 'memory', open: () => open([], {}) });
  const app = buildServer({ worlds, logger: pino({ level: 'silent' }), version: '0.0.0-test' });
  return {
    fabric,
    async perform(act) {
      const { method, path, body } = act.http;
      const url = `/v1${path}`;
      const answer = await app.inject(
        body === undefined ? { method, url } : { method, url, payload: body as object },
      );
      const failed = answer.statusCode >= 400;
      if (failed !== act.mayBeRefused) {
        throw new Error(
          `${act.title}: ${method} ${url} answered ${answer.statusCode} ${answer.body}`,
        );
      }
      return failed ? `${answer.statusCode}` : undefined;
    },
    async close() {
      await app.close();
      await worlds.close();
    },
  };
}
