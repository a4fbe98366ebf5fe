import { ExtSwitchError } from '../src/core/errors.ts';
import type { NicAddress, NicRequestOptions, NicStatusOptions } from '../src/sdk/extension.ts';
import type { FilterModule } from './filter-module.ts';
import { REQUEST_TYPE } from './oid-request.ts';

/** Largest InformationBuffer or StatusBuffer an extension may originate, bytes. */
const MAX_BUFFER = 1 << 20;

function refuse(module: FilterModule, member: string, expected: string, found: unknown): never {
  throw new ExtSwitchError(
    'INVALID_ARGUMENT',
    `${module.name}: ${member} is ${String(found)}; expected ${expected}`,
    { member, expected, found: String(found), extensionId: module.id },
  );
}

function checkCode(module: FilterModule, member: string, code: unknown): void {
  if (!Number.isInteger(code) || (code as number) < 0 || (code as number) > 0xffffffff) {
    refuse(module, member, 'a number of 32 bits', code);
  }
}

function checkAddress(module: FilterModule, member: string, given: NicAddress | undefined): void {
  if (given === undefined) return;
  const isRight = (value: unknown, most: number): boolean =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
  if (isRight(given.portId, 0xffffffff) && isRight(given.nicIndex, 0xffff)) return;
  const expected = 'a port id of 32 bits and a NIC index of 16 bits';
  refuse(module, member, expected, `${given.portId}/${given.nicIndex}`);
}

function checkBuffer(module: FilterModule, member: string, given: unknown): void {
  if (given === undefined || (given instanceof Uint8Array && given.length <= MAX_BUFFER)) return;
  const found = given instanceof Uint8Array ? `${given.length} bytes` : typeof given;
  refuse(module, member, `a Uint8Array of at most ${MAX_BUFFER} bytes`, found);
}

/** What an extension wrote must fit its members; throws `INVALID_ARGUMENT` naming the member. */
export function checkRequestOptions(options: NicRequestOptions, module: FilterModule): void {
  checkAddress(module, 'source', options.source);
  if (options.destination === undefined) refuse(module, 'destination', 'a NIC', undefined);
  checkAddress(module, 'destination', options.destination);
  if (REQUEST_TYPE[options.requestType] === undefined) {
    refuse(module, 'requestType', 'query, set or method', options.requestType);
  }
  checkCode(module, 'oid', options.oid);
  checkBuffer(module, 'input', options.input);
  const room = options.outputLengthBytes ?? 0;
  if (!Number.isInteger(room) || room < 0 || room > MAX_BUFFER) {
    refuse(module, 'outputLengthBytes', `0 to ${MAX_BUFFER}`, room);
  }
}

/** The same for an indication. */
export function checkStatusOptions(options: NicStatusOptions, module: FilterModule): void {
  checkAddress(module, 'source', options.source);
  checkAddress(module, 'destination', options.destination);
  checkCode(module, 'statusCode', options.statusCode);
  checkBuffer(module, 'data', options.data);
}
