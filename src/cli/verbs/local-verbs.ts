import type { CommandSpec, FlagSpec } from '../command.ts';
import { EVERYWHERE } from './common-flags.ts';

/** How MOF text is read: flags of all `mof` verbs. */
const MOF_FLAGS: readonly FlagSpec[] = [
  { name: 'strict', help: 'documented quirks of the compiler are errors, not warnings' },
  { name: 'preprocess', help: 'run the C preprocessor pass first (#include, #define, #if)' },
  {
    name: 'include',
    short: 'I',
    value: 'FOLDER',
    many: true,
    help: 'folder to look for included files in, after that of the including file',
  },
  ...EVERYWHERE,
];

const UINT16_FLAG: FlagSpec = {
  name: 'uint16',
  value: 'WIDTH',
  choices: ['native', 'doc32'],
  help: 'width of uint16 members: 2 bytes, or 4 as the documented sample structure has it',
};

const OUTPUT_FLAG: FlagSpec = {
  name: 'output',
  short: 'o',
  value: 'FILE',
  help: 'write to FILE instead of standard output',
};

const MOF_FILES = { name: 'file.mof', help: 'MOF files; - is standard input', many: true } as const;

/** Verbs that need no server. */
export const LOCAL_VERBS: readonly CommandSpec[] = [
  {
    words: ['mof', 'check'],
    summary: 'Report every error and warning of MOF files',
    detail:
      'Each finding has file, line, column, the line with a caret, and a hint. Exit code 1 when there are errors.',
    arguments: [MOF_FILES],
    flags: MOF_FLAGS,
    examples: [
      'mof check policies/fabrikam.mof',
      'mof check --strict --json policies/fabrikam.mof',
    ],
    load: async () => (await import('../commands/mof.ts')).check,
  },
  {
    words: ['mof', 'layout'],
    summary: 'Print the byte layout of the classes of MOF files',
    arguments: [MOF_FILES],
    flags: [UINT16_FLAG, ...MOF_FLAGS],
    examples: ['mof layout policies/fabrikam.mof', 'mof layout --uint16 doc32 --json sample.mof'],
    load: async () => (await import('../commands/mof.ts')).layout,
  },
  {
    words: ['mof', 'header'],
    summary: 'Write a C header with the structures of MOF files',
    detail: 'Compiles with gcc, clang and MSVC; static assertions check each offset.',
    arguments: [MOF_FILES],
    flags: [UINT16_FLAG, OUTPUT_FLAG, ...MOF_FLAGS],
    examples: ['mof header -o fabrikam.h policies/fabrikam.mof'],
    load: async () => (await import('../commands/mof.ts')).header,
  },
  {
    words: ['mof', 'types'],
    summary: 'Write TypeScript types of the classes of MOF files',
    arguments: [MOF_FILES],
    flags: [OUTPUT_FLAG, ...MOF_FLAGS],
    examples: ['mof types -o fabrikam.d.ts policies/fabrikam.mof'],
    load: async () => (await import('../commands/mof.ts')).types,
  },
  {
    words: ['decode'],
    summary: 'Print the fields of a structure, with offset, size and value',
    detail:
      'The structure is named as in ndis.h, or by the OID that carries it. Bytes are hexadecimal text (spaces, 0x, colons,\nxxd and hexdump lines are understood), a file with such text or the bytes themselves, or - for standard input.',
    arguments: [
      {
        name: 'structure',
        help: 'e.g. NDIS_SWITCH_PORT_PROPERTY_PARAMETERS or OID_SWITCH_PORT_PROPERTY_ADD',
      },
      { name: 'bytes', help: 'hexadecimal text, a file, or -', many: true },
    ],
    flags: [
      {
        name: 'mof',
        short: 'm',
        value: 'FILE',
        many: true,
        help: 'MOF file whose classes explain custom buffers',
      },
      UINT16_FLAG,
      ...EVERYWHERE,
    ],
    examples: [
      'decode NDIS_SWITCH_PORT_PARAMETERS port.bin',
      'decode OID_SWITCH_PORT_PROPERTY_ADD --mof policies/fabrikam.mof captured.hex',
    ],
    load: async () => (await import('../commands/decode.ts')).decode,
  },
  {
    words: ['serve'],
    summary: 'Start the server',
    detail:
      'Settings come from the flag, else the environment variable, else extswitch.config.json or .yaml in the working\nfolder, else the default. Any host but a loopback address needs a token.',
    arguments: [],
    flags: [
      {
        name: 'host',
        value: 'HOST',
        env: 'EXTSWITCH_HOST',
        help: 'address to bind, default 127.0.0.1',
      },
      {
        name: 'port',
        value: 'PORT',
        range: [0, 65_535],
        env: 'EXTSWITCH_PORT',
        help: 'port to bind, default 4630; 0 takes a free one',
      },
      {
        name: 'store',
        value: 'STORE',
        env: 'EXTSWITCH_STORE',
        help: '"memory", a folder, or nats://server:port,…/cluster to be a host of a cluster; default .extswitch',
      },
      {
        name: 'name',
        value: 'NAME',
        env: 'EXTSWITCH_NAME',
        help: "name of this host; in a cluster default the machine's name, and one process at a time may have it",
      },
      {
        name: 'extension',
        value: 'PATH',
        many: true,
        env: 'EXTSWITCH_EXTENSION',
        help: 'extension module to install: .ts, .js, .mjs',
      },
      {
        name: 'allow-host',
        value: 'NAME',
        many: true,
        env: 'EXTSWITCH_ALLOW_HOST',
        help: 'name clients may call the server by, beside loopback and --host',
      },
      {
        name: 'no-bundled',
        env: 'EXTSWITCH_NO_BUNDLED',
        help: 'do not install the bundled extensions',
      },
      {
        name: 'token',
        value: 'TOKEN',
        env: 'EXTSWITCH_TOKEN',
        help: 'bearer token every request must carry',
      },
      {
        name: 'profile',
        value: 'NAME',
        env: 'EXTSWITCH_PROFILE',
        choices: ['ws2012', 'ws2012r2', 'ws2016', 'ws2019', 'ws2022', 'ws2025'],
        help: 'Windows version to be, default ws2022',
      },
      { name: 'seed', value: 'TEXT', env: 'EXTSWITCH_SEED', help: 'seed of all randomness' },
      {
        name: 'verifier',
        value: 'MODE',
        env: 'EXTSWITCH_VERIFIER',
        choices: ['off', 'observe', 'enforce'],
        help: 'check extensions while they work: report what breaks a rule, or fail it; default off',
      },
      {
        name: 'on-crash',
        value: 'WHAT',
        env: 'EXTSWITCH_ON_CRASH',
        choices: ['report', 'restart', 'disable'],
        help: 'an extension throws outside its handlers, e.g. in a timer: a finding, and that; default report',
      },
      {
        name: 'isolate',
        value: 'NAME',
        many: true,
        env: 'EXTSWITCH_ISOLATE',
        help: 'run this extension, or "all", in a worker thread; what it crashes of is followed by --on-crash, then default restart',
      },
      {
        name: 'watchdog-ms',
        value: 'MS',
        range: [1, 3_600_000],
        env: 'EXTSWITCH_WATCHDOG_MS',
        help: 'how long a handler of an isolated extension may run, default 1000',
      },
      {
        name: 'memory-mb',
        value: 'MB',
        range: [8, 65_536],
        env: 'EXTSWITCH_MEMORY_MB',
        help: 'memory an isolated extension may have, default 128',
      },
      { name: 'config', value: 'FILE', env: 'EXTSWITCH_CONFIG', help: 'settings file to read' },
      {
        name: 'print',
        value: 'FORMAT',
        choices: ['text', 'json'],
        help: 'what is printed when ready, default text (EXTSWITCH_PRINT)',
      },
      {
        name: 'log-level',
        value: 'LEVEL',
        env: 'EXTSWITCH_LOG_LEVEL',
        choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
        help: 'least level that is logged (JSON on standard error), default info, warn on a terminal',
      },
      ...EVERYWHERE,
    ],
    examples: [
      'serve',
      'serve --port 0 --print json --store memory --extension ./fabrikam.ts',
      'serve --store nats://n1:4222,n2:4222,n3:4222/lab --name a',
    ],
    load: async () => (await import('../commands/serve.ts')).serve,
  },
];
