/**
 * The enumerations of the switch ABI: 4-byte integers. `NDIS_NET_BUFFER_LIST_INFO` and `NET_PNP_EVENT_CODE` hold only what the
 * switch uses. Isolation and RoutingDomain exist from NDIS 6.40; for a 6.30 build the property type's Maximum is 5.
 * The value of NetEventSwitchActivate is inferred by counting a published enumeration (ndis-switch-abi.json, enumNotes).
 */
export const ENUMS = {
  NDIS_REQUEST_TYPE: {
    NdisRequestQueryInformation: 0,
    NdisRequestSetInformation: 1,
    NdisRequestQueryStatistics: 2,
    NdisRequestOpen: 3,
    NdisRequestClose: 4,
    NdisRequestSend: 5,
    NdisRequestTransferData: 6,
    NdisRequestReset: 7,
    NdisRequestGeneric1: 8,
    NdisRequestGeneric2: 9,
    NdisRequestGeneric3: 10,
    NdisRequestGeneric4: 11,
    NdisRequestMethod: 12,
  },
  NDIS_SWITCH_PORT_PROPERTY_TYPE: {
    NdisSwitchPortPropertyTypeUndefined: 0,
    NdisSwitchPortPropertyTypeCustom: 1,
    NdisSwitchPortPropertyTypeSecurity: 2,
    NdisSwitchPortPropertyTypeVlan: 3,
    NdisSwitchPortPropertyTypeProfile: 4,
    NdisSwitchPortPropertyTypeIsolation: 5,
    NdisSwitchPortPropertyTypeRoutingDomain: 6,
    NdisSwitchPortPropertyTypeMaximum: 7,
  },
  NDIS_SWITCH_PROPERTY_TYPE: {
    NdisSwitchPropertyTypeUndefined: 0,
    NdisSwitchPropertyTypeCustom: 1,
    NdisSwitchPropertyTypeMaximum: 2,
  },
  NDIS_SWITCH_PORT_FEATURE_STATUS_TYPE: {
    NdisSwitchPortFeatureStatusTypeUndefined: 0,
    NdisSwitchPortFeatureStatusTypeCustom: 1,
    NdisSwitchPortFeatureStatusTypeMaximum: 2,
  },
  NDIS_SWITCH_FEATURE_STATUS_TYPE: {
    NdisSwitchFeatureStatusTypeUndefined: 0,
    NdisSwitchFeatureStatusTypeCustom: 1,
    NdisSwitchFeatureStatusTypeMaximum: 2,
  },
  NDIS_SWITCH_PORT_VLAN_MODE: {
    NdisSwitchPortVlanModeUnknown: 0,
    NdisSwitchPortVlanModeAccess: 1,
    NdisSwitchPortVlanModeTrunk: 2,
    NdisSwitchPortVlanModePrivate: 3,
    NdisSwitchPortVlanModeMax: 4,
  },
  NDIS_SWITCH_PORT_PVLAN_MODE: {
    NdisSwitchPortPvlanModeUndefined: 0,
    NdisSwitchPortPvlanModeIsolated: 1,
    NdisSwitchPortPvlanModeCommunity: 2,
    NdisSwitchPortPvlanModePromiscuous: 3,
  },
  NDIS_ISOLATION_MODE: {
    NdisIsolationModeNone: 0,
    NdisIsolationModeNativeVirtualSubnet: 1,
    NdisIsolationModeExternalVirtualSubnet: 2,
    NdisIsolationModeVlan: 3,
  },
  NDIS_SWITCH_PORT_TYPE: {
    NdisSwitchPortTypeGeneric: 0,
    NdisSwitchPortTypeExternal: 1,
    NdisSwitchPortTypeSynthetic: 2,
    NdisSwitchPortTypeEmulated: 3,
    NdisSwitchPortTypeInternal: 4,
  },
  NDIS_SWITCH_PORT_STATE: {
    NdisSwitchPortStateUnknown: 0,
    NdisSwitchPortStateCreated: 1,
    NdisSwitchPortStateTeardown: 2,
    NdisSwitchPortStateDeleted: 3,
  },
  NDIS_SWITCH_NIC_TYPE: {
    NdisSwitchNicTypeExternal: 0,
    NdisSwitchNicTypeSynthetic: 1,
    NdisSwitchNicTypeEmulated: 2,
    NdisSwitchNicTypeInternal: 3,
  },
  NDIS_SWITCH_NIC_STATE: {
    NdisSwitchNicStateUnknown: 0,
    NdisSwitchNicStateCreated: 1,
    NdisSwitchNicStateConnected: 2,
    NdisSwitchNicStateDisconnected: 3,
    NdisSwitchNicStateDeleted: 4,
  },
  NDIS_NET_BUFFER_LIST_INFO: {
    TcpIpChecksumNetBufferListInfo: 0,
    Ieee8021QNetBufferListInfo: 4,
    SwitchForwardingReserved: 18,
    SwitchForwardingDetail: 19,
    VirtualSubnetInfo: 20,
  },
  NET_PNP_EVENT_CODE: {
    NetEventSwitchActivate: 17,
  },
} as const satisfies Record<string, Record<string, number>>;

/** Name of an enumeration, e.g. `NDIS_SWITCH_PORT_TYPE`. */
export type EnumName = keyof typeof ENUMS;
