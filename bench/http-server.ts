import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { open } from 'lmdb';
import { pino } from 'pino';
import { buildServer } from '../src/http/server.ts';
import { Worlds } from '../src/http/worlds.ts';
import { Fabric } from '../src/policy/fabric.ts';
import { bareServer } from './http-bare.ts';

/*
 * A server of bench/http.ts in a process of its own, so that its CPU time is its own: `node http-server.js <ours|bare>
 * <memory|lmdb>`. Tells its port, answers every message with the CPU microseconds used so far, ends with its parent.
 */

const MOF = `
[Dynamic, UUID("{0b5c8f0e-6d0f-4d5b-9c3a-2f1f5f7d8a01}"), ExtensionId("{0b5c8f0e-6d0f-4d5b-9c3a-2f1f5f7d8a00}"),
 Provider("VmmsWmiInstanceAndMethodProvider"), InterfaceVersion("1"), InterfaceRevision("0")]
class Bench_PortSettingData : Msvm_EthernetSwitchPortFeatureSettingData {
  [WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0"), Read, Write] uint32 SettingIntA;
  [WmiDataId(2), InterfaceVersion("1"), InterfaceRevision("0"), Read, Write] uint64 SettingIntB;
};
`;

async function ours(folder: string | undefined): Promise<FastifyInstance> {
  const fabric = await Fabric.open({
    store: folder ?? 'memory',
    extensions: [
      {
        id: '0b5c8f0e-6d0f-4d5b-9c3a-2f1f5f7d8a00',
        name: 'Bench Filter',
        vendor: 'Bench',
        version: '1.0',
        type: 'filter',
        attach: () => ({ addPortProperty: () => 'forward' }),
      },
    ],
  });
  await fabric.features.register(MOF);
  const sw = await fabric.switches.create({ name: 's', extensions: ['Bench Filter'] });
  await sw.ports.create({ name: 'p' });
  const worlds = new Worlds({ main: fabric, mainStore: 'bench', open: (o) => Fabric.open(o) });
  const logger = pino({ level: 'warn' });
  return buildServer({ worlds, logger, version: 'bench', rateLimit: { perSecond: 0, burst: 0 } });
}

function bare(folder: string | undefined): FastifyInstance {
  if (folder === undefined) return bareServer();
  const store = open({ path: folder });
  return bareServer((id, value) => store.put(id, value));
}

if (process.send !== undefined) {
  const [, , kind, engine] = process.argv;
  const folder = engine === 'lmdb' ? mkdtempSync(join(tmpdir(), 'extswitch-bench-')) : undefined;
  const app = kind === 'bare' ? bare(folder) : await ours(folder);
  await app.listen({ host: '127.0.0.1', port: 0 });
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.on('disconnect', () => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });
  process.send((app.server.address() as AddressInfo).port);
}
