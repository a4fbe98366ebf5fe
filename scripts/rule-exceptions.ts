/** Why no test proves a rule. `waits`: it binds what comes later as a whole, so it is listed and not counted. */
export interface RuleException {
  readonly waits?: 'packets';
  readonly reason: string;
}

const PACKETS = 'binds packets: waits for the data path';

/** Rules of chapters A-H and J that no test proves, each with its reason. A reason goes when a test comes. */
export const RULE_EXCEPTIONS: Readonly<Record<string, RuleException>> = {
  A3: { waits: 'packets', reason: `the order of ingress and egress ${PACKETS}` },
  A10: { waits: 'packets', reason: `the switch's own destinations and enforcement: ${PACKETS}` },
  A11: { waits: 'packets', reason: `enforcement of built-in policies ${PACKETS}` },
  A12: { waits: 'packets', reason: `the NDIS port number of a packet: ${PACKETS}` },
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
  B10: { waits: 'packets', reason: `port 0 as the source of a packet: ${PACKETS}` },
  C27: {
    waits: 'packets',
    reason: `a permission for packets between CREATE and CONNECT: ${PACKETS}`,
  },
  C53: { waits: 'packets', reason: `when the external path carries traffic: ${PACKETS}` },
  C62: { waits: 'packets', reason: `destinations of packets under way: ${PACKETS}` },
  E4: { waits: 'packets', reason: `who enforces standard policies: ${PACKETS}` },
  E5: { waits: 'packets', reason: `who enforces custom policies: ${PACKETS}` },
  E55: {
    reason: 'not kept on purpose: classes take effect at once, without a restart (decision 0003)',
  },
  H16: { waits: 'packets', reason: `traffic of a virtual function: ${PACKETS}` },
};
