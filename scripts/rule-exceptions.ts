/** Why no test proves a rule. `waits`: it binds packets, so it is listed with the data path and not counted here. */
export interface RuleException {
  readonly waits?: true;
  readonly reason: string;
}

const PACKETS = 'binds packets: waits for the data path';

/** Rules of chapters A-H and J that no test proves, each with its reason. A reason goes when a test comes. */
export const RULE_EXCEPTIONS: Readonly<Record<string, RuleException>> = {
  A3: { waits: true, reason: `the order of ingress and egress ${PACKETS}` },
  A10: { waits: true, reason: `the switch's own destinations and enforcement: ${PACKETS}` },
  A11: { waits: true, reason: `enforcement of built-in policies ${PACKETS}` },
  A12: { waits: true, reason: `the NDIS port number of a packet: ${PACKETS}` },
  A33: {
    reason:
      'packaging by MSI: an extension is a module here, installed by `extensions.install`; there is no installer',
  },
  A34: {
    reason:
      'properties of an MSI: an extension says id, name, vendor and version in `defineExtension`; there is no installer',
  },
  A35: { reason: 'DriverID of an MSI: there is no installer' },
  A38: {
    reason:
      'the in-box WFP extension comes with chapter K; a new switch has the extensions it is given',
  },
  B10: { waits: true, reason: `port 0 as the source of a packet: ${PACKETS}` },
  C27: { waits: true, reason: `a permission for packets between CREATE and CONNECT: ${PACKETS}` },
  C53: { waits: true, reason: `when the external path carries traffic: ${PACKETS}` },
  C62: { waits: true, reason: `destinations of packets under way: ${PACKETS}` },
  D22: { reason: 'a permission that is not used: the miniport edge fails no vetoable OID' },
  E4: { waits: true, reason: `who enforces standard policies: ${PACKETS}` },
  E5: { waits: true, reason: `who enforces custom policies: ${PACKETS}` },
  E55: {
    reason: 'not kept on purpose: classes take effect at once, without a restart (decision 0003)',
  },
  H16: { waits: true, reason: `traffic of a virtual function: ${PACKETS}` },
};
