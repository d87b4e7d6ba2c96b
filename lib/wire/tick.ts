import { jsonObject } from './stored-text.js';

/** Which tick of which schedule a job is for. */
export interface JobTick {
  /** Id of the schedule. */
  readonly schedule: string;
  /** The moment that it is for, which is not when it runs. */
  readonly at: Date;
}

/** Text of `nrq_tick`. */
export function encodeTick(schedule: string, at: number): string {
  return JSON.stringify({ schedule, at });
}

/** Reads `nrq_tick`; undefined when there is none, or none that makes sense. */
export function decodeTick(text: string | undefined): JobTick | undefined {
  if (!text) return undefined;
  const { schedule, at } = jsonObject(text) ?? {};
  if (typeof schedule !== 'string' || !Number.isSafeInteger(at)) return undefined;
  const date = new Date(at as number);
  return Number.isNaN(date.getTime()) ? undefined : { schedule, at: date };
}
