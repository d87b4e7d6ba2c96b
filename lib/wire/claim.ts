import { CLAIM_FIELDS } from './claim-fields.js';
import { timeIn } from './stored-text.js';

/**
 * The claimed jobs of one answer. They come as one piece of MessagePack, of which only the places of the fields are noted:
 * a field becomes text when somebody asks for it, and most are never asked for.
 */
export function decodeClaims(packed: Buffer, long: readonly (Buffer | number)[]): ClaimedFields[] {
  return packed.length === 0 ? [] : new ClaimReader(packed, long).read();
}

/** The fields of one claimed job, by their number: those of the claim, the id, and of some jobs the further and the rare ones. */
export class ClaimedFields {
  constructor(
    private readonly packed: Buffer,
    private readonly long: readonly (Buffer | number)[],
    private readonly places: Int32Array,
    private readonly first: number,
    private readonly count: number,
  ) {}

  has(field: number): boolean {
    return this.start(field) !== ABSENT;
  }

  text(field: number): string | undefined {
    const start = this.start(field);
    if (start === ABSENT) return undefined;
    if (start === LONG) return this.bytes(field)?.toString();
    return this.packed.toString('utf8', start, this.end(field));
  }

  bytes(field: number): Buffer | undefined {
    const start = this.start(field);
    if (start === ABSENT) return undefined;
    const end = this.end(field);
    if (start !== LONG) return this.packed.subarray(start, end);
    const long = this.long[end];
    return typeof long === 'number' ? undefined : long;
  }

  /** A number of digits alone, which needs no text in between; undefined: it is absent, or something else. */
  digits(field: number): number | undefined {
    const start = this.start(field);
    const end = this.end(field);
    if (start < 0 || start === end || end - start > MOST_DIGITS) return undefined;
    let value = 0;
    for (let at = start; at < end; at += 1) {
      const digit = (this.packed[at] as number) - DIGIT_0;
      if (digit < 0 || digit > 9) return undefined;
      value = value * 10 + digit;
    }
    return value;
  }

  /** It came with the answer, is at most so long, and begins with this byte. */
  isShort(field: number, most: number, first: number): boolean {
    const start = this.start(field);
    return start >= 0 && this.end(field) - start <= most && this.packed[start] === first;
  }

  /** A stored time, milliseconds since the epoch; undefined when there is none. */
  time(field: number): number | undefined {
    const start = this.start(field);
    return start < 0 ? undefined : timeIn(this.packed, start, this.end(field));
  }

  /** It was too long to be sent. */
  wasLeftOut(field: number): boolean {
    return this.start(field) === LONG && typeof this.long[this.end(field)] === 'number';
  }

  private start(field: number): number {
    return field < this.count ? (this.places[this.first + 2 * field] as number) : ABSENT;
  }

  private end(field: number): number {
    return this.places[this.first + 2 * field + 1] as number;
  }
}

/** Those of the claim, and the id: most jobs have no others. */
const PLAIN_FIELDS = CLAIM_FIELDS.length + 1;
/** Any number of so many digits is exact. */
const MOST_DIGITS = 15;
const DIGIT_0 = 0x30;
const ABSENT = -1;
/** It stands in the list of long data, where its end says. */
const LONG = -2;

/** Of MessagePack, what Redis's Lua makes of lists of texts, `false` and `true`. */
class ClaimReader {
  private at = 0;
  private longSeen = 0;

  constructor(
    private readonly packed: Buffer,
    private readonly long: readonly (Buffer | number)[],
  ) {}

  read(): ClaimedFields[] {
    const count = this.list();
    const ofPlain = new Int32Array(count * PLAIN_FIELDS * 2);
    const jobs: ClaimedFields[] = [];
    for (let job = 0; job < count; job += 1) {
      const fields = this.list();
      const isPlain = fields <= PLAIN_FIELDS;
      const places = isPlain ? ofPlain : new Int32Array(fields * 2);
      const first = isPlain ? job * PLAIN_FIELDS * 2 : 0;
      for (let field = 0; field < fields; field += 1) this.field(places, first + 2 * field);
      jobs.push(new ClaimedFields(this.packed, this.long, places, first, fields));
    }
    return jobs;
  }

  private list(): number {
    const { packed } = this;
    const type = packed[this.at] as number;
    this.at += 1;
    if (type >= 0x90 && type <= 0x9f) return type - 0x90;
    this.at += 2;
    return packed.readUInt16BE(this.at - 2);
  }

  private field(places: Int32Array, place: number): void {
    const { packed } = this;
    const type = packed[this.at] as number;
    this.at += 1;
    if (type === 0xc2) {
      places[place] = ABSENT;
      return;
    }
    if (type === 0xc3) {
      places[place] = LONG;
      places[place + 1] = this.longSeen;
      this.longSeen += 1;
      return;
    }
    let length = type - 0xa0;
    if (type === 0xd9) {
      length = packed[this.at] as number;
      this.at += 1;
    } else if (type === 0xda) {
      length = packed.readUInt16BE(this.at);
      this.at += 2;
    } else if (type === 0xdb) {
      length = packed.readUInt32BE(this.at);
      this.at += 4;
    }
    places[place] = this.at;
    this.at += length;
    places[place + 1] = this.at;
  }
}
