import t from 'tap';
import { VirtualClock } from '../../src/core/clock.ts';
import { NdisStatus } from '../../src/core/status.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { holder, openWorld, turn } from './open-world.ts';

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

t.test(
  'a wall world stands while stopped, and resumes from there, not from the wall',
  async (t) => {
    const fabric = await Fabric.open();
    t.equal(fabric.time.info.mode, 'wall');
    t.ok(Math.abs(fabric.time.info.nowMs - Date.now()) < 1000, 'the time of the machine');
    const { mode, nowMs } = await fabric.time.stop();
    t.equal(mode, 'stopped');
    await wait(60);
    t.equal(fabric.clock.now(), nowMs, 'stands');
    t.equal((await fabric.time.stop()).nowMs, nowMs, 'stopping again changes nothing');
    const resumed = await fabric.time.resume();
    t.equal(resumed.mode, 'wall');
    t.ok(resumed.nowMs - nowMs < 50, 'what was slept through is not caught up with');
    await wait(30);
    t.ok(fabric.clock.now() >= nowMs + 25, 'goes on');
    t.ok(fabric.clock.now() < nowMs + 1000);
    await fabric.close();
  },
);

t.test('a warp of a wall world that runs: time goes on from there, and never back', async (t) => {
  const fabric = await Fabric.open();
  const before = fabric.clock.now();
  const { mode, nowMs } = await fabric.time.warp(86_400_000);
  t.equal(mode, 'wall');
  t.ok(nowMs >= before + 86_400_000);
  t.ok(nowMs < before + 86_400_000 + 5_000);
  await wait(20);
  t.ok(fabric.clock.now() > nowMs);
  await fabric.close();
});

t.test(
  'timers of a stopped wall world fire only in a warp, in order, each at its own time',
  async (t) => {
    const fabric = await Fabric.open();
    const { nowMs } = await fabric.time.stop();
    const fired: [string, number][] = [];
    const after = (ms: number, name: string): void =>
      void fabric.clock.after(ms, () => fired.push([name, fabric.clock.now() - nowMs]));
    after(20, 'b');
    after(5, 'a');
    after(20, 'c');
    after(21, 'd');
    await wait(50);
    t.strictSame(fired, [], 'not by the wall');
    t.equal(fabric.time.info.nextTimerMs, nowMs + 5);
    await fabric.time.warp(20);
    t.strictSame(fired, [
      ['a', 5],
      ['b', 20],
      ['c', 20],
    ]);
    await fabric.time.resume();
    await wait(60);
    t.match(fired[3]?.[0], 'd', 'by the wall again');
    await fabric.close();
  },
);

t.test('what a timer sets off happens at its time, promises and further timers too', async (t) => {
  const times: number[] = [];
  const extension = extensionWith((sw) => ({
    async createPort() {
      // Three waits one after the other, each set by the promise of the one before.
      for (let i = 0; i < 3; i += 1) {
        await new Promise<void>((resolve) => void sw.after(100, resolve));
        await Promise.resolve();
        times.push(sw.now());
      }
      return NdisStatus.SUCCESS;
    },
  }));
  const fabric = await Fabric.open({ clock: 'manual', extensions: [extension] });
  const sw = await fabric.switches.create({ name: 'S', extensions: [extension] });
  let created = 0;
  const creating = sw.ports.create({ name: 'P' }).then(() => (created = fabric.clock.now()));
  t.strictSame(await fabric.time.warp(1_000), { mode: 'manual', nowMs: 1_000 });
  t.strictSame(times, [100, 200, 300]);
  t.equal(sw.info.portCount, 1, 'the change had ended before the warp did');
  t.equal(await creating, 300, 'at its time');
  t.equal(created, 300);
  await fabric.close();
});

t.test(
  'pended OIDs one after the other end 12 seconds after each was issued (NdisTimedOidComplete)',
  async (t) => {
    const { extension } = holder('OID_SWITCH_PORT_CREATE');
    const fabric = await Fabric.open({ clock: 'manual', extensions: [extension] });
    const sw = await fabric.switches.create({ name: 'S', extensions: [extension] });
    const ended: number[] = [];
    for (const name of ['A', 'B', 'C']) {
      sw.ports.create({ name }).catch(() => ended.push(fabric.clock.now()));
    }
    await fabric.time.warp(40_000);
    t.strictSame(ended, [12_000, 24_000, 36_000]);
    t.equal(fabric.clock.now(), 40_000);
    await fabric.close();
  },
);

t.test('warps called together run one after the other', async (t) => {
  const fabric = await Fabric.open({ clock: 'manual' });
  const [one, two] = await Promise.all([fabric.time.warp(10), fabric.time.warp(5)]);
  t.strictSame([one.nowMs, two.nowMs], [10, 15]);
  t.equal((await fabric.time.warp(0)).nowMs, 15);
  await fabric.close();
});

t.test(
  'bounds: what is no time to warp by, a wall that is not there, a world that closes meanwhile',
  async (t) => {
    const clock = new VirtualClock(7);
    const { fabric } = await openWorld([], { clock });
    for (const ms of [-1, 0.5, Number.NaN, 31_536_000_001]) {
      await t.rejects(
        fabric.time.warp(ms),
        { code: 'INVALID_ARGUMENT', place: { member: 'warpMs' } },
        `${ms}`,
      );
    }
    await t.rejects(fabric.time.resume(), { code: 'ILLEGAL_TRANSITION' });
    t.strictSame(await fabric.time.stop(), { mode: 'manual', nowMs: 7 }, 'stands anyway');
    const again = (): void => void clock.after(31_536, again);
    again();
    t.equal((await fabric.time.warp(315_360)).nowMs, 315_367, 'ten timers');
    const warping = fabric.time.warp(31_536_000);
    await turn();
    await fabric.close();
    await t.rejects(warping, { code: 'SHUTTING_DOWN' });
  },
);
