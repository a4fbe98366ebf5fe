import { listOf, need, oneOf } from '../field.ts';
import { mofFile } from '../mof-field.ts';
import { featureName, hostName } from '../name-fields.ts';
import { type Verb, verb } from '../verb.ts';

export const FEATURE_VERBS: readonly Verb[] = [
  verb({
    name: 'registerFeatures',
    group: 'policies',
    help:
      'Registers the classes of MOF files, as `features` of the file does at the beginning: new ones, and newer versions of ' +
      'those that nothing is of.',
    short: 'mof',
    fields: {
      mof: need(listOf(mofFile('path relative to this file'), 'MOF files')),
      host: hostName('default every host'),
      uint16: oneOf('layout of 16-bit members, default native', ['native', 'doc32']),
    },
    async run({ mof, host, uint16 }, runtime) {
      const among = host === undefined ? runtime.hosts.values() : [runtime.host(host)];
      const notes: string[] = [];
      for (const { name, fabric } of among) {
        for (const { path, bytes } of mof) {
          const options = { source: path, ...(uint16 === undefined ? {} : { uint16 }) };
          const { changed } = await fabric.features.register(bytes, options);
          if (!changed) notes.push(`${path} was registered on ${name} already`);
        }
      }
      return notes.join('\n') || undefined;
    },
  }),
  verb({
    name: 'deleteFeature',
    group: 'policies',
    help: 'Takes a class away that nothing is of.',
    short: 'feature',
    fields: {
      feature: need(featureName()),
      kind: oneOf('which of two classes of one id, default setting', ['setting', 'status']),
      host: hostName('default every host'),
    },
    async run({ feature, kind, host }, runtime) {
      const among = host === undefined ? runtime.hosts.values() : [runtime.host(host)];
      for (const { fabric } of among) await fabric.features.delete(feature, kind);
    },
  }),
];
