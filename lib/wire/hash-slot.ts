/**
 * In which of a cluster's 16384 slots a key is. Only what stands between the first `{` and the next `}` counts, so that
 * keys which have that in common (a hash tag) are on one node.
 */
export function slotOf(key: string): number {
  return crc16(Buffer.from(hashedPart(key))) % SLOTS;
}

export const SLOTS = 16_384;

function hashedPart(key: string): string {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open < 0 || close <= open + 1 ? key : key.slice(open + 1, close);
}

/** CRC16 as the cluster's specification has it (XMODEM). */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
      crc &= 0xffff;
    }
  }
  return crc;
}
