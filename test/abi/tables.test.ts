import t from 'tap';
import { enumeratorName } from '../../src/abi/annotate.ts';
import {
  CONSTANTS,
  ENUMS,
  FLAGS,
  GUIDS,
  NDIS_VERSIONS,
  NdisStatus,
  OID_COUNT,
  OID_LIST,
  OIDS,
  oidByCode,
  oidByName,
  oidIndex,
  oidIndexOf,
  oidName,
  parseNdisVersion,
  STRUCTURE_FLAGS,
  STRUCTURES,
  type StructureName,
  structure,
} from '../../src/abi/index.ts';

t.test('the tables have the counts of ndis-switch-abi.json', async (t) => {
  t.equal(Object.keys(STRUCTURES).length, 42, 'structures');
  t.equal(Object.keys(ENUMS).length, 14, 'enumerations');
  t.equal(Object.keys(OIDS).length, 33, 'OIDs');
  t.equal(Object.keys(NdisStatus).length, 44, 'statuses');
  t.equal(Object.keys(FLAGS).length, 31, 'flags');
  t.equal(Object.keys(CONSTANTS).length, 98, 'constants');
  t.equal(NDIS_VERSIONS.length, 10, '6.30 to 6.85');
});

t.test('OIDs have the codes, kinds and vetoes of the specification', async (t) => {
  const rows: readonly (readonly [string, number, string, boolean])[] = [
    ['OID_SWITCH_PROPERTY_ADD', 0x10263, 'set', true],
    ['OID_SWITCH_PROPERTY_UPDATE', 0x10264, 'set', true],
    // Quirk 35: no veto.
    ['OID_SWITCH_PROPERTY_DELETE', 0x10265, 'set', false],
    ['OID_SWITCH_PROPERTY_ENUM', 0x10266, 'method', false],
    ['OID_SWITCH_FEATURE_STATUS_QUERY', 0x10267, 'method', false],
    ['OID_SWITCH_NIC_REQUEST', 0x10270, 'method', false],
    ['OID_SWITCH_PORT_PROPERTY_ADD', 0x10271, 'set', true],
    ['OID_SWITCH_PORT_PROPERTY_UPDATE', 0x10272, 'set', true],
    ['OID_SWITCH_PORT_PROPERTY_DELETE', 0x10273, 'set', false],
    ['OID_SWITCH_PORT_PROPERTY_ENUM', 0x10274, 'method', false],
    ['OID_SWITCH_PARAMETERS', 0x10275, 'query', false],
    ['OID_SWITCH_PORT_ARRAY', 0x10276, 'query', false],
    ['OID_SWITCH_NIC_ARRAY', 0x10277, 'query', false],
    ['OID_SWITCH_PORT_CREATE', 0x10278, 'set', true],
    ['OID_SWITCH_PORT_DELETE', 0x10279, 'set', false],
    ['OID_SWITCH_NIC_CREATE', 0x1027a, 'set', true],
    ['OID_SWITCH_NIC_CONNECT', 0x1027b, 'set', false],
    ['OID_SWITCH_NIC_DISCONNECT', 0x1027c, 'set', false],
    ['OID_SWITCH_NIC_DELETE', 0x1027d, 'set', false],
    ['OID_SWITCH_PORT_FEATURE_STATUS_QUERY', 0x1027e, 'method', false],
    ['OID_SWITCH_PORT_TEARDOWN', 0x1027f, 'set', false],
    ['OID_SWITCH_NIC_SAVE', 0x10290, 'method', false],
    ['OID_SWITCH_NIC_SAVE_COMPLETE', 0x10291, 'set', false],
    ['OID_SWITCH_NIC_RESTORE', 0x10292, 'set', false],
    ['OID_SWITCH_NIC_RESTORE_COMPLETE', 0x10293, 'set', false],
    ['OID_SWITCH_NIC_UPDATED', 0x10294, 'set', false],
    ['OID_SWITCH_PORT_UPDATED', 0x10295, 'set', false],
    ['OID_SWITCH_NIC_DIRECT_REQUEST', 0x10296, 'method', false],
    ['OID_SWITCH_NIC_SUSPEND', 0x10297, 'set', false],
    ['OID_SWITCH_NIC_RESUME', 0x10298, 'set', false],
    ['OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_STARTED', 0x10299, 'set', false],
    ['OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_FINISHED', 0x1029a, 'set', false],
    ['OID_GEN_ISOLATION_PARAMETERS', 0x10300, 'query', false],
  ];
  t.equal(rows.length, 33);
  t.same(
    OID_LIST.map((oid) => [oid.name, oid.code, oid.kind, oid.vetoable]),
    rows,
  );
  rows.forEach(([name, code], index) => {
    t.equal(oidIndex(code), index, name);
    t.equal(oidName(code), name);
    t.equal(oidByName(name)?.index, index);
    t.equal(oidByCode(code)?.name, name);
  });
  t.equal(oidIndexOf('OID_GEN_ISOLATION_PARAMETERS'), 32);
  t.equal(OID_COUNT, 33);
  // Quirk 24: port parameters, not the save state the page names.
  t.equal(OIDS.OID_SWITCH_PORT_UPDATED.structure, 'NDIS_SWITCH_PORT_PARAMETERS');
});

t.test('a code that is no OID of the switch has index -1 and its hex form as name', async (t) => {
  // Quirk 36: 0x10268 and 0x10269 are SR-IOV OIDs, 0x10280-8F are unused.
  for (const code of [
    0, 0x10262, 0x10268, 0x10269, 0x10280, 0x1029b, 0x10301, 0x1_0001_0271, -1, 1.5,
  ]) {
    t.equal(oidIndex(code), -1, String(code));
    t.equal(oidByCode(code), undefined);
  }
  t.equal(oidName(0x10268), '0x00010268');
  t.equal(oidByName('OID_NOTHING'), undefined);
});

t.test('enumerators, flags and GUIDs have the numbers of the headers', async (t) => {
  t.equal(ENUMS.NDIS_REQUEST_TYPE.NdisRequestMethod, 12);
  t.equal(ENUMS.NDIS_SWITCH_PORT_PROPERTY_TYPE.NdisSwitchPortPropertyTypeRoutingDomain, 6);
  // Quirk 36: External is 0 for a NIC, 1 for a port.
  t.equal(ENUMS.NDIS_SWITCH_NIC_TYPE.NdisSwitchNicTypeExternal, 0);
  t.equal(ENUMS.NDIS_SWITCH_PORT_TYPE.NdisSwitchPortTypeExternal, 1);
  t.equal(ENUMS.NET_PNP_EVENT_CODE.NetEventSwitchActivate, 17);
  t.equal(FLAGS.NDIS_SWITCH_NIC_FLAGS_NIC_SUSPENDED_LM, 0x10);
  t.equal(FLAGS.NDIS_RECEIVE_FLAGS_SWITCH_SINGLE_SOURCE, 0x8000);
  t.equal(GUIDS.GUID_NDIS_SWITCH_MICROSOFT_VENDOR_ID, '202547fe-1c9c-40b9-bba1-08ada1f98b3c');
  t.equal(NdisStatus.DATA_NOT_ACCEPTED, 0xc000021b, 'quirk 32');
  t.equal(enumeratorName('NDIS_SWITCH_PORT_STATE', 2), 'NdisSwitchPortStateTeardown');
  t.equal(enumeratorName('NDIS_SWITCH_PORT_STATE', 9), undefined);
  t.equal(enumeratorName('ULONG', 1), undefined);
  t.equal(STRUCTURE_FLAGS.NDIS_SWITCH_NIC_PARAMETERS.length, 4);
});

t.test(
  'every size constant is the Size of that revision, every revision constant its number',
  async (t) => {
    const constants: Readonly<Record<string, number>> = CONSTANTS;
    let compared = 0;
    for (const name of Object.keys(STRUCTURES) as StructureName[]) {
      for (const { revision, size } of structure(name).revisions) {
        const bare = name.replace(/^NDIS_/, '');
        // Names the headers shorten: no NDIS_ after SIZEOF_ for some, no INDICATION for one.
        const found = [name, bare, 'SWITCH_NIC_STATUS']
          .map((part) => constants[`NDIS_SIZEOF_${part}_REVISION_${revision}`])
          .find((value) => value !== undefined);
        t.equal(found, size, `${name} revision ${revision}`);
        t.equal(constants[`${name}_REVISION_${revision}`], revision);
        compared += 1;
      }
    }
    t.equal(compared, 40);
  },
);

t.test(
  'every member lies inside its structure, members overlap only in unions and bit-fields',
  async (t) => {
    const unions = [
      'NDIS_OID_REQUEST',
      'NDIS_SWITCH_PORT_PROPERTY_VLAN',
      'NDIS_ROUTING_DOMAIN_ISOLATION_ENTRY',
    ];
    for (const name of Object.keys(STRUCTURES) as StructureName[]) {
      const { row } = structure(name);
      let end = 0;
      for (const field of row.fields) {
        t.ok(field.offset + field.size <= row.size, `${name}.${field.name} inside`);
        const free = row.kind === 'union' || field.bitWidth !== undefined || unions.includes(name);
        t.ok(free || field.offset >= end, `${name}.${field.name} behind the member before`);
        end = field.offset + field.size;
      }
    }
  },
);

t.test('a version text is one of the ten', async (t) => {
  t.equal(parseNdisVersion('6.85'), '6.85');
  t.throws(() => parseNdisVersion('6.70'), { code: 'INVALID_ARGUMENT', place: { found: '6.70' } });
});
