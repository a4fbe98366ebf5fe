const ID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|0x[0-9a-f]+|\d+/gi;

/** A message without the ids, values and numbers in it, that differ from time to time: findings alike in it are the same thing. */
export function withoutNumbers(message: string): string {
  return message.replace(ID, '#');
}
