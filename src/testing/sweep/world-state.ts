import type { FabricInterface, FeatureInfo } from '../../policy/api.ts';
import { jsonText } from '../life-cycles/json-text.ts';
import { addStateLines, differences, type StateLines } from '../simulation/state-lines.ts';

export type Hosts = ReadonlyMap<string, FabricInterface>;

/** What management shows of all hosts. */
export function stateOf(hosts: Hosts): StateLines {
  const lines: StateLines = new Map();
  for (const [name, fabric] of hosts) addStateLines(lines, name, fabric);
  return lines;
}

/** The first thing that is not the same, for people; `undefined`: nothing. */
export function firstDifference(
  before: StateLines,
  after: StateLines,
  was = 'was',
  is = 'is',
): string | undefined {
  const [first] = differences(before, after);
  if (first === undefined) return undefined;
  const [key, one, other] = first;
  return `${key}\n  ${was} ${one}\n  ${is} ${other}`;
}

const GUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;
/** The same text whatever ids a run has drawn. */
export const withoutIds = (text: string): string => text.replace(GUID, '#');
const OF_THIS_RUN = /"(portId|revision|mac|currentMac|permanentMac|vmMac)":("[^"]*"|\d+),?/g;

/** The same without ids, revisions and dynamic addresses: what two runs that took different ways must have in common. */
export function endOf(state: StateLines): StateLines {
  const lines: StateLines = new Map();
  const plain = [...state].map(
    ([key, line]) =>
      [key.replace(GUID, '#'), line.replace(GUID, '#').replace(OF_THIS_RUN, '')] as const,
  );
  plain.sort(([a, x], [b, y]) => (`${a}\n${x}` < `${b}\n${y}` ? -1 : 1));
  for (const [key, line] of plain) {
    let at = key;
    for (let i = 2; lines.has(at); i += 1) at = `${key} (${i})`;
    lines.set(at, line);
  }
  return lines;
}

/** Asks every feature status there is, of each VM's adapters and each switch: what it is of → the answer, `none` if there is none. */
export async function statusOf(hosts: Hosts): Promise<StateLines> {
  const answers: StateLines = new Map();
  const ask = async (key: string, answer: () => Promise<unknown>): Promise<void> => {
    const given = await answer().catch(() => undefined);
    answers.set(key, given === undefined ? 'none' : jsonText(given).replace(GUID, '#'));
  };
  for (const [host, fabric] of hosts) {
    const classes = (scope: FeatureInfo['scope']): readonly FeatureInfo[] =>
      fabric.features.list().filter((each) => each.kind === 'status' && each.scope === scope);
    for (const { id, name, state } of fabric.vms.list()) {
      if (state !== 'running') continue;
      for (const adapter of fabric.vms.get(id).adapters) {
        for (const { name: feature } of classes('port')) {
          const key = `status/${name}/${adapter.info.name}/${feature}`;
          await ask(key, async () => adapter.status(feature));
        }
      }
    }
    for (const { id, name } of fabric.switches.list()) {
      for (const { name: feature } of classes('switch')) {
        const key = `status/${host}/${name}/${feature}`;
        await ask(key, async () => fabric.switches.get(id).status(feature));
      }
    }
  }
  return answers;
}
