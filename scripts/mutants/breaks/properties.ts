import type { Area } from '../mutant.ts';

export const PROPERTIES: Area = {
  name: 'Property store and feature status',
  isSimulated: true,
  mutants: [
    {
      id: 'retry-once-too-often',
      title: 'a property refused with RESOURCES is sent once more than the option says (OP-29)',
      file: 'switch/property-operations.ts',
      from: 'retries >= this.#retries) return outcome;',
      to: 'retries > this.#retries) return outcome;',
      suites: [
        'test/switch/slips.test.ts',
        'test/switch/properties.test.ts',
        'test/policy/rules-policies.test.ts',
        'test/policy/properties.test.ts',
      ],
    },
    {
      id: 'unknown-property-deleted',
      title: 'a delete goes to extensions that refused the property at the restart',
      file: 'switch/property-operations.ts',
      from: 'if (property.codec.propertyType === 0 || property.refused !== undefined) {',
      to: 'if (property.codec.propertyType === 0) {',
      suites: [
        'test/policy/restart.test.ts',
        'test/switch/properties.test.ts',
        'test/policy/properties.test.ts',
      ],
    },
    {
      id: 'repair-forgotten',
      title: 'a property stays refused after an update that every extension took (rule E27)',
      file: 'switch/property-operations.ts',
      from: '    property.revision += 1;\n    property.refused = undefined;',
      to: '    property.revision += 1;',
      suites: [
        'test/policy/restart.test.ts',
        'test/policy/properties.test.ts',
        'test/switch/properties.test.ts',
      ],
    },
    {
      id: 'revision-checked-too-early',
      title: 'an update asks for its revision only before it has its turn, not then',
      file: 'src/policy/property-set.ts',
      from: '    if (this.#owner.properties.get(property.id) !== property) this.#find(property.id);\n    checkRevision(property, options);',
      to: '    if (this.#owner.properties.get(property.id) !== property) this.#find(property.id);',
      suites: ['test/policy/properties.test.ts', 'test/policy/races.test.ts'],
    },
    {
      id: 'status-written-short',
      title: 'BytesWritten of a feature status leaves out the structures before the data (rule F9)',
      file: 'switch/status-query.ts',
      from: 'this.#request.bytesWritten = this.#dataOffset + lengthBytes;',
      to: 'this.#request.bytesWritten = lengthBytes;',
      suites: [
        'test/switch/queries.test.ts',
        'test/policy/status.test.ts',
        'test/switch/status.test.ts',
      ],
    },
    {
      id: 'mtu-raised',
      title: 'a module may raise the MTU in NIC_CREATE again that one above has lowered (rule C20)',
      file: 'switch/allowed-changes.ts',
      from: '  pristine.set(request.buffer.subarray(MTU_OFFSET, MTU_OFFSET + 4), MTU_OFFSET);\n',
      to: '',
      suites: [
        'test/switch/bytes.test.ts',
        'test/switch/containment.test.ts',
        'test/switch/rules-nics.test.ts',
        'test/switch/connections.test.ts',
      ],
    },
    {
      id: 'padding-of-the-version',
      title:
        'who answers for a feature status may write SerializationVersion behind FeatureStatusVersion (rule F10)',
      file: 'switch/allowed-changes.ts',
      from: '[44, 46],',
      to: '[44, 48],',
      suites: ['test/switch/status.test.ts', 'test/switch/containment.test.ts'],
    },
    {
      id: 'too-long-by-four',
      title:
        'a raw answer to a feature status question is too long only from five bytes on (rule F11)',
      file: 'switch/status-query.ts',
      from: 'if (bytes.length > this.capacityBytes) return',
      to: 'if (bytes.length > this.capacityBytes + 4) return',
      suites: ['test/switch/status.test.ts', 'test/policy/status.test.ts'],
    },
    {
      id: 'values-too-long-by-four',
      title: 'values for a feature status question are too long only from five bytes on (rule F11)',
      file: 'switch/status-query.ts',
      from: 'if (lengthBytes > this.capacityBytes) return',
      to: 'if (lengthBytes > this.capacityBytes + 4) return',
      suites: ['test/switch/status.test.ts', 'test/policy/status.test.ts'],
    },
    {
      id: 'undone-to-the-wrong-moment',
      title:
        'an update that is not stored goes back to what was there when it was asked for, not when its turn came',
      file: 'src/policy/property-set.ts',
      from: '        before = { settings: property.settings, refused: property.refused };\n',
      to: '',
      suites: ['test/policy/durability.test.ts', 'test/policy/races.test.ts'],
    },
  ],
};
