import { portOwner, switchOwner } from '../../life-cycles/policy-owner.ts';
import { WITNESSES } from '../../life-cycles/stage.ts';
import type { VerifyStage } from '../stages.ts';

/** S1-S10 in a row: everything a quiet host does, once. */
export const wholeLife: VerifyStage = {
  name: 'whole-life',
  title: 'A switch, its policies and a VM from the beginning to the end',
  isRace: false,
  async run(stage) {
    const name = 'Plain';
    for (const { name: feature, builtIn, extensionId } of stage.fabric.features.list()) {
      const isKnown = builtIn || extensionId === stage.extension.id || WITNESSES.has(extensionId);
      const text = `class ${feature} has ExtensionId ${extensionId}, the extension is ${stage.extension.id}`;
      stage.expect(isKnown, text, 'A32');
    }
    await stage.createSwitch(name, { type: 'internal', managementOs: true });
    const host = portOwner('the host port', name, stage.hostPort(name));
    const [first, second] = await stage.createVm('VM1', [name, name]);
    const owners = [switchOwner(name), host, ...(first === undefined ? [] : [first])];
    for (const owner of [switchOwner(name), host]) {
      await stage.act(`add policies to ${owner.title}`, () => stage.policies.add(owner));
    }
    await stage.act('start VM1', () => stage.start('VM1'));
    for (const owner of owners) {
      await stage.act(
        `update policies of ${owner.title}`,
        () => stage.policies.update(owner),
        'E26',
      );
      await stage.act(`ask ${owner.title}`, () => stage.policies.ask(owner), 'F7');
    }
    await stage.check('with a VM that runs');
    // Its policies come again, on other ports.
    await stage.act('stop VM1 for a while', () => stage.stop('VM1'));
    await stage.act('start VM1 again', () => stage.start('VM1'), 'E38');
    const vm = stage.fabric.vms.get('VM1');
    await stage.act('save VM1', () => vm.save(), 'G12');
    await stage.act('restore VM1', () => vm.restore(), 'G31');
    await stage.check('after save and restore');
    await stage.pass(13_000);
    if (second !== undefined) {
      await stage.act('remove policies', () => stage.policies.remove(second));
    }
    await stage.act('stop VM1', () => stage.stop('VM1'));
    await stage.deleteVm('VM1');
    // As long as an extension may hold an OID, or a reference: what it leaks shows by then.
    await stage.pass(13_000);
    for (const owner of [host, switchOwner(name)]) {
      await stage.act(`remove policies of ${owner.title}`, () => stage.policies.remove(owner));
    }
    await stage.check('when the VM is gone');
    await stage.deleteSwitch(name);
  },
};
