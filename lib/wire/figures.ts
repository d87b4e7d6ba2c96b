/**
 * What workers count of jobs, as numbers with codes. A bucket in Redis holds such numbers of one stretch of time, per job
 * name. Buckets of all stretches are alike, so that they can be added, and percentiles come from sums.
 */

/** The stretches of time: how long each is and how long it is kept, in seconds. beat.lua has the same. */
export const TIERS = [
  { name: 'minute', seconds: 60, kept: 3 * 3600 },
  { name: 'quarter', seconds: 900, kept: 3 * 86_400 },
  { name: 'six-hours', seconds: 21_600, kept: 90 * 86_400 },
] as const;

export type Tier = (typeof TIERS)[number];

/** How attempts end, and the code of each. */
export const OUTCOME_CODES = {
  finished: 10,
  retrying: 11,
  failed: 12,
  stopped: 13,
  canceled: 14,
  snoozed: 15,
  released: 16,
  lost: 17,
} as const;

export type CountedOutcome = keyof typeof OUTCOME_CODES;

/** Milliseconds for which handlers ran, and for which jobs waited, in all. */
export const RUN_SUM = 20;
export const WAIT_SUM = 21;
/** How many runs, and waits, took so long: the code of the first duration; the next bound has the next code. */
export const RUN_TIMES = 30;
export const WAIT_TIMES = 60;
/** All codes of counts are below. */
export const CODES = 90;

/** What was seen of a queue at the beginning of a stretch, and the code of each. */
export const SAMPLE_CODES = {
  queued: 100,
  started: 101,
  scheduled: 102,
  failed: 103,
  retrying: 104,
  overdue: 105,
  /** Milliseconds. */
  oldest: 106,
} as const;

/** Upper bounds of the durations, milliseconds; the last duration has none. They never change. */
export const BOUNDS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000, 120_000, 300_000,
  900_000, 3_600_000,
] as const;

/** The place of a duration among the bounds. */
export function placeOfDuration(milliseconds: number): number {
  let place = 0;
  while (place < BOUNDS.length && milliseconds > (BOUNDS[place] as number)) place += 1;
  return place;
}

/** The numbers of one job name, or of a sample, by code. */
export type Figures = ReadonlyMap<number, number>;

/**
 * Reads numbers as Redis's Lua packs them: a map of whole numbers. Anybody may have written it: what makes no sense is
 * left out.
 */
export function decodeFigures(packed: Buffer): Figures {
  const figures = new Map<number, number>();
  try {
    const reader = new NumberReader(packed);
    for (let left = reader.mapSize(); left > 0; left -= 1)
      figures.set(reader.number(), reader.number());
  } catch {
    // What was read so far counts.
  }
  return figures;
}

/** Of MessagePack, what a map of numbers needs. */
class NumberReader {
  private at = 0;

  constructor(private readonly packed: Buffer) {}

  mapSize(): number {
    const type = this.packed.readUInt8(this.at++);
    if (type >= 0x80 && type <= 0x8f) return type & 0x0f;
    if (type === 0xde) return this.read(2, this.packed.readUInt16BE(this.at));
    return 0;
  }

  number(): number {
    const { packed } = this;
    const type = packed.readUInt8(this.at++);
    if (type < 0x80) return type;
    if (type >= 0xe0) return type - 0x100;
    switch (type) {
      case 0xca:
        return this.read(4, packed.readFloatBE(this.at));
      case 0xcb:
        return this.read(8, packed.readDoubleBE(this.at));
      case 0xcc:
        return this.read(1, packed.readUInt8(this.at));
      case 0xcd:
        return this.read(2, packed.readUInt16BE(this.at));
      case 0xce:
        return this.read(4, packed.readUInt32BE(this.at));
      case 0xcf:
        return this.read(8, Number(packed.readBigUInt64BE(this.at)));
      case 0xd0:
        return this.read(1, packed.readInt8(this.at));
      case 0xd1:
        return this.read(2, packed.readInt16BE(this.at));
      case 0xd2:
        return this.read(4, packed.readInt32BE(this.at));
      case 0xd3:
        return this.read(8, Number(packed.readBigInt64BE(this.at)));
      default:
        throw new RangeError('not a number');
    }
  }

  private read(length: number, value: number): number {
    this.at += length;
    return value;
  }
}
