import { parentPort, workerData } from 'node:worker_threads';
import { type Timer, after, every } from '../time/timer.js';
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
 * 3. When the counter stands still, it renews what the main thread holds, until the latest deadline of the jobs that
 *    were running.
 *
 * In a cluster the leases are in several places: each is renewed where it is.
 */
const { leaseMs, state, ...given } = workerData as GuardData;
const beats = new BigInt64Array(state, 0, 1);
const deadline = new Float64Array(state, 8, 1);

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

parentPort?.on('message', (addresses: readonly RenewalAddress[]) => {
  for (const [index, address] of addresses.entries()) (places[index] as Place).address = address;
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
  if (jobsMayRun() && Atomics.load(beats, 0) === lastBeat) void renew();
}

function jobsMayRun(): boolean {
  return Number(process.hrtime.bigint()) / 1e6 < (deadline[0] as number);
}

async function renew(): Promise<void> {
  again?.cancel();
  // One that is under way ends by itself.
  if (renewing) return;
  renewing = true;
  const results = await Promise.all(places.map(renewIn));
  renewing = false;
  const problem = results.find((result): result is string => typeof result === 'string');
  if (problem !== undefined) {
    failedWith(problem);
  } else if (!results.includes(false)) {
    isProved = true;
    tell(undefined);
    if (!jobsMayRun()) rest();
  }
}

/** Answers whether it has succeeded, or what went wrong; false: it was broken off. */
async function renewIn(place: Place): Promise<boolean | string> {
  let current: RenewalLink | undefined;
  try {
    current = place.link ??= new RenewalLink(place.address, place.login);
    await current.run(place.script, Math.max(leaseMs / 3, SHORTEST_WAIT));
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
  /** The main thread's counter, and until when its jobs may run. */
  readonly state: SharedArrayBuffer;
}

export interface GuardPlace {
  readonly address: RenewalAddress;
  readonly login: RenewalLogin;
  readonly script: RenewalScript;
}

/** Why leases cannot be renewed; `undefined` when they can again. */
export interface GuardReport {
  readonly problem: string | undefined;
}

interface Place extends Omit<GuardPlace, 'address'> {
  address: RenewalAddress;
  link: RenewalLink | undefined;
}
