import { writeSync } from 'node:fs';
import type { PortHandle } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { FABRIKAM_MOF } from '../support/fabrikam.ts';
import { isRefused, policy } from './crash-policy.ts';
import { PORT_SETTING } from './open-world.ts';

// node crash-world.ts <folder> <seed>: opens or makes a world of four ports, and four clients a port add, update and
// delete properties as fast as they can, some of which the extension refuses. Each change is said before it is asked for
// and again once it is acknowledged or refused, until the process is killed.
const [folder = '', seed = '0'] = process.argv.slice(2);
let state = Number(seed);
function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return (state >>> 8) % below;
}

const { extension } = policy();
const fabric = await Fabric.open({ store: folder, clock: 'manual', extensions: [extension] });
if ([...fabric.switches.list()].length === 0) {
  await fabric.atomic(async (world) => {
    await world.features.register(FABRIKAM_MOF);
    const sw = await world.switches.create({ name: 'S', extensions: [extension] });
    for (let n = 1; n <= 4; n += 1) await sw.ports.create({ name: `P${n}` });
  });
}
const ports = [...fabric.switches.get('S').ports.list()].map(({ id }) =>
  fabric.switches.get('S').ports.get(id),
);
function say(...words: (string | number)[]): void {
  for (;;) {
    try {
      writeSync(1, `${words.join(' ')}\n`);
      return;
    } catch (error) {
      // The parent is slow: the pipe is full, and not written to at all.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

/** A client owns its properties, so what it says about each of them is in order. */
async function client(port: PortHandle, own: string[]): Promise<never> {
  for (;;) {
    const at = random(own.length);
    const id = own[at];
    const value = random(1000);
    const roll = random(10);
    try {
      if (id === undefined || roll < 4) {
        const fresh = `${Buffer.from(Uint32Array.of(random(2 ** 24), random(2 ** 24), random(2 ** 24), random(2 ** 24)).buffer).toString('hex')}`;
        const guid = `${fresh.slice(0, 8)}-${fresh.slice(8, 12)}-4${fresh.slice(13, 16)}-8${fresh.slice(17, 20)}-${fresh.slice(20, 32)}`;
        say('ask', port.info.portId, guid, value);
        await port.properties.add(PORT_SETTING, { SettingIntA: value }, { id: guid });
        own.push(guid);
        say(isRefused(value) ? 'wrong' : 'done', port.info.portId, guid, value);
      } else if (roll < 8) {
        say('ask', port.info.portId, id, value);
        await port.properties.update(id, { SettingIntA: value });
        say(isRefused(value) ? 'wrong' : 'done', port.info.portId, id, value);
      } else {
        say('ask', port.info.portId, id, 'gone');
        await port.properties.delete(id);
        own.splice(own.indexOf(id), 1);
        say('done', port.info.portId, id, 'gone');
      }
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'VETOED' || !isRefused(value)) throw error;
      say('no', value);
    }
  }
}

await Promise.all(
  ports.flatMap((port) => {
    const there = [...port.properties.list()].map(({ id }) => id);
    return [0, 1, 2, 3].map((n) =>
      client(
        port,
        there.filter((_id, i) => i % 4 === n),
      ),
    );
  }),
);
