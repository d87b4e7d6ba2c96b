import type { Outcome } from '../../job/index.js';
import type { ScriptValue } from '../../redis/script.js';
import type { ExchangeRequest, GateRoom } from '../job-store.js';

/** What an exchange says of gates, lanes and levels (see exchange.lua). */

/** How many jobs of its own handlers a worker takes, where it says so. */
export function roomsText(rooms: readonly GateRoom[] | undefined): string {
  if (!rooms || rooms.length === 0) return '';
  return rooms
    .map(({ name, room, free, batch = '' }) => {
      return `${name}\t${room}\t${Math.min(free, UNLIMITED)}\t${batch}\n`;
    })
    .join('');
}

const UNLIMITED = 1_000_000_000;

/** Which outcomes are of jobs that came from lanes: their slots are free. */
export function pushLanes(values: ScriptValue[], { outcomes }: ExchangeRequest): void {
  let countAt = -1;
  for (let index = 0; index < outcomes.length; index += 1) {
    const lane = outcomes[index]?.job.lane;
    if (lane !== undefined) {
      if (countAt < 0) {
        values.push('lanes', 0);
        countAt = values.length - 1;
      }
      values[countAt] = (values[countAt] as number) + 1;
      values.push(index + 1, lane);
    }
  }
}

/** Of which level jobs are that go back into the queue: mostly none is of any. */
export function pushLevels(values: ScriptValue[], { outcomes }: ExchangeRequest): void {
  let countAt = -1;
  for (const { job, outcome } of outcomes) {
    if (ENDS.has(outcome.type) || job.level === undefined) continue;
    if (countAt < 0) {
      values.push('levels', 0);
      countAt = values.length - 1;
    }
    values[countAt] = (values[countAt] as number) + 1;
    values.push(job.id, job.level);
  }
}

const ENDS: ReadonlySet<Outcome['type']> = new Set(['finished', 'failed', 'stopped', 'canceled']);
