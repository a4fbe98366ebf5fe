import type { ProfileName } from '../policy/api.ts';
import { PROFILE_NDIS } from '../policy/profile.ts';
import {
  anyValue,
  type Field,
  type Fields,
  field,
  listOf,
  mapOf,
  need,
  objectOf,
  oneOf,
  text,
  whole,
  yesNo,
} from './field.ts';
import { extensionAlias, hostName } from './name-fields.ts';
import type { Place } from './source-node.ts';
import { LOOP } from './verbs/flow-verbs.ts';
import { SWITCH_FIELDS } from './verbs/switch-verbs.ts';
import { ADAPTER_FIELDS } from './verbs/vm-verbs.ts';

/*
 * The file beside its steps. Reading, JSON Schema and reference page come from these, as with verbs.
 */

export const PROFILE_NAMES = Object.keys(PROFILE_NDIS) as ProfileName[];

export const PROFILE = oneOf('Windows version to be, default ws2022', PROFILE_NAMES);

/** A path with the place it was written at, for when there is no such file. */
export interface PathAt {
  readonly path: string;
  readonly place: Place;
}

function pathOf(help: string): Field<PathAt, false> {
  const plain = text(help, 'path');
  return field('path', help, { type: 'string' }, (node, reader, what) => {
    const path = plain.read(node, reader, what);
    return path === undefined ? undefined : { path, place: node.place };
  });
}

export const EXTENSIONS = mapOf(
  pathOf('path of the module, relative to this file'),
  'extensions by alias',
);
export const FEATURES = listOf(
  pathOf('MOF file, relative to this file'),
  'MOF files registered on every host',
);

export const SWITCH = objectOf('one switch', {
  ...SWITCH_FIELDS,
  disabled: listOf(extensionAlias(), 'extensions that are installed and not enabled, by alias'),
});

export const HOST = objectOf('one host: a world with its own store', {
  switches: listOf(SWITCH, 'its switches'),
  extensions: listOf(
    extensionAlias(),
    'installed and enabled on no switch, by alias; those of its switches need not be here',
  ),
  features: listOf(pathOf('MOF file'), 'MOF files of this host, in place of those of the file'),
  profile: PROFILE,
  store: oneOf('what it keeps its state in, default memory', ['memory', 'disk']),
});

export const HOSTS = mapOf(HOST, 'hosts by name: worlds of one process that know each other');

const VM_FIELDS = {
  name: need(text('its name')),
  host: hostName('host it is on; default the only one'),
  adapters: listOf(objectOf('one adapter', ADAPTER_FIELDS), 'its network adapters'),
};
export const VM = objectOf('one VM, off at first', VM_FIELDS);
const VM_OR_LOOP = objectOf('one VM, or several by `repeat`', {
  ...VM_FIELDS,
  repeat: objectOf('makes one VM for each value', LOOP),
});

export const BEHAVIOUR = objectOf(
  'where the documents leave a choice (open points of the rule book)',
  {
    validationPorts: oneOf('OP-19, default short', ['short', 'standing']),
    activation: oneOf('OP-20, default first', ['first', 'last']),
    transientRetries: whole('OP-29, default 0'),
    saveOnStop: yesNo('OP-15, default false'),
    completeFailedRestore: yesNo('OP-17, default true'),
    internalNics: whole('OP-36, default 1'),
    suspendOids: yesNo('OP-39, default false'),
  },
);

export const INVARIANTS = objectOf(
  'what has to hold at the end; all of them unless turned off here',
  {
    noPolicyLost: yesNo(
      'the policies are those from before, with what steps added and without what they removed',
    ),
    noFindings: yesNo('no finding of severity error that expectFindings does not expect'),
  },
);

export const EXPECT_FAILURE = objectOf(
  'the scenario shows a failure: it passes when it fails in this way, and only then',
  {
    in: need(text('noPolicyLost, noFindings, or the verb of the step', 'name of a check')),
    message: text('text that the message has in it'),
    because: text('why, for the report'),
  },
);

export const STEPS = field<never>(
  'list of steps',
  'what happens, one after the other',
  {
    $ref: '#/$defs/steps',
  },
  () => undefined,
);

/** Every field of a scenario file. */
export const FILE_FIELDS: Fields = {
  $schema: text('JSON Schema of this file, for editors'),
  name: need(text('what the scenario shows, in one line')),
  description: text('more of it'),
  profile: PROFILE,
  seed: text('what chance comes from; --seed overrides it'),
  scheduling: oneOf('order of operations that may overlap, default fifo', ['fifo', 'seeded']),
  behaviour: BEHAVIOUR,
  parameters: mapOf(anyValue('any value'), 'default values of parameters; --param overrides them'),
  matrix: mapOf(
    listOf(anyValue('any value')),
    'plays the scenario once for each combination: profile, seed, or parameters by name',
  ),
  features: FEATURES,
  extensions: EXTENSIONS,
  hosts: need(HOSTS),
  vms: listOf(VM_OR_LOOP, 'VMs, off at first'),
  steps: need(STEPS),
  invariants: INVARIANTS,
  expectFailure: EXPECT_FAILURE,
};
