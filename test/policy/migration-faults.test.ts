import t, { type Test } from 'tap';
import {
  closeScene,
  having,
  type MessageTrap,
  migrate,
  openScene,
  REFUSALS,
  remains,
  type Scene,
} from './migration-fault-world.ts';
import { runningVm } from './migration-world.ts';

/** Exactly one host owns the VM, with everything; the other has nothing of it, and its name and address are free (design.md 7). */
async function oneOwner(t: Test, scene: Scene, before: string, what: string): Promise<'a' | 'b'> {
  const { a, b, storeA, storeB } = scene;
  const isA = [...a.fabric.vms.list()].length === 1;
  const [owner, other, otherStore] = isA ? [a, b, storeB] : [b, a, storeA];
  t.equal([...owner.fabric.vms.list()].length, 1, `${what}: one owner`);
  t.equal(having(owner), before, `${what}: with everything`);
  t.strictSame(remains(other, otherStore), [], `${what}: nothing on the other`);
  const { mac } = owner.fabric.vms.get('vm').info.adapters[0] ?? { mac: '' };
  const again = await other.fabric.vms.create({ name: 'vm', adapters: [{ switch: 'S', mac }] });
  await again.start();
  t.equal(again.info.state, 'running', `${what}: name and address are free on the other`);
  await again.stop();
  await again.delete();
  return isA ? 'a' : 'b';
}

/** Requests whose refusal decides (E16, C23, G10, G27); what else fails breaks a rule and the move goes on (OP-28). */
const DECISIVE = /^(PORT_CREATE|PORT_PROPERTY_ADD|NIC_CREATE|NIC_SAVE|NIC_RESTORE)$/;

t.test(
  'every OID of either side refused, each way: the VM is whole on one host (G10, G27, G36-G40, OP-14, OP-17, OP-28, S11, S12)',
  async (t) => {
    const decided = new Set<string>();
    for (const side of ['a', 'b'] as const) {
      for (const [how, refuse] of Object.entries(REFUSALS)) {
        for (let at = 0; ; at += 1) {
          const scene = await openScene();
          await runningVm(scene.a);
          const before = having(scene.a);
          let countdown = at;
          let failed: string | undefined;
          scene[side].keeper.decide = (oid) => {
            countdown -= 1;
            if (countdown !== -1) return undefined;
            failed = oid;
            return refuse();
          };
          const info = await migrate(scene.a, 'b');
          if (failed === undefined) {
            t.equal(info.state, 'succeeded');
            t.ok(at > 5, `${side} ${how}: ${at} requests`);
            await closeScene(scene);
            break;
          }
          const what = `${failed} (${at}) ${how} on ${side}`;
          const owner = await oneOwner(t, scene, before, what);
          const stays = DECISIVE.test(failed);
          if (stays) decided.add(failed);
          t.equal(owner, stays ? 'a' : 'b', what);
          t.equal(info.state, stays ? 'failed' : 'succeeded', what);
          if (stays) t.ok(info.error?.message.length, `${what}: says why`);
          await closeScene(scene);
        }
      }
    }
    t.strictSame([...decided].sort(), [
      'NIC_CREATE',
      'NIC_RESTORE',
      'NIC_SAVE',
      'PORT_CREATE',
      'PORT_PROPERTY_ADD',
    ]);
  },
);

t.test(
  'every message lost, before and after it took effect: the VM is whole on one host (G38, design.md 7)',
  async (t) => {
    const lost = new Set<string>();
    for (const when of ['before', 'after'] as const) {
      for (const isRefused of [false, true]) {
        for (let at = 1; ; at += 1) {
          const scene = await openScene();
          await runningVm(scene.a);
          const before = having(scene.a);
          if (isRefused) {
            scene.b.keeper.decide = (oid) =>
              oid === 'NIC_CREATE' ? REFUSALS.DATA_NOT_ACCEPTED() : undefined;
          }
          const trap: MessageTrap = { at, when, count: 0 };
          scene.hosts.trap = trap;
          const info = await migrate(scene.a, 'b');
          if (trap.what === undefined) {
            t.equal(info.state, isRefused ? 'failed' : 'succeeded');
            await closeScene(scene);
            break;
          }
          scene.b.keeper.decide = () => undefined;
          lost.add(`${trap.what} ${when}`);
          const what = `${trap.what} (${at}) lost ${when} it took effect${isRefused ? ', NIC refused' : ''}`;
          const owner = await oneOwner(t, scene, before, what);
          t.equal(info.state, owner === 'a' ? 'failed' : 'succeeded', what);
          if (trap.what === 'take' && when === 'after' && !isRefused)
            t.match(info.restore, { restored: 2 }, what);
          await closeScene(scene);
        }
      }
    }
    t.strictSame([...lost].sort(), [
      'abandon after',
      'abandon before',
      'forget after',
      'forget before',
      'outcome after',
      'outcome before',
      'prepare after',
      'prepare before',
      'take after',
      'take before',
    ]);
  },
);

t.test(
  'every write of either side failing once: the VM is whole on one host (design.md 5, 7)',
  async (t) => {
    for (const side of ['storeA', 'storeB'] as const) {
      for (let at = 1; ; at += 1) {
        const scene = await openScene();
        await runningVm(scene.a);
        const before = having(scene.a);
        scene.storeA.arm();
        scene.storeB.arm();
        scene[side].arm({ failAt: at });
        const info = await migrate(scene.a, 'b');
        if (scene[side].writes < at) {
          t.equal(info.state, 'succeeded');
          t.ok(at > 2, `${side}: ${at - 1} writes`);
          await closeScene(scene);
          break;
        }
        const owner = await oneOwner(t, scene, before, `write ${at} of ${side}`);
        t.equal(info.state, owner === 'a' ? 'failed' : 'succeeded');
        await closeScene(scene);
      }
    }
  },
);
