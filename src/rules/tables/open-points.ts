import type { OpenPointRow } from './row.ts';

/** What the sources leave unclear, and how the simulator reads it. Index + 1 is the number. */
export const OPEN_POINTS: readonly OpenPointRow[] = [
  {
    number: 1,
    topic: 'custom-complete',
    unclear:
      'Who completes an accepted custom property OID. managing-port-policies.md and managing-switch-policies.md: capturing/filtering extensions forward, the forwarding extension completes with success. The OID pages say only a forwarding extension may handle the OID and, for ADD and UPDATE, list no success code for it. The sample base (SxBase.c) completes for every extension class that consumes the property.',
    reading:
      'Follow the two managing pages. The switch accepts both (success from any owner = applied). Verifier: filtering owner that completes with success = warning; forwarding owner that forwards after accepting = warning; capturing extension that completes = error.',
  },
  {
    number: 2,
    topic: 'capture-owner',
    unclear:
      'capturing-extensions.md lets a capturing extension only watch and forward OIDs; the save, restore and feature-status pages speak of any extension that owns data, which must complete the OID.',
    reading:
      'A capturing extension may end NIC_SAVE (with data), NIC_RESTORE (own record) and feature-status queries (own id); it may never veto or fail anything else. Verifier: information only.',
  },
  {
    number: 3,
    topic: 'std-delete',
    unclear:
      'Standard port properties: managing-port-policies.md says an accepted standard property is always forwarded; oid-switch-port-property-delete.md lists success as a completion by the forwarding extension; the sample completes VLAN delete itself.',
    reading:
      'ADD/UPDATE must be forwarded; DELETE may be completed with success by the forwarding extension that vetoed or owns the policy. Miniport edge must still drop the value: the switch clears its store on success whoever completed.',
  },
  {
    number: 4,
    topic: 'delete-veto',
    unclear:
      'Is a property DELETE vetoable? receiving-oid-requests-….md lists both deletes as vetoable; managing-switch-policies.md allows a delete veto for switch policies; managing-port-policies.md names add and update only; oid-switch-port-property-delete.md lists NOT_SUPPORTED and other errors.',
    reading:
      'Accept a failing delete for both kinds, keep the property in the store and report it. Verifier: warning for DATA_NOT_ACCEPTED on a port-property delete, error from a capturing extension.',
  },
  {
    number: 5,
    topic: 'mismatch',
    unclear:
      'Own PropertyId but unknown version or instance: switch pages demand INVALID_PARAMETER; port pages are silent; the sample forwards on version mismatch and silently accepts deletes of unknown instances. Delete structures carry no version at all.',
    reading:
      'Switch UPDATE: id matches but (version, instance) unknown → INVALID_PARAMETER. Switch DELETE: compare instance only. Port UPDATE/DELETE: same recommendation, but forwarding is only a warning. A higher minor version of an own class counts as known if the extension accepts it.',
  },
  {
    number: 6,
    topic: 'unowned',
    unclear:
      'A custom property nobody owns is completed with success by the miniport edge. Silent on whether management then reports it as applied.',
    reading: 'Store it, mark "no owner", succeed. Verifier logs an informational event.',
  },
  {
    number: 7,
    topic: 'implicit-delete',
    unclear: 'No page says that PROPERTY_DELETE OIDs precede PORT_TEARDOWN.',
    reading:
      "None are sent; the port's properties end with PORT_DELETE. An extension that keeps them after PORT_DELETE leaks.",
  },
  {
    number: 8,
    topic: 'std-default',
    unclear:
      'What a VLAN/security enumeration returns when nothing was configured. The sample reads the first entry without checking NumProperties.',
    reading:
      'Always return exactly one entry with defaults (VLAN access mode, id 0; security all off). Custom: zero entries.',
  },
  {
    number: 9,
    topic: 'enum-status',
    unclear:
      'oid-switch-port-property-enum.md lists success only; oid-switch-property-enum.md adds INVALID_LENGTH and FAILURE; the macro page says GET_NEXT returns NULL at the end, but the macro is plain pointer arithmetic.',
    reading:
      'Both enums may return INVALID_LENGTH and FAILURE. Callers must count entries by NumProperties, never by a NULL end.',
  },
  {
    number: 10,
    topic: 'save-end',
    unclear:
      'How the protocol edge tells "extension saved data" from "reached the miniport edge": both are success.',
    reading:
      'The simulator knows who completed. Contract for extensions: success with data means ExtensionId non-zero and data bytes > 0; the miniport edge leaves ExtensionId zero. Success by an extension with ExtensionId zero = violation.',
  },
  {
    number: 11,
    topic: 'save-size',
    unclear:
      'oid-switch-nic-save.md: the switch presets SaveDataSize and the extension may not change it. managing-hyper-v-extensible-switch-run-time-data.md, the structure page and SxApi.h: the extension sets SaveDataSize to the data size. NDIS_SWITCH_NIC_SAVE_STATE_MAX_DATA_SIZE is named but not defined in the header.',
    reading:
      'In: SaveDataSize = room. Out: the extension writes the bytes used. Max = 65535 (USHORT); revision 2 allows more by SaveDataSizeOverflow. Zero bytes with success = violation.',
  },
  {
    number: 12,
    topic: 'save-needed',
    unclear:
      'BytesNeeded on a short buffer: docs say revision-1 structure size plus data; the sample base says SaveDataOffset plus data.',
    reading:
      'Switch sets SaveDataOffset = size of the structure it uses (8-aligned); accept either formula and allocate max(BytesNeeded, SaveDataOffset + (BytesNeeded − structure size)).',
  },
  {
    number: 13,
    topic: 'save-method',
    unclear:
      'hyper-v-extensible-switch-oids.md lists NIC_SAVE as query; all other pages and the header: method. The same table marks NIC_REQUEST with P only and omits NIC_UPDATED, PORT_UPDATED and NIC_RESTORE_COMPLETE; several pages call NIC_REQUEST a "set".',
    reading:
      'Method for NIC_SAVE and NIC_REQUEST; NIC_REQUEST may be issued by extensions too. The header comments are decisive.',
  },
  {
    number: 14,
    topic: 'save-fail',
    unclear:
      'What follows a failed SAVE (error other than BUFFER_TOO_SHORT): is SAVE_COMPLETE sent, is the VM save aborted?',
    reading:
      'Abort collecting for that NIC, discard its records, issue SAVE_COMPLETE once so extensions can clean up, fail the save; the NIC stays connected.',
  },
  {
    number: 15,
    topic: 'save-on-stop',
    unclear:
      'save-operations and run-time-data pages mention a stopped VM as a reason to save; nothing is restored after a cold start.',
    reading:
      'Save on save, pause-for-save, checkpoint and migration. Plain power-off: no save (make it a switch option, default off).',
  },
  {
    number: 16,
    topic: 'save-teardown',
    unclear:
      'save-and-restore-operations: connections are not torn down between save and restore. live-migration page: NIC and port are deleted after the save. validation-ports: a saved VM has a validation port and gets a new operational port.',
    reading:
      'Treat "not torn down" as "configuration is kept". After SAVE_COMPLETE of a VM that leaves memory, run DISCONNECT…DELETE. A pause that stays in memory keeps the NIC connected.',
  },
  {
    number: 17,
    topic: 'restore-fail',
    unclear:
      'After a failed RESTORE: state of the NIC and whether RESTORE_COMPLETE is sent are not stated.',
    reading:
      'Stop sending records, send RESTORE_COMPLETE once, report failure; management then tears the NIC down (S3). Keep the choice configurable.',
  },
  {
    number: 18,
    topic: 'restore-order',
    unclear: 'Order of RESTORE records is not stated.',
    reading: 'Same order as they were saved; several records of one extension keep their order.',
  },
  {
    number: 19,
    topic: 'validation-lifetime',
    unclear:
      'validation-ports.md says both "temporary, deleted after the check" and "stays until the VM is powered on". live-migration page deletes it right after the check and mentions only PORT_DELETE, not TEARDOWN.',
    reading:
      'Support both: default = short-lived (create, add properties, tear down, delete) at VM create/reconfigure/stop/save; migration = as in S12. TEARDOWN always precedes DELETE. A strict mode keeps it until power-on.',
  },
  {
    number: 20,
    topic: 'pre-activation',
    unclear:
      'Order of activation and first port/NIC OIDs is not stated; docs only warn of an incomplete view before activation. Samples block configuration OIDs until their first restart finished, and one vetoes NIC_CREATE while inactive.',
    reading:
      'Default: activate with no ports, then create host ports. Stress mode: create ports and NICs before activation, so that OIDs come first and the arrays later repeat them; the verifier requires that duplicates are merged. An extension that blocks inside FilterOidRequest waiting for activation must not deadlock: the switch delivers the event on another thread of control.',
  },
  {
    number: 21,
    topic: 'attach-query',
    unclear:
      'OID pages speak of issuing PORT_ARRAY "on FilterAttach" if IsActive; the filter pages forbid OIDs while Attaching.',
    reading:
      'Forbid OIDs in FilterAttach (verifier error). First legal place: FilterRestart, or Paused after attach returned.',
  },
  {
    number: 22,
    topic: 'deref-state',
    unclear:
      'The state table says dereference is not allowed in "disconnected", "NIC deleted", "tearing down"; yet deletion waits until the count is zero, and the disconnect page allows use under a held reference.',
    reading:
      'Only new references are forbidden there. Dereference is allowed, and required, in every state until DELETE. Reference by an extension after it received DISCONNECT/TEARDOWN = error, even if it would succeed.',
  },
  {
    number: 23,
    topic: 'ref-after',
    unclear:
      'State page: no extension OIDs to a NIC after DISCONNECT, none to a port after TEARDOWN. Handler pages: allowed if the reference was taken before. oid-switch-port-property-enum.md: only between CREATE and TEARDOWN.',
    reading:
      'Allowed while a reference taken earlier is held. Verifier checks "reference held at issue time and acquired before the OID arrived".',
  },
  {
    number: 24,
    topic: 'ref-created',
    unclear:
      'reference_switch_nic page: parameter text demands Connected, remarks say from "created" on; state table says Connected.',
    reading:
      'Connected only; return NDIS_STATUS_INVALID_PARAMETER otherwise (exact error undocumented).',
  },
  {
    number: 25,
    topic: 'port-ref-note',
    unclear:
      'oid-switch-port-delete.md says port references must be released before NIC_DELETE is issued. All other pages tie port references to PORT_DELETE.',
    reading: 'Port references delay PORT_DELETE only.',
  },
  {
    number: 26,
    topic: 'delete-unconnected',
    unclear:
      'State diagram: created → NIC_DELETE → deleted without connect. overview page: DELETE only follows DISCONNECT.',
    reading:
      'Allow both. Default path for a created, never connected NIC: DELETE without DISCONNECT; extensions must cope with either.',
  },
  {
    number: 27,
    topic: 'reuse',
    unclear:
      'overview page: PORT_TEARDOWN follows NIC_DELETE. Diagram and ports page: port may be reused.',
    reading:
      'Reuse is legal only for the same port type and the same policy set; default is teardown.',
  },
  {
    number: 28,
    topic: 'fail-nonveto',
    unclear:
      'An extension that fails or completes an OID it must forward (CONNECT, DISCONNECT, DELETE, TEARDOWN, …COMPLETE): switch reaction is not stated.',
    reading:
      'Record a violation naming the extension, ignore the status, and continue the sequence as if it had succeeded. Modules below the offender never saw the OID; mark them "desynchronised" for later checks.',
  },
  {
    number: 29,
    topic: 'retry',
    unclear: 'Number and timing of retries after transient failures are not stated.',
    reading:
      'Configurable, default 0 automatic retries; management may retry. Each retry is a fresh OID.',
  },
  {
    number: 30,
    topic: 'second-forward',
    unclear:
      'Pages vary: only one forwarding extension may be "bound and enabled", "enabled", or "allowed in the stack"; the error is not given.',
    reading:
      'Several may be bound; enabling a second one is refused with a management error, nothing changes.',
  },
  {
    number: 31,
    topic: 'restart-refuse',
    unclear:
      'Enabling an extension that cannot live with the present configuration: only general filter rules apply.',
    reading:
      'Restart failure detaches it (optional) and management reports failure. A mandatory extension (FilterRunType 1) would take the stack down; the simulator warns about such an INF.',
  },
  {
    number: 32,
    topic: 'fs-short',
    unclear:
      'Feature status, short buffer: docs INVALID_LENGTH; sample base BUFFER_TOO_SHORT. BytesNeeded in SET_INFORMATION (guides) or METHOD_INFORMATION (OID pages). One page says the miniport edge sets it.',
    reading:
      'Accept both codes (warning for BUFFER_TOO_SHORT); BytesNeeded is read from METHOD_INFORMATION and set by whoever completes.',
  },
  {
    number: 33,
    topic: 'fs-type',
    unclear:
      'Port page names the property-type constant, the enum page the status-type constant; the CUSTOM length members are called by different names.',
    reading: 'Value 1 either way. Member names as in the header.',
  },
  {
    number: 34,
    topic: 'fs-unowned',
    unclear: 'Status of a feature query that reaches the miniport edge is not given.',
    reading:
      'Complete with NDIS_STATUS_NOT_SUPPORTED; management returns an empty result, not an error.',
  },
  {
    number: 35,
    topic: 'mtu',
    unclear:
      '"Must not modify NIC parameters" versus "may lower MTU when NIC_INITIALIZING". Where the change is made (original or clone share the buffer) is not said.',
    reading:
      'Only the MTU member, only lower, only then. Verifier compares the structure before and after and ignores a lowered MTU in that case. The lowest value on the way is used and shown at CONNECT.',
  },
  {
    number: 36,
    topic: 'internal-count',
    unclear: 'overview: internal switch serves "one or more" internal NICs; other pages: only one.',
    reading:
      'Default limit one; configurable higher. Extensions must key by (PortId, NicIndex), not by type.',
  },
  {
    number: 37,
    topic: 'nicname',
    unclear: 'Internal NicName: docs say device display name; header says generated GUID.',
    reading: 'Generated GUID text; display name goes to NicFriendlyName.',
  },
  {
    number: 38,
    topic: 'lm-portid',
    unclear:
      'Live migration: the operational port is created with "the same data" as on the source; restore pages say PortId may differ.',
    reading: 'Same name, friendly name, type, policies; PortId is local to the switch.',
  },
  {
    number: 39,
    topic: 'suspend-oids',
    unclear:
      "SUSPEND, RESUME and SUSPENDED_LM_SOURCE_STARTED/FINISHED exist only in the header (set, source node, start and end of a suspended migration). Structure, order and veto are undocumented; the header comment of flag SUSPENDED_LM repeats another flag's text.",
    reading:
      'Optional feature, default off. Buffer NDIS_SWITCH_NIC_PARAMETERS with flag SUSPENDED or SUSPENDED_LM. STARTED before NIC_SAVE, FINISHED after SAVE_COMPLETE (or on abort). Never vetoable; extensions forward.',
  },
  {
    number: 40,
    topic: 'bad-header',
    unclear:
      'Reaction to a malformed structure: samples use NOT_SUPPORTED, INVALID_PARAMETER or INVALID_OID.',
    reading:
      'Any error is fine from an extension; the switch never sends malformed buffers except in verifier fault-injection mode.',
  },
  {
    number: 41,
    topic: 'ipsec',
    unclear:
      'One paragraph: IPsec OIDs must not be failed; another: ADD_SA may be failed or modified. Same for MOVE_FILTER (listed as not vetoable, yet "move" OIDs may be failed).',
    reading:
      'Free/clear/complete class: never. ADD_SA, ADD_SA_EX, MOVE_FILTER: failing = warning, not error.',
  },
  {
    number: 42,
    topic: 'policy-place',
    unclear:
      'Packet-flow page puts built-in policies both between filter and forward (6.40) and at the miniport edge (6.30 text kept).',
    reading:
      'One option per switch: "6.40" (ingress before forward, egress after forward) or "6.30" (miniport edge). Default 6.40. Never apply twice.',
  },
  {
    number: 43,
    topic: 'native-where',
    unclear:
      'NativeForwardingRequired is set at the protocol edge, or only before the forwarding extension, depending on the paragraph.',
    reading:
      'Set at the protocol edge for packets from the external NIC; capture and filter see it.',
  },
  {
    number: 44,
    topic: 'nvgre-dest',
    unclear:
      'May a forwarding extension touch destinations of NVGRE packets? packet-flow: no on ingress; hybrid-forwarding and others: may add or exclude.',
    reading:
      'Ingress: no adding, may drop. Egress: may exclude like a filter. Adding on ingress = warning; HNV replaces the array.',
  },
  {
    number: 45,
    topic: 'egress-inject',
    unclear:
      'forwarding-extensions.md tells to inject modified clones on egress; guidelines and cloning pages say ingress; guidelines forbid any egress injection, with an exception for unmodified clones.',
    reading:
      'Modified or re-sourced clones: ingress only. Egress: only unmodified clones with preserved destinations.',
  },
  {
    number: 46,
    topic: 'clone-original',
    unclear:
      'Cloning page says both "keep the original until the clone completes" and "may complete the original right after cloning".',
    reading:
      'Clone that shares data with the original: keep. Full copy: may complete at once (then no parent link is needed for lifetime, but 6.40 still wants it while both live).',
  },
  {
    number: 47,
    topic: 'clone-copy-note',
    unclear:
      'A sentence says clones for ingress must copy destinations; the detailed rules say the opposite for filters.',
    reading:
      'Follow the detailed rules: filters never preserve for ingress; forwarders set fresh ones.',
  },
  {
    number: 48,
    topic: 'update-filter',
    unclear:
      'DDI page: only forwarding extensions may call UpdateNetBufferListDestinations; exclude page: filters must call it after excluding.',
    reading: 'Filters may call it with 0 new destinations.',
  },
  {
    number: 49,
    topic: 'drop-api',
    unclear:
      'Destination page names miniport functions (NdisMSend…Complete, NdisMIndicate…) for filters.',
    reading: 'Read as the NdisF variants.',
  },
  {
    number: 50,
    topic: 'destgroup-multi',
    unclear:
      'DESTINATION_GROUP "must not be used for packets with multiple destinations"; the sample sets it on broadcast lists.',
    reading: 'Legal if all NBLs have equal destination sets; multiple destinations = warning.',
  },
  {
    number: 51,
    topic: 'preserve-where',
    unclear:
      'Security page says PreservePriority sits in the forwarding detail union; it sits in the destination element.',
    reading: 'Destination element.',
  },
  {
    number: 52,
    topic: 'pvlan',
    unclear:
      'VLAN page limits PrimaryVlanId to community mode; the mode text needs it in all three modes. A SupportedModes member is documented but absent from the header.',
    reading: 'PrimaryVlanId valid in all private modes; no SupportedModes.',
  },
  {
    number: 53,
    topic: 'array-bound',
    unclear:
      'The destination macro page bounds the index by NumElements while only NumDestinations are meaningful.',
    reading: 'Read below NumDestinations, write below NumElements.',
  },
  {
    number: 54,
    topic: 'port-updated-buffer',
    unclear: 'oid-switch-port-updated.md names the save-state structure as buffer.',
    reading: 'NDIS_SWITCH_PORT_PARAMETERS.',
  },
  {
    number: 55,
    topic: 'wfp-place',
    unclear: 'Position of WFP among filters is not stated; examples list it last.',
    reading: 'Lowest in the filter class by default.',
  },
  {
    number: 56,
    topic: 'default-fwd',
    unclear: "The switch's own forwarding algorithm is not specified.",
    reading:
      'MAC learning with permanent/current MACs pre-learned; flood broadcast and multicast; unknown unicast to external only; never back to the source NIC.',
  },
  {
    number: 57,
    topic: 'switch-lifetime',
    unclear:
      'enumerating-…-instances.md: the instance is created when the first assigned VM starts. External/internal pages: ports exist when the switch starts.',
    reading:
      'Create the instance with the switch; extensions must survive a switch without ports for any time.',
  },
];
