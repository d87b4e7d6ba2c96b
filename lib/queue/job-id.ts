import { randomFillSync } from 'node:crypto';

/**
 * Random job ids: 20 characters of 5 bits, of the set that RQ accepts, without `-` and `_`, so that an id is never
 * taken for an option on RQ's command line. 100 random bits: no two jobs get the same one.
 */
export function newJobId(): string {
  if (used + LENGTH > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let id = '';
  for (const end = used + LENGTH; used < end; used += 1) {
    id += ALPHABET[(pool[used] as number) & 31] as string;
  }
  return id;
}

const LENGTH = 20;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const pool = new Uint8Array(LENGTH * 512);
let used = pool.length;
