import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  ENUMS,
  type FieldRow,
  type NdisVersion,
  ndisHas,
  STRUCTURES,
  type StructureName,
  structure,
} from '../../src/abi/index.ts';
import { TYPEDEFS } from '../../src/abi/tables/typedefs.ts';
import '../support/uncovered-children.ts';

/*
 * A C compiler lays the structures out from bare declarations (member order, types, natural alignment: what the pages
 * give) and prints offsetof and sizeof; these must be the table's numbers. 8-byte pointers are assumed, so another
 * target is skipped, and so is a machine without compiler — with the reason in the report.
 */

const NAMES = Object.keys(STRUCTURES) as StructureName[];
const VERSIONS: readonly NdisVersion[] = ['6.30', '6.40', '6.50', '6.85'];
const COMPILER = ['gcc', 'cc', 'clang'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
);

/** Windows' long types are 32 bits wide: fixed-width types instead of the compiler's own. */
const BASE_TYPES: Readonly<Record<string, string>> = {
  UCHAR: 'uint8_t',
  BOOLEAN: 'uint8_t',
  USHORT: 'uint16_t',
  UINT16: 'uint16_t',
  WCHAR: 'uint16_t',
  ULONG: 'uint32_t',
  UINT: 'uint32_t',
  UINT32: 'uint32_t',
  LONG: 'int32_t',
  ULONG64: 'uint64_t',
  UINT64: 'uint64_t',
  PVOID: 'void *',
  PCHAR: 'char *',
  PGUID: 'void *',
  PNDIS_OID_REQUEST: 'void *',
  PNDIS_STATUS_INDICATION: 'void *',
};

/** Structures with unions or bit-fields, as ntddndis.h and ndis.h nest them. */
const WRITTEN_OUT: Readonly<Record<string, string>> = {
  NDIS_OID_REQUEST: `NDIS_OBJECT_HEADER Header; NDIS_REQUEST_TYPE RequestType; NDIS_PORT_NUMBER PortNumber;
    UINT Timeout; PVOID RequestId; NDIS_HANDLE RequestHandle;
    union {
      NDIS_OID Oid;
      struct { NDIS_OID Oid; PVOID InformationBuffer; UINT InformationBufferLength; UINT BytesWritten; UINT BytesNeeded; } QUERY_INFORMATION;
      struct { NDIS_OID Oid; PVOID InformationBuffer; UINT InformationBufferLength; UINT BytesRead; UINT BytesNeeded; } SET_INFORMATION;
      struct { NDIS_OID Oid; PVOID InformationBuffer; ULONG InputBufferLength; ULONG OutputBufferLength; ULONG MethodId;
        UINT BytesWritten; UINT BytesRead; UINT BytesNeeded; } METHOD_INFORMATION;
    } DATA;
    UCHAR NdisReserved[16 * sizeof(PVOID)]; UCHAR MiniportReserved[2 * sizeof(PVOID)]; UCHAR SourceReserved[2 * sizeof(PVOID)];
    UCHAR SupportedRevision; UCHAR Reserved1; USHORT Reserved2;
#if NDIS >= 650
    NDIS_NIC_SWITCH_ID SwitchId; NDIS_NIC_SWITCH_VPORT_ID VPortId; ULONG Flags;
#endif
  `,
  NDIS_SWITCH_PORT_PROPERTY_VLAN: `NDIS_OBJECT_HEADER Header; ULONG Flags; NDIS_SWITCH_PORT_VLAN_MODE OperationMode;
    union {
      struct { UINT16 AccessVlanId; UINT16 NativeVlanId; UINT64 PruneVlanIdArray[64]; UINT64 TrunkVlanIdArray[64]; } VlanProperties;
      struct { NDIS_SWITCH_PORT_PVLAN_MODE PvlanMode; UINT16 PrimaryVlanId;
        union { UINT16 SecondaryVlanId; UINT64 SecondaryVlanIdArray[64]; }; } PvlanProperties;
    };`,
  NDIS_SWITCH_PORT_PROPERTY_PROFILE: `NDIS_OBJECT_HEADER Header; ULONG Flags;
    NDIS_SWITCH_PORT_PROPERTY_PROFILE_NAME ProfileName; GUID ProfileId; NDIS_VENDOR_NAME VendorName; GUID VendorId;
    UINT32 ProfileData; GUID NetCfgInstanceId;
    struct { UINT32 PciSegmentNumber : 16; UINT32 PciBusNumber : 8; UINT32 PciDeviceNumber : 5; UINT32 PciFunctionNumber : 3; } PciLocation;
    UINT32 CdnLabelId; NDIS_SWITCH_PORT_PROPERTY_PROFILE_CDN_LABEL CdnLabel;`,
  NDIS_ROUTING_DOMAIN_ISOLATION_ENTRY: `NDIS_OBJECT_HEADER Header; ULONG Flags; NDIS_ISOLATION_ID_NAME IsolationIdName;
    union { UINT32 VirtualSubnetId : 24; UINT32 VlanId : 12; UINT32 IsolationId; };`,
  NDIS_SWITCH_FORWARDING_DETAIL_NET_BUFFER_LIST_INFO: `union { UINT64 AsUINT64; struct {
      UINT32 NumAvailableDestinations : 16; UINT32 SourcePortId : 16; UINT32 SourceNicIndex : 8;
#if NDIS >= 640
      UINT32 NativeForwardingRequired : 1; UINT32 Reserved1 : 1;
#else
      UINT32 Reserved1 : 2;
#endif
      UINT32 IsPacketDataSafe : 1; UINT32 SafePacketDataSize : 12; UINT32 IsPacketDataUncached : 1;
      UINT32 IsSafePacketDataUncached : 1; UINT32 Reserved2 : 7; }; };`,
  NDIS_SWITCH_PORT_DESTINATION: `NDIS_SWITCH_PORT_ID PortId; NDIS_SWITCH_NIC_INDEX NicIndex;
    USHORT IsExcluded : 1; USHORT PreserveVLAN : 1; USHORT PreservePriority : 1; USHORT Reserved : 13;`,
  NDIS_NET_BUFFER_LIST_VIRTUAL_SUBNET_INFO: `union {
      struct { UINT32 VirtualSubnetId : 24; UINT32 ReservedVsidBits : 8; UINT32 Reserved; }; PVOID Value; };`,
};

/** The declarations' members in the table's order, without a number of the table. */
function declaration(name: StructureName): string {
  const written = WRITTEN_OUT[name];
  if (written !== undefined) return written;
  const fields: readonly FieldRow[] = STRUCTURES[name].fields;
  return fields
    .map((field) => {
      const type = field.ctype === 'function pointer' ? 'PVOID' : field.ctype;
      const count = field.count === undefined ? '' : `[${field.count}]`;
      const text = `  ${type} ${field.name}${count};`;
      if (field.since === undefined) return text;
      return `#if NDIS >= ${field.since.replace('.', '')}\n${text}\n#endif`;
    })
    .join('\n');
}

function present(field: FieldRow, ndis: NdisVersion): boolean {
  return field.since === undefined || ndisHas(ndis, field.since);
}

function program(): string {
  const lines = [
    '#include <stdint.h>',
    '#include <stddef.h>',
    '#include <stdio.h>',
    '#include <string.h>',
  ];
  const type = (name: string, base: string) => lines.push(`typedef ${base} ${name};`);
  for (const [name, base] of Object.entries(BASE_TYPES)) type(name, base);
  for (const name of Object.keys(ENUMS)) type(name, 'int32_t');
  const structures = NAMES.map((name) => `typedef struct {\n${declaration(name)}\n} ${name};`);
  const basic = 4; // GUID, header and the two strings come before the typedefs that name them.
  lines.push(...structures.slice(0, basic));
  for (const [name, base] of Object.entries(TYPEDEFS)) {
    if (!(name in BASE_TYPES)) type(name, base);
  }
  lines.push(...structures.slice(basic), 'int main(void) {');
  for (const name of NAMES) {
    lines.push(`  printf("${name} %zu %zu\\n", sizeof(${name}), _Alignof(${name}));`);
    const fields: readonly FieldRow[] = STRUCTURES[name].fields;
    for (const field of fields) {
      const guard =
        field.since === undefined ? [] : [`#if NDIS >= ${field.since.replace('.', '')}`];
      lines.push(...guard);
      if (field.bitWidth === undefined) {
        const member = `((${name} *)0)->${field.name}`;
        lines.push(
          `  printf("${name}.${field.name} %zu %zu\\n", offsetof(${name}, ${field.name}), sizeof(${member}));`,
        );
      } else {
        lines.push(
          `  { ${name} s; memset(&s, 0, sizeof s); s.${field.name} = -1; printf("${name}.${field.name} bits");`,
          '    for (size_t i = 0; i < sizeof s; i++) for (int b = 0; b < 8; b++)',
          '      if (((uint8_t *)&s)[i] >> b & 1) printf(" %zu", i * 8 + b); printf("\\n"); }',
        );
      }
      if (guard.length > 0) lines.push('#endif');
    }
  }
  lines.push('  return 0;', '}');
  return `${lines.join('\n')}\n`;
}

/** What the compiler must print for a version. */
function expectation(ndis: NdisVersion): string[] {
  return NAMES.flatMap((name) => {
    const row = structure(name).row;
    const declared = ndisHas(ndis, row.since);
    // A declaration is compiled in every version; those newer than it have the size of their first one.
    const size = declared ? structure(name).sizeof(ndis) : row.size;
    const lines = [`${name} ${size} ${structure(name).alignof(ndis)}`];
    for (const field of row.fields.filter((one) => present(one, ndis))) {
      if (field.bitWidth === undefined) {
        lines.push(`${name}.${field.name} ${field.offset} ${field.size}`);
        continue;
      }
      const first = field.offset * 8 + (field.bitOffset ?? 0);
      // Reserved1 of the forwarding detail takes bits 40-41 when built for 6.30 (note in the table).
      const wide = ndis === '6.30' && field.name === 'Reserved1';
      const from = wide ? first - 1 : first;
      const width = wide ? 2 : field.bitWidth;
      lines.push(
        `${name}.${field.name} bits ${Array.from({ length: width }, (_, i) => from + i).join(' ')}`,
      );
    }
    return lines;
  });
}

const REASON =
  COMPILER === undefined
    ? 'none of gcc, cc, clang is installed'
    : process.arch === 'x64' || process.arch === 'arm64'
      ? undefined
      : `${process.arch} has no 8-byte pointers`;

if (COMPILER === undefined || REASON !== undefined) {
  t.test(
    'offsetof and sizeof of a C compiler equal the table',
    { skip: REASON ?? true },
    async () => {},
  );
} else {
  const folder = mkdtempSync(join(tmpdir(), 'extswitch-abi-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const source = join(folder, 'layout.c');
  writeFileSync(source, program());
  for (const ndis of VERSIONS) {
    t.test(`offsetof and sizeof of a C compiler equal the table for NDIS ${ndis}`, async (t) => {
      const binary = join(folder, `layout-${ndis}`);
      const define = `-DNDIS=${ndis.replace('.', '')}`;
      const built = spawnSync(COMPILER, ['-std=c11', '-w', '-O0', define, '-o', binary, source], {
        encoding: 'utf8',
      });
      t.equal(built.status, 0, built.stderr);
      const printed = spawnSync(binary, { encoding: 'utf8' }).stdout.trimEnd().split('\n');
      t.same(printed, expectation(ndis));
      t.equal(printed.filter((line) => !line.includes('.')).length, 42, 'all structures compared');
    });
  }
}
