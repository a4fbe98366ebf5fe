/** NDIS_LINK_STATE revision 1, 40 bytes (ntddndis.h; ns-ntddndis-_ndis_link_state). */
const SIZE = 40;
/** MediaConnectStateConnected, …Disconnected; MediaDuplexStateUnknown, …Full. */
const CONNECTED = 1;
const DISCONNECTED = 2;
const DUPLEX_UNKNOWN = 0;
const FULL_DUPLEX = 2;
/** NDIS_LINK_SPEED_UNKNOWN. */
const SPEED_UNKNOWN = 0xffff_ffff_ffff_ffffn;
/** Simulated adapters run at 10 Gbit/s. */
const SPEED = 10_000_000_000n;

/** The link of a simulated adapter: 10 Gbit/s full duplex, or disconnected with unknown speed. */
export function linkState(up: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(SIZE));
  view.setUint8(0, 0x80);
  view.setUint8(1, 1);
  view.setUint16(2, SIZE, true);
  view.setUint32(4, up ? CONNECTED : DISCONNECTED, true);
  view.setUint32(8, up ? FULL_DUPLEX : DUPLEX_UNKNOWN, true);
  view.setBigUint64(16, up ? SPEED : SPEED_UNKNOWN, true);
  view.setBigUint64(24, up ? SPEED : SPEED_UNKNOWN, true);
  return new Uint8Array(view.buffer);
}
