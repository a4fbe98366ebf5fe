/** Bounds of a structured body, whatever its format: what a policy never needs and an attacker would. */
export const BODY_LIMITS = {
  /** Bytes of a body unless the route says otherwise. */
  bytes: 1024 * 1024,
  /** Bytes where MOF text or a batch is taken: 5 MB of MOF must reach the compiler and its own error. */
  largeBytes: 8 * 1024 * 1024,
  /** Bytes where a portable document is taken: a host with thousands of VMs and their run-time data. */
  documentBytes: 64 * 1024 * 1024,
  /** Objects and arrays inside each other. */
  depth: 32,
  /** Members of one object. */
  members: 4_096,
  /** Elements of one array. */
  elements: 65_536,
} as const;
