import { parentPort, workerData } from 'node:worker_threads';
import { type Timer, after, every } from '../time/timer.js';
import { type RunsNow, readRuns } from './guarded-runs.js';
import {
  type RenewalAddress,
  RenewalLink,
  type RenewalLogin,
  type RenewalScript,
} from './renewal-link.js';

/**
 * The program of the lease guard's thread. It is never imported: scripts/compile-thread.mjs makes a text of it.
 *
 * 1. At the start it renews once, so that a Redis that does not let it in is known before a job needs it. It tries until it
 *    has succeeded.
 * 2. As long as the main thread's counter moves it does nothing, and has no connection.
 * 3. When the counter stands still, it renews what the main thread holds, but for runs whose deadline has passed. It ends
 *    when none is left that may run.
 *
 * In a cluster the leases are in several places: each is renewed where it is.
 */
const { leaseMs, state, ...given } = workerData as GuardData;
const beats = new BigInt64Array(state);
let { runs } = given;

/** Milliseconds that Redis has at least to answer. */
const SHORTEST_WAIT = 1000;

const places = given.places.map((place): Place => ({ ...place, link: undefined }));
let lastBeat = Atomics.load(beats, 0);
let standsStill = false;
let again: Timer | undefined;
let renewing = false;
/** It has renewed once: until then it is tried again and again, and not broken off. */
let isProved = false;
let failed = false;

parentPort?.on('message', (news: readonly RenewalAddress[] | SharedArrayBuffer) => {
  if (news instanceof SharedArrayBuffer) runs = news;
  else for (const [index, address] of news.entries()) (places[index] as Place).address = address;
});

void renew();
every(leaseMs / 3, () => {
  const beat = Atomics.load(beats, 0);
  standsStill = beat === lastBeat;
  lastBeat = beat;
  if (standsStill) renewWhileAllowed();
  else if (isProved) rest();
  else void renew();
});

function renewWhileAllowed(): void {
  if (readRuns(runs).isAnyAllowed && Atomics.load(beats, 0) === lastBeat) void renew();
}

async function renew(): Promise<void> {
  again?.cancel();
  // One that is under way ends by itself.
  if (renewing) return;
  renewing = true;
  const { over } = readRuns(runs);
  const results = await Promise.all(places.map((place) => renewIn(place, over)));
  renewing = false;
  const problem = results.find((result): result is string => typeof result === 'string');
  if (problem !== undefined) {
    failedWith(problem);
  } else if (!results.includes(false)) {
    isProved = true;
    tell(undefined);
    if (!readRuns(runs).isAnyAllowed) rest();
  }
}

/** Answers whether it has succeeded, or what went wrong; false: it was broken off. */
async function renewIn(place: Place, over: RunsNow['over']): Promise<boolean | string> {
  const { script } = place;
  const values = script.values.with(script.overAt, overIn(place, over));
  let current: RenewalLink | undefined;
  try {
    current = place.link ??= new RenewalLink(place.address, place.login);
    await current.run({ ...script, values }, Math.max(leaseMs / 3, SHORTEST_WAIT));
    return true;
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    // Otherwise the main thread moves again, and nobody waits for this any more.
    if (place.link !== current) return false;
    place.link = undefined;
    follow(place, message);
    return message || code || 'unknown';
  }
}

/** As the script wants them: the number of the registry and the digits of the execution, between spaces. */
function overIn({ queues }: Place, over: RunsNow['over']): string {
  return over.map(({ queue, digits }) => ` ${queues.indexOf(queue)}:${digits} `).join('');
}

/** The slot is on another node now, which this one has named. */
function follow(place: Place, message: string): void {
  const [, host, port] = /^MOVED \d+ (.*):(\d+)/.exec(message) ?? [];
  if (port === undefined) return;
  place.address = { ...place.address, ...(host && { host }), port: Number(port) };
}

function failedWith(problem: string): void {
  tell(problem);
  // Not as late as the next round: leases go on ending.
  if (standsStill) again = after(leaseMs / 15, renewWhileAllowed);
}

function rest(): void {
  again?.cancel();
  for (const place of places) {
    const idle = place.link;
    place.link = undefined;
    idle?.end();
  }
}

/** Once when it begins to fail, and once when that is over. */
function tell(problem: string | undefined): void {
  if (failed === (problem !== undefined)) return;
  failed = !failed;
  parentPort?.postMessage({ problem } satisfies GuardReport);
}

/** What the thread is started with; the main thread sends other addresses when servers have changed. */
export interface GuardData {
  /** Where leases are to be renewed. */
  readonly places: readonly GuardPlace[];
  readonly leaseMs: number;
  /** The main thread's counter. */
  readonly state: SharedArrayBuffer;
  /** Which jobs run, and until when each may; another one is sent when there are more than it can hold. */
  readonly runs: SharedArrayBuffer;
}

export interface GuardPlace {
  readonly address: RenewalAddress;
  readonly login: RenewalLogin;
  readonly script: GuardedScript;
  /** Which of the worker's queues are there, in the order of the script's registries. */
  readonly queues: readonly number[];
}

/** Renews all leases of the worker but those of executions that are over. */
export interface GuardedScript extends RenewalScript {
  /** Which of its values names these executions. */
  readonly overAt: number;
}

/** Why leases cannot be renewed; `undefined` when they can again. */
export interface GuardReport {
  readonly problem: string | undefined;
}

interface Place extends Omit<GuardPlace, 'address'> {
  address: RenewalAddress;
  link: RenewalLink | undefined;
}
