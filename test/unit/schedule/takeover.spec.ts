// A model of definitions in code under deploys: histories at random, in which processes come, go, crash and hold one of
// three definitions. The record obeys the rules of schedules.lua, schedule.lua and enqueue-ticks.lua; when the next one is
// due is computed by the real code.
import {
  type Grid,
  firstDue,
  gridOf,
  readWhen,
  type ScheduleWhen,
} from '../../../lib/schedule/index.js';

const SECOND = 1000;
const GRACE = 90 * SECOND;
const WHENS: Record<string, ScheduleWhen> = {
  A: readWhen({ every: 10 }, 'when', undefined),
  B: readWhen({ every: 15 }, 'when', undefined),
  C: readWhen({ every: 7 }, 'when', undefined),
};
const GRIDS: Record<string, Grid> = Object.fromEntries(
  Object.entries(WHENS).map(([rev, when]) => [rev, gridOf(when)]),
);

interface Model {
  rev: string;
  seen: number;
  older: string[];
  due: number;
  last: number;
}

function history(seed: number) {
  let state = seed;
  const random = () => (state = (state * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
  let record: Model | undefined;
  const fired: [rev: string, due: number, now: number][] = [];
  const processes: { rev: string; at: number }[] = [];
  const problems: string[] = [];
  const next = (rev: string, after: number) => (GRIDS[rev] as Grid).next(after) as number;
  const look = (rev: string, now: number) => {
    const when = WHENS[rev] as ScheduleWhen;
    const grid = GRIDS[rev] as Grid;
    if (!record) {
      const due = firstDue(grid, when, undefined, now) as number;
      record = { rev, seen: now, older: [], due, last: 0 };
    } else if (record.rev === rev) {
      record.seen = now;
    } else if (!record.older.includes(rev) || now - record.seen > GRACE) {
      const replaced = { ...record, when: JSON.stringify(WHENS[record.rev]) };
      const due = firstDue(grid, when, replaced, now) as number;
      const older = [...record.older.filter((one) => one !== rev), record.rev];
      record = { rev, older, due, seen: now, last: record.last };
    }
  };
  const fire = (rev: string, due: number, now: number) => {
    if (record?.rev !== rev || record.due !== due || due > now) return;
    fired.push([rev, due, now]);
    Object.assign(record, { last: due, due: next(rev, due), seen: now });
  };
  let deployed = 'A';
  let only: string | undefined;
  let since = 0;
  for (let second = 0; second < 3000; second += 1) {
    const now = second * SECOND;
    if (random() < 0.004) deployed = 'ABC'[Math.floor(random() * 3)] as string;
    if (random() < 0.08) {
      if (processes.length >= 3) {
        processes.splice(
          Math.max(
            0,
            processes.findIndex(({ rev }) => rev !== deployed),
          ),
          1,
        );
      }
      processes.push({ rev: deployed, at: second + Math.floor(random() * 30) });
      look(deployed, now);
    }
    if (random() < 0.01 && processes.length > 1) {
      processes.splice(Math.floor(random() * processes.length), 1);
    }
    for (const { rev, at } of processes) if ((second - at) % 30 === 0) look(rev, now);
    for (const { rev } of processes) {
      for (let tries = 0; tries < 20; tries += 1) {
        const due = record?.rev === rev ? record.due : Infinity;
        fire(rev, due, now);
        // Somebody else with the same timer, or a repeated call.
        if (random() < 0.3) fire(rev, due, now);
      }
    }
    const living = new Set(processes.map(({ rev }) => rev));
    const one = living.size === 1 ? [...living][0] : undefined;
    if (one !== only) [only, since] = [one, now];
    if (only && now - since > GRACE + 31 * SECOND && record?.rev !== only) {
      problems.push(`second ${second}: only ${only} lives, the record has ${record?.rev}`);
    }
  }
  for (const [index, [, due]] of fired.entries()) {
    const before = fired[index - 1]?.[1] ?? -1;
    if (due <= before) problems.push(`tick ${due} after ${before}`);
    // Somebody always lived: at a deploy an interval of the one and a part of one of the other come together.
    if (before >= 0 && due - before > 30 * SECOND)
      problems.push(`no tick from ${before} to ${due}`);
  }
  return { problems, count: fired.length };
}

it('no tick comes twice, none is lost while somebody lives, and the last deploy wins, in 200 histories', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const { problems, count } = history(seed * 7919);
    expect({ seed, problems: problems.slice(0, 3) }).toEqual({ seed, problems: [] });
    expect(count).toBeGreaterThan(100);
  }
});

describe('when a definition that takes over is due first', () => {
  const grid = GRIDS['A'] as Grid;
  const when = WHENS['A'] as ScheduleWhen;

  it('keeps the tick that is waited for when only its data changed', () => {
    const replaced = { when: JSON.stringify(when), due: 123_456, seen: 0, last: 0 };
    expect(firstDue(grid, when, replaced, 500_000)).toBe(123_456);
  });

  it('begins where the other was seen last, and never before its last tick', () => {
    const replaced = { when: '{"every":1}', due: 1, seen: 100_500, last: 90_000 };
    expect(firstDue(grid, when, replaced, 500_000)).toBe(110_000);
    expect(firstDue(grid, when, { ...replaced, last: 113_000 }, 500_000)).toBe(120_000);
  });
});
