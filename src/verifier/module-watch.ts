import { OID_LIST } from '../abi/index.ts';
import type { Activity } from './activity.ts';
import type { Watcher } from './rule-check.ts';

type Told = 'arrived' | 'answered' | 'returned' | 'issued';
type With<Name extends keyof Watcher> = Watcher & Required<Pick<Watcher, Name>>;

/** Watchers that have a method, by the dense index of the OID plus 1; 0 is every unknown OID. */
type ByOid<Name extends Told> = readonly (readonly With<Name>[] | undefined)[];

/**
 * One module under watch: its watchers by what they want to be told, so that an act nobody asks about costs one look into an
 * array.
 */
export class ModuleWatch {
  readonly activity: Activity;
  readonly watchers: readonly Watcher[];
  readonly arrived: ByOid<'arrived'>;
  readonly answered: ByOid<'answered'>;
  readonly ended: readonly With<'ended'>[];
  readonly returned: ByOid<'returned'>;
  readonly issued: ByOid<'issued'>;
  hasRun = false;

  constructor(activity: Activity, watchers: readonly Watcher[]) {
    this.activity = activity;
    this.watchers = watchers;
    this.arrived = byOid(watchers, 'arrived');
    this.answered = byOid(watchers, 'answered');
    this.ended = watchers.filter((watcher) => has(watcher, 'ended'));
    this.returned = byOid(watchers, 'returned');
    this.issued = byOid(watchers, 'issued');
  }
}

function byOid<Name extends Told>(watchers: readonly Watcher[], name: Name): ByOid<Name> {
  const having = watchers.filter((watcher) => has(watcher, name));
  const all = having.filter(({ oids }) => oids === undefined);
  const unknown = all.length === 0 ? undefined : all;
  const known = OID_LIST.map(({ code }) => {
    const told = having.filter(({ oids }) => oids?.includes(code) ?? true);
    return told.length === 0 ? undefined : told;
  });
  return [unknown, ...known];
}

function has<Name extends keyof Watcher>(watcher: Watcher, name: Name): watcher is With<Name> {
  return watcher[name] !== undefined;
}
