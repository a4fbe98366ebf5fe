import type { Area } from '../mutant.ts';

export const MOF: Area = {
  name: 'MOF compiler and serializer',
  isSimulated: false,
  mutants: [
    {
      id: 'hour-24',
      title: 'a datetime may have hour 24',
      file: 'src/mof/datetime.ts',
      from: `['hour', 2, 0, 23]`,
      to: `['hour', 2, 0, 24]`,
      suites: [
        'test/mof/back/settings.test.ts',
        'test/mof/back/codec.test.ts',
        'test/mof/front/lexis.test.ts',
        'test/mof/front/features.test.ts',
      ],
    },
    {
      id: 'tail-gap-not-cleared',
      title: 'the gap before an aligned tail keeps what the buffer had before (R12)',
      file: 'src/mof/member-writer.ts',
      from: '  for (let i = cursor; i < start; i += 1) bytes[base + i] = 0;\n',
      to: '',
      suites: [
        'test/mof/back/codec.test.ts',
        'test/mof/back/layout.test.ts',
        'test/mof/back/hostile.test.ts',
      ],
    },
    {
      id: 'char16-tail-not-cleared',
      title: 'an empty character in an array of char16 keeps what the buffer had before',
      file: 'src/mof/member-writer.ts',
      from: 'const needsZeroes = m.kind === Kind.char16 || m.kind >= Kind.datetime;',
      to: 'const needsZeroes = m.kind >= Kind.datetime;',
      suites: [
        'test/mof/back/codec.test.ts',
        'test/mof/back/settings.test.ts',
        'test/mof/back/hostile.test.ts',
      ],
    },
    {
      id: 'tail-ends-outside',
      title: 'a tail may end a byte behind the buffer',
      file: 'src/mof/member-reader.ts',
      from: 'if (start < this.fixedSize || start + sizeBytes > this.length) {',
      to: 'if (start < this.fixedSize || start + sizeBytes > this.length + 1) {',
      suites: ['test/mof/back/hostile.test.ts', 'test/mof/back/codec.test.ts'],
    },
    {
      id: 'data-id-gap-at-the-start',
      title: 'a class whose WmiDataIds begin with 2 is taken',
      file: 'src/mof/passes/check-data-ids.ts',
      from: '  let expected = 1;',
      to: '  let expected = members[0]?.wmiDataId ?? 1;',
      suites: ['test/mof/front/features.test.ts', 'test/mof/front/diagnostic-codes.test.ts'],
    },
    {
      id: 'condition-right-to-left',
      title: '#if 8 - 4 - 2 is 6: operators of one level bind from the right',
      file: 'src/mof/preprocess-condition.ts',
      from: 'this.#binary((LEVELS[operator] as number) + 1)',
      to: 'this.#binary(LEVELS[operator] as number)',
      suites: ['test/mof/front/preprocess.test.ts'],
    },
  ],
};
