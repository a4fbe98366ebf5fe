/*
 * One scenario with pends, vetoes, timers, promises, random choices and two switches. Run as a program (argument: the seed)
 * it prints everything the world recorded, one JSON line an entry or event; `determinism.test.ts` compares runs.
 */
import { readFileSync } from 'node:fs';
import { NdisStatus } from '../../src/core/status.ts';
import type { TraceEntry } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { OidRequest, SwitchContext, Verdict } from '../../src/sdk/extension.ts';
import { extension } from './switch-world.ts';

const FABRIKAM = readFileSync(new URL('../../policies/fabrikam.mof', import.meta.url));

/** Passes, vetoes, pends with a timer or answers by a promise, as the world's own dice fall. */
function capricious(sw: SwitchContext, request: OidRequest): Verdict {
  const roll = sw.random();
  if (roll < 0.25) return NdisStatus.DATA_NOT_ACCEPTED;
  if (roll < 0.5) {
    sw.after(1 + Math.floor(sw.random() * 50), () => request.forward());
    return request.pend();
  }
  if (roll < 0.6) return (async () => 'forward' as const)();
  return 'forward';
}

function stack(fail: number) {
  return [
    extension('capture', (sw) => ({
      oidRequestComplete: () => {
        if (sw.random() < fail) throw new Error('capture stumbles');
      },
    })),
    extension('filter', (sw) => ({
      addPortProperty: ({ request }) => capricious(sw, request),
      updatePortProperty: ({ request }) => capricious(sw, request),
      createPort: (_port, request) => (sw.random() < 0.3 ? capricious(sw, request) : 'forward'),
      deletePortProperty: () => {
        sw.after(5, () => void sw.request('query', 0x10276, new Uint8Array(0), 0));
      },
    })),
    extension('forward', (sw) => ({
      createNic: (_nic, { bytes }) => {
        bytes[2104] = Math.floor(sw.random() * 200);
      },
      querySwitchFeatureStatus: (query) => query.respond({ CurrentStatus: sw.now() }),
    })),
  ];
}

/** What happens, and how every operation ended. */
export async function scenario(seed: string): Promise<string[]> {
  const fabric = await Fabric.open({ clock: 'manual', seed });
  await fabric.features.register(FABRIKAM, { source: 'fabrikam.mof' });
  const switches = [
    await fabric.switches.create({ name: 'one', type: 'external', extensions: stack(0) }),
    await fabric.switches.create({ name: 'two', extensions: stack(0.2) }),
  ];
  const endings: string[] = [];
  const note = async (what: string, done: Promise<unknown>): Promise<void> => {
    endings.push(
      await done.then(
        () => `${what} ok`,
        (error) => `${what} ${String(error)}`,
      ),
    );
  };
  for (let round = 0; round < 12; round += 1) {
    const running = switches.flatMap((sw, s) => {
      const what = `${round}/${s}`;
      return [
        note(`${what} port`, sw.ports.create({ name: `p${round}` })),
        note(`${what} status`, sw.status('Fabrikam_CustomSwitchData')),
        ...[...sw.ports.list()].map(async ({ name }) => {
          const port = sw.ports.get(name);
          await note(
            `${what} add`,
            port.properties.add('Fabrikam_PortCustomSettingData', { SettingIntA: round }),
          );
          const [first] = [...port.properties.list()];
          if (first === undefined) return;
          await note(`${what} update`, port.properties.update(first.id, { SettingIntA: 1 }));
          if (round % 3 === 2) await note(`${what} delete`, port.properties.delete(first.id));
          if (round % 4 === 3) await note(`${what} nic`, port.nics.connect());
        }),
      ];
    });
    let isRunning = true;
    const all = Promise.all(running).then(() => {
      isRunning = false;
    });
    while (isRunning) {
      await new Promise<void>((next) => setImmediate(next));
      fabric.clock.advance(1);
    }
    await all;
  }
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const lines = fabric.trace.entries().map((entry: TraceEntry) =>
    JSON.stringify({
      ...entry,
      input: hex(entry.input),
      output: entry.output === undefined ? undefined : hex(entry.output),
    }),
  );
  lines.push(...fabric.events.after(0).map((event) => JSON.stringify(event)), ...endings);
  await fabric.close();
  return lines;
}

if (process.argv[1] === import.meta.filename) {
  const [seed = ''] = process.argv.slice(2);
  process.stdout.write(`${(await scenario(seed)).join('\n')}\n`);
}
