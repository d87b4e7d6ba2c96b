import type { ScriptValue } from '../../redis/script.js';
import type { ExchangeRequest, GateRoom } from '../job-store.js';

/** What an exchange says of gates and lanes (see exchange.lua). */

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
