import { WARP_LIMIT_MS } from '../../policy/sim-api.ts';
import { listOf, need, whole } from '../field.ts';
import { extensionAlias, hostName } from '../name-fields.ts';
import { type Verb, verb } from '../verb.ts';

export const HOST_VERBS: readonly Verb[] = [
  verb({
    name: 'restartHost',
    group: 'hosts',
    help: 'Ends a host and starts it again on its store: everything in it comes back.',
    short: 'host',
    isApart: true,
    fields: {
      host: hostName('the host; default the only one'),
      extensions: listOf(
        extensionAlias(),
        'extensions installed afterwards, by alias; default those it had',
      ),
    },
    async run({ host: name, extensions }, runtime) {
      const host = runtime.host(name);
      runtime.state.recorder.collect(runtime.state.hosts.values());
      await host.restart(extensions ?? host.installed());
    },
  }),
  verb({
    name: 'crashHost',
    group: 'hosts',
    help: 'Ends a host as `kill -9` does, until `restartHost` starts it again: nothing it was doing reaches its store or another host.',
    short: 'host',
    isApart: true,
    fields: { host: hostName('the host; default the only one') },
    async run({ host: name }, runtime) {
      const host = runtime.host(name);
      if (!host.isUp) throw new Error(`host ${host.name} is not running`);
      runtime.state.recorder.collect(runtime.state.hosts.values());
      host.crash();
      // Its memory is taken down without a word to anybody.
      await host.close();
    },
  }),
  verb({
    name: 'wait',
    group: 'hosts',
    help:
      'Lets virtual time pass: timers of extensions fire, OIDs held for too long end, each at its own time and done before the next ' +
      'one. Time passes only while a step waits, so there is no stopping it.',
    short: 'ms',
    fields: { ms: need(whole('virtual milliseconds, at most a year', 0, WARP_LIMIT_MS)) },
    async run({ ms }, { state }) {
      const until = state.clock.now() + ms;
      state.moments.waitsUntilMs = Math.max(until, state.moments.waitsUntilMs);
      await new Promise<void>((resolve) => {
        state.clock.after(ms, resolve);
      });
    },
  }),
];
