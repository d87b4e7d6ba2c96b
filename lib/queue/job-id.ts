import { randomFillSync } from 'node:crypto';

/**
 * Ids of jobs: 9 characters of the time and 12 random ones. The characters are of a set that RQ accepts, without `-`
 * and `_`, so that an id is never taken for an option on RQ's command line. 60 random bits per millisecond: no two jobs
 * get the same id. Ids of one time are neighbours, which Redis's sorted sets are quick with.
 */
export function newJobId(): string {
  const now = Date.now();
  if (now !== prefixTime) {
    prefixTime = now;
    prefix = timeText(now);
  }
  if (used + RANDOM_LENGTH > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let id = prefix;
  for (const end = used + RANDOM_LENGTH; used < end; used += 1) {
    id += ALPHABET[(pool[used] as number) & 31] as string;
  }
  return id;
}

const TIME_LENGTH = 9;
const RANDOM_LENGTH = 12;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const pool = new Uint8Array(RANDOM_LENGTH * 512);
let used = pool.length;
let prefixTime = 0;
let prefix = '';

function timeText(time: number): string {
  let text = '';
  let rest = time;
  for (let place = 0; place < TIME_LENGTH; place += 1) {
    text = (ALPHABET[rest % 32] as string) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
