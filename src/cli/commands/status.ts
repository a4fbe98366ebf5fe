import { connect, type Item, pathOf } from '../client.ts';
import { printFields } from '../columns.ts';
import type { CommandHandler } from '../command.ts';
import { printJson } from '../print-items.ts';
import { targetPath } from '../target.ts';
import { harmless } from '../terminal.ts';

/** `status get` */
export const get: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  const target = await targetPath(call, plane);
  const status = await plane.get(`${target}/status${pathOf(call.text('feature') ?? '')}`);
  if (call.has('json')) {
    await printJson(terminal, status);
    return 0;
  }
  const raw = Buffer.from(String(status['raw']), 'base64');
  const data = Object.entries(status['data'] as Item);
  await printFields(terminal, [
    ['feature', status['feature']],
    ['id', status['featureId']],
    ['extension', status['extensionId']],
    ['bytes', raw.length],
    ...data.map(([name, value]) => [`  ${harmless(name)}`, value] as const),
  ]);
  return 0;
};
