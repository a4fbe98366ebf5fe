import { listOf, need, whole } from '../field.ts';
import { extensionAlias, hostName } from '../name-fields.ts';
import { type Verb, verb } from '../verb.ts';

export const HOST_VERBS: readonly Verb[] = [
  verb({
    name: 'restartHost',
    group: 'hosts',
    help: 'Ends a host and starts it again on its store: everything in it comes back.',
    short: 'host',
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
    name: 'wait',
    group: 'hosts',
    help: 'Lets virtual time pass: timers of extensions fire, OIDs held for too long end.',
    short: 'ms',
    fields: { ms: need(whole('virtual milliseconds')) },
    async run({ ms }, { state }) {
      state.clock.advance(ms);
      // What the timers began goes on.
      await new Promise((resolve) => setImmediate(resolve));
    },
  }),
];
