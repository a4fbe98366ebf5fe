import { defineExtension, type SwitchContext } from '../../src/sdk/index.ts';

/**
 * The least that works: a capturing extension that lets everything pass. Every handler there is stands here with what
 * calls it and what may be done in it; copy the folder, change id, name and policy.mof, delete what you do not need. A
 * handler that is missing forwards, so `attach: () => ({})` would do the same.
 *
 * It keeps nothing, counts nothing, changes nothing, and answers no query.
 */
export default defineExtension({
  // NetCfgInstanceId of the driver's INF, and ExtensionId of every class in policy.mof (rule A32).
  id: '8b0f1c3e-52a6-4d0c-9f6a-3f5d7e21a001',
  name: 'Passthrough',
  vendor: 'extswitch',
  version: '1.0',
  // capture: sees everything, vetoes nothing (rules A13, A17). filter: may veto and drop. forward: decides destinations.
  type: 'capture',
  mof: ['./policy.mof'],

  // Once per switch, when the stack takes the extension in. Make your state for this switch here. No OID may be issued yet
  // (rule A53): keep `sw` for restart, activate and timers. Throwing keeps the extension out of the stack (rule A49).
  attach(_sw: SwitchContext) {
    return {
      // OID_SWITCH_PORT_CREATE. A filter or forwarding extension may veto it; nobody may end it with success (rules B27,
      // B28). The port counts only when the request completes with success: see oidRequestComplete (rule B29).
      createPort: () => 'forward',
      // OID_SWITCH_PORT_UPDATED: the friendly name changed. Must be forwarded (rule B24).
      updatePort: () => 'forward',
      // OID_SWITCH_PORT_TEARDOWN: issue no more OIDs for the port, take no more references (rules B33, B37). Must be
      // forwarded.
      teardownPort: () => 'forward',
      // OID_SWITCH_PORT_DELETE: forget the port and its properties; no property deletes come before it (rule E38, OP-7).
      // Must be forwarded.
      deletePort: () => 'forward',

      // OID_SWITCH_NIC_CREATE. May be vetoed for NIC index 0 by a filter or forwarding extension (rules C36, C37).
      createNic: () => 'forward',
      // OID_SWITCH_NIC_CONNECT: from its success on the NIC may send and receive (rule C45). Must be forwarded (rule C40).
      connectNic: () => 'forward',
      // OID_SWITCH_NIC_UPDATED: MTU, addresses or names of a connected NIC changed. Must be forwarded.
      updateNic: () => 'forward',
      // OID_SWITCH_NIC_DISCONNECT: send nothing more to the NIC (rule C46). Must be forwarded.
      disconnectNic: () => 'forward',
      // OID_SWITCH_NIC_DELETE: the NIC is gone. Must be forwarded.
      deleteNic: () => 'forward',

      // OID_SWITCH_PORT_PROPERTY_ADD: a policy is set on a port. An owner that is no forwarding extension forwards after
      // accepting it (rules E25, E28); only filter and forwarding extensions may veto (rule E36).
      addPortProperty: () => 'forward',
      // OID_SWITCH_PORT_PROPERTY_UPDATE: the same instance id with new values (rule E26).
      updatePortProperty: () => 'forward',
      // OID_SWITCH_PORT_PROPERTY_DELETE: carries neither version nor values, only ids.
      deletePortProperty: () => 'forward',
      // OID_SWITCH_PROPERTY_ADD, UPDATE, DELETE: the same for policies of the switch itself (rule E27).
      addSwitchProperty: () => 'forward',
      updateSwitchProperty: () => 'forward',
      deleteSwitchProperty: () => 'forward',

      // OID_SWITCH_PORT_FEATURE_STATUS_QUERY and OID_SWITCH_FEATURE_STATUS_QUERY: answer your own status ids with
      // `query.respond(values)`, forward the rest (rule F7).
      queryPortFeatureStatus: () => 'forward',
      querySwitchFeatureStatus: () => 'forward',

      // OID_SWITCH_NIC_SAVE: give run-time data of the NIC with `state.save(bytes)`, one record a call, then forward; a NIC
      // is saved piece by piece, so remember per NIC what was given (rules G13, G18, G19, G22).
      saveNic: () => 'forward',
      // OID_SWITCH_NIC_SAVE_COMPLETE: the save ended, well or not. Must be forwarded (rule G20).
      saveNicComplete: () => 'forward',
      // OID_SWITCH_NIC_RESTORE: one saved record. Take it when `state.isMine`, bind it to `state.portId` and return
      // SUCCESS; forward what is not yours (rules G30-G32). Failing it fails the whole restore (rule G33).
      restoreNic: () => 'forward',
      // OID_SWITCH_NIC_RESTORE_COMPLETE: no more records for the NIC. Must be forwarded (rule G34).
      restoreNicComplete: () => 'forward',

      // OID_SWITCH_NIC_REQUEST: an OID for an adapter or about a NIC, wrapped (`request.oid`, `request.data`). A forwarding
      // extension may refuse what allocates or send one of its own to another adapter and return its status (rules D38,
      // D41); everybody else forwards (rules D40, D42).
      nicRequest: () => 'forward',
      // The wrapped request came back up; `request.status` is that of the request inside.
      nicRequestComplete: () => {},
      // NDIS_STATUS_SWITCH_NIC_STATUS on its way up: a status of an adapter or about a NIC's offloads. Only a forwarding
      // extension may swallow it with 'drop', after raising its own (rules H4-H6).
      nicStatus: () => 'forward',

      // Every OID, known or not, before the handlers above. `request.bytes` are the bytes Windows would pass; they may be
      // read, not written (rule D4).
      oidRequest: () => 'forward',
      // A request forwarded here comes back up. `request.status` is final: undo what was noted on its way down when it
      // failed (rules D14, E37).
      oidRequestComplete: () => {},

      // Plug-and-play events: the switch became active, the stack changed, this extension is about to be removed (rules
      // A46, A68, A75). They go on whatever is done here (rules A71, A72).
      netPnPEvent: () => {},
      // NetEventSwitchActivate: the switch is active; query what is there (rule J12).
      activate: () => {},
      // The stack starts with this extension in it, also when another one was enabled. On an active switch: query what is
      // there, since past OIDs are not told again (rule J11). Throwing refuses to run (OP-31).
      restart: () => {},
      // The stack stops for a change. OIDs may still come (rule A65). Cannot fail (rule A61).
      pause: () => {},
      // Out of the stack: free everything. `sw` is of no use afterwards. Cannot fail.
      detach: () => {},
    };
  },
});
