// The grid of cron expressions against an oracle of our own, in every zone whose clocks are set this year. The oracle
// knows nothing but `Intl`, by which it asks what a clock on the wall shows at each minute around the shift.
import { type Grid, gridOf, readWhen } from '../../../lib/schedule/index.js';

const YEAR = 2026;
const MINUTE = 60_000;
const DAY = 86_400_000;
/** Around a shift, which comes between 22:00 and 4:00 on the wall: the first hours of its day are in it, whole. */
const BEFORE = 8 * 60;
const AFTER = 8 * 60;

const FIXED = Array.from({ length: 12 }, (_, index) => `${(index % 2) * 30} ${index >> 1} * * *`);
const EXPRESSIONS = ['*/15 * * * *', '7 * * * *', ...FIXED];

interface Shift {
  readonly zone: string;
  /** The first moment of the new offset. */
  readonly at: number;
  /** Minutes by which the wall's clock is set; above 0: forward. */
  readonly by: number;
}

const wallClock = new Map<string, Intl.DateTimeFormat>();

/** The wall's time as minutes since the epoch, as if it were UTC. */
function wall(zone: string, at: number): number {
  let format = wallClock.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-u-hc-h23', {
      timeZone: zone,
      ...({ year: 'numeric', month: '2-digit', day: '2-digit' } as const),
      ...({ hour: '2-digit', minute: '2-digit', second: '2-digit' } as const),
    });
    wallClock.set(zone, format);
  }
  // 03/29/2026, 02:30:00
  const [month, day, year, hour, minute] = format
    .format(at)
    .split(/[/,: ]+/)
    .map(Number) as [...[number, number, number, number, number]];
  return Date.UTC(year, month - 1, day, hour, minute) / MINUTE;
}

const offset = (zone: string, at: number) => wall(zone, at) - Math.floor(at / MINUTE);

/** All shifts of the year; of zones that are always set alike, the first. */
function shiftsOfTheYear(): Shift[] {
  const distinct = new Map<string, Shift[]>();
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    const shifts: Shift[] = [];
    for (let day = Date.UTC(YEAR, 0, 1); day < Date.UTC(YEAR + 1, 0, 1); day += 7 * DAY) {
      if (offset(zone, day) === offset(zone, day + 7 * DAY)) continue;
      let [low, high] = [day, day + 7 * DAY];
      while (high - low > MINUTE) {
        const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
        if (offset(zone, middle) === offset(zone, low)) low = middle;
        else high = middle;
      }
      shifts.push({ zone, at: high, by: offset(zone, high) - offset(zone, low) });
    }
    if (shifts.length === 0) continue;
    const key = JSON.stringify(shifts.map(({ at, by }) => [at, by, offset(zone, at)]));
    if (!distinct.has(key)) distinct.set(key, shifts);
  }
  return [...distinct.values()].flat();
}

const clocks = new Map<Shift, number[]>();

/** What the clock shows at each minute around a shift. */
function clocksAround(shift: Shift): number[] {
  let shown = clocks.get(shift);
  if (!shown) {
    const { zone, at } = shift;
    const count = BEFORE + AFTER;
    shown = Array.from({ length: count }, (_, index) => wall(zone, at + (index - BEFORE) * MINUTE));
    clocks.set(shift, shown);
  }
  return shown;
}

/** Which moments around a shift are due by the rules that docs/schedules.md names. */
function oracle(shift: Shift, expression: string): number[] {
  const [minute = '', hour = ''] = expression.split(' ');
  const isFixed = hour !== '*';
  const minutes = minute === '*/15' ? [0, 15, 30, 45] : [Number(minute)];
  const shows = (clock: number) =>
    minutes.includes(((clock % 60) + 60) % 60) &&
    (!isFixed || Math.floor((((clock % 1440) + 1440) % 1440) / 60) === Number(hour));
  const due: number[] = [];
  const shown = new Set<number>();
  for (const [index, clock] of clocksAround(shift).entries()) {
    const at = shift.at + (index - BEFORE) * MINUTE;
    // Of a fixed time that comes twice, the first.
    if (shows(clock) && !(isFixed && shown.has(clock))) due.push(at);
    shown.add(clock);
    if (isFixed && index === BEFORE && shift.by > 0) {
      // A fixed time that does not come: the first moment after the gap.
      const skipped = Array.from({ length: shift.by }, (_, gone) => clock - shift.by + gone).some(
        shows,
      );
      if (skipped && due.at(-1) !== at) due.push(at);
    }
  }
  return due;
}

function ticks(grid: Grid, from: number, to: number): number[] {
  const found: number[] = [];
  for (let at = grid.next(from - 1); at !== undefined && at < to; at = grid.next(at))
    found.push(at);
  return found;
}

const shifts = shiftsOfTheYear();
const asText = (moments: readonly number[]) => moments.map((at) => new Date(at).toISOString());

it('there are zones whose clocks are set this year', () => {
  expect(shifts.length).toBeGreaterThan(30);
  expect(shifts.some(({ by }) => by > 0)).toBe(true);
  expect(shifts.some(({ by }) => by < 0)).toBe(true);
  // Half an hour, and an odd quarter.
  const zones = shifts.map(({ zone }) => zone);
  expect(zones).toEqual(expect.arrayContaining(['Australia/Lord_Howe', 'Pacific/Chatham']));
});

it.each(EXPRESSIONS)(
  '%s is due as the clocks on the walls say, around every shift',
  (expression) => {
    for (const shift of shifts) {
      const { zone, at } = shift;
      const grid = gridOf(readWhen({ cron: expression, tz: zone }, 'when', undefined));
      const expected = oracle(shift, expression);
      const found = ticks(grid, at - BEFORE * MINUTE, at + AFTER * MINUTE);
      expect({ zone, due: asText(found) }).toEqual({ zone, due: asText(expected) });
    }
  },
);

it('a fixed time is not due again when it is asked for in the second pass of the hour', () => {
  const grid = gridOf(readWhen({ cron: '30 2 * * *', tz: 'Europe/Berlin' }, 'when', undefined));
  const secondPass = Date.UTC(2026, 9, 25, 1, 10);
  expect(new Date(grid.next(secondPass) ?? 0).toISOString()).toBe('2026-10-26T01:30:00.000Z');
});

it('seconds go on in real time where the clocks are set back', () => {
  const cron = { cron: '*/20 * * * * *', tz: 'Europe/Berlin' };
  const grid = gridOf(readWhen(cron, 'when', undefined));
  const from = Date.UTC(2026, 9, 24, 23, 58);
  const found = ticks(grid, from, from + 150 * MINUTE);
  expect(found).toEqual(Array.from({ length: 450 }, (_, index) => from + index * 20_000));
});
