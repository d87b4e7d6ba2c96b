import type { Finding } from '../job/index.js';
import type { JobStore, RegistryName } from '../store/index.js';
import { heldUp } from './held-up.js';
import type { Overview, QueueOverview, QueueTrouble } from './overview.js';

/** Something that is wrong, and what to do about it. */
export interface QueueFinding extends Finding {
  /** Undefined: it is about the server, or all queues. */
  readonly queue: string | undefined;
}

/**
 * Looks for what is wrong: the server (the same list that an application reads when it starts), clocks, workers that died
 * or differ, what stands in the queues and should not. Each finding says what to do.
 */
export async function findFindings(store: JobStore, overview: Overview): Promise<QueueFinding[]> {
  const findings: QueueFinding[] = (await store.figures.findings()).map((one) => ({
    ...one,
    queue: undefined,
  }));
  findings.push(...(await serverFindings(store)), ...workerFindings(overview));
  for (const { queue, code, sentence } of overview.troubles) {
    findings.push({ severity: 'warning', code, sentence, fix: FIXES[code](queue), queue });
  }
  for (const state of overview.queues) {
    findings.push(
      ...(await queueFindings(store, state)),
      ...(await hungJobs(store, state, overview)),
      ...(await heldUp(store, state, overview)),
    );
  }
  findings.push(...(await scannedFindings(store)), ...(await circles(store)));
  return findings.toSorted((one, other) => RANK[one.severity] - RANK[other.severity]);
}

const RANK = { fatal: 0, passing: 1, warning: 2 } as const;

const FIXES: Readonly<Record<QueueTrouble['code'], (queue: string) => string>> = {
  'no-worker': (queue) =>
    `start a process whose @Job methods serve it, or delete the jobs: nestjs-rq empty ${queue}`,
  behind: (queue) =>
    `add workers or concurrency, or see which job is slow: nestjs-rq history ${queue} --by-job`,
  overdue: () => 'start a worker of the queue: it moves what is due',
  paused: (queue) => `nestjs-rq resume ${queue}, or where RQ is suspended: nestjs-rq resume --all`,
};

async function serverFindings(store: JobStore): Promise<QueueFinding[]> {
  const findings: QueueFinding[] = [];
  const add = (code: string, sentence: string, fix: string) =>
    findings.push({ severity: 'warning', code, sentence, fix, queue: undefined });
  const { tookMs, skewMs } = await clockOf(store);
  if (tookMs > SLOW_MS) {
    const sentence = `Redis took ${Math.round(tookMs)} ms to tell the time`;
    add('slow', sentence, 'look at the network, at its load, and at SLOWLOG');
  }
  if (skewMs > SKEW_MS + tookMs) {
    const sentence = `the clock here and that of Redis are ${Math.round(skewMs / 1000)} s apart`;
    add('clock-skew', sentence, 'let NTP set both; delayed jobs go by the clock of Redis');
  }
  const { usedMemory = 0, maxMemory = 0, appendsToFile } = await store.figures.server();
  if (!appendsToFile) {
    const sentence =
      'Redis keeps no log of its writes: when it crashes, jobs since its last save are lost';
    add('no-aof', sentence, 'CONFIG SET appendonly yes');
  }
  if (maxMemory > 0 && usedMemory > maxMemory * FULL) {
    const sentence = `its memory is ${Math.round((100 * usedMemory) / maxMemory)} % full`;
    add('memory-short', sentence, 'raise maxmemory, or lower resultTtl and failureTtl');
  }
  return findings;
}

/** How long Redis takes to tell the time, and how far it is from ours: of a few looks the quickest, since one may be held up. */
async function clockOf(store: JobStore): Promise<{ tookMs: number; skewMs: number }> {
  let best = { tookMs: Infinity, skewMs: 0 };
  for (let looks = 0; looks < MOST_LOOKS && best.tookMs > SLOW_MS; looks += 1) {
    const asked = performance.now();
    const before = Date.now();
    const redisNow = (await store.figures.now()).getTime();
    const tookMs = performance.now() - asked;
    const skewMs = Math.abs(redisNow - (before + tookMs / 2));
    if (tookMs < best.tookMs) best = { tookMs, skewMs };
  }
  return best;
}

const MOST_LOOKS = 5;
const SLOW_MS = 100;
const SKEW_MS = 1000;
const FULL = 0.9;

function workerFindings({ workers }: Overview): QueueFinding[] {
  const findings: QueueFinding[] = [];
  const add = (code: string, sentence: string, fix: string) =>
    findings.push({ severity: 'warning', code, sentence, fix, queue: undefined });
  for (const { name, isAlive, silentMs = 0 } of workers) {
    if (isAlive) continue;
    const sentence = `worker ${name} has shown no sign of life for ${Math.round(silentMs / 1000)} s`;
    add('silent-worker', sentence, 'it was killed, or its process stands still: look at its log');
  }
  const ours = workers.filter(({ isAlive, kind }) => isAlive && kind === 'node');
  const versions = [...new Set(ours.map(({ version = '?' }) => version))].toSorted();
  if (versions.length > 1) {
    const sentence = `workers run different versions of nestjs-rq: ${versions.join(', ')}`;
    add('mixed-versions', sentence, 'all right while you deploy; otherwise update the older ones');
  }
  for (const { name, lagMs = 0 } of ours) {
    if (lagMs < LATE_MS) continue;
    const sentence = `the event loop of worker ${name} was blocked for ${Math.round(lagMs)} ms`;
    add('blocked-loop', sentence, 'move what computes for long to a thread or a process');
  }
  return findings;
}

/** SCAN is not everybody's right. */
async function scannedFindings(store: JobStore): Promise<QueueFinding[]> {
  const { forgotten, largest } = await store.figures
    .scan(MOST_SCANNED)
    .catch(() => ({ forgotten: [], largest: [] }));
  const findings: QueueFinding[] = [];
  const add = (queue: string, code: string, sentence: string, fix: string) =>
    findings.push({ severity: 'warning', code, sentence, fix, queue });
  for (const [queue, jobsThere] of byQueue(forgotten)) {
    const count = jobsThere.length;
    const sentence = `${count} ${jobs(count)} that ended and nobody will ever delete, such as ${jobsThere[0]?.id}`;
    const fix =
      'delete them by their ids: they stand in no registry (old versions of RQ leave some)';
    add(queue, 'forgotten', sentence, fix);
  }
  for (const [queue, found] of byQueue(largest)) {
    const large = found.filter(({ bytes }) => bytes >= LARGE);
    if (large.length === 0) continue;
    const shown = large.map(({ id, bytes }) => `${id} (${Math.round(bytes / 1024)} KB)`);
    const sentence = `large payloads, such as ${shown.join(', ')}`;
    add(queue, 'large-payloads', sentence, 'keep files elsewhere, and give jobs their address');
  }
  return findings;
}

function byQueue<Job extends { readonly queue: string }>(
  found: readonly Job[],
): Map<string, Job[]> {
  const queues = new Map<string, Job[]>();
  for (const job of found) queues.set(job.queue, [...(queues.get(job.queue) ?? []), job]);
  return queues;
}

const MOST_SCANNED = 5000;
/** Bytes of data as they are stored. */
const LARGE = 256 * 1024;

/** A circle goes through any queues, also through those that were not asked for. */
async function circles(store: JobStore): Promise<QueueFinding[]> {
  const found = await store.figures.circles(await store.queues(), MOST_WAITING).catch(() => []);
  return found.map(({ jobs: count, id, queue, group }) => ({
    severity: 'warning',
    code: 'circle',
    sentence: `${count} ${jobs(count)} will never run: they wait for themselves, by way of group "${group}", such as ${id}`,
    fix: 'cancel one of them, or promote it: then the others are told',
    queue,
  }));
}

const MOST_WAITING = 50_000;

const LATE_MS = 5000;

async function queueFindings(store: JobStore, state: QueueOverview): Promise<QueueFinding[]> {
  const { queue, workers } = state;
  const findings: QueueFinding[] = [];
  const add = (code: string, sentence: string, fix: string) =>
    findings.push({ severity: 'warning', code, sentence, fix, queue });
  const { endedLeases, popped } = await store.figures.leftovers(queue);
  if (endedLeases > 0) {
    const sentence = `${endedLeases} ${jobs(endedLeases)} of dead workers that nobody has recovered`;
    const fix = `start a worker of the queue, or nestjs-rq doctor --fix ${queue}`;
    add('ended-leases', sentence, fix);
  }
  if (popped > 0 && workers === 0) {
    const sentence = `${popped} ${jobs(popped)} between queue and worker, and no worker is there`;
    const fix = `start a worker of the queue, or nestjs-rq doctor --fix ${queue}`;
    add('popped', sentence, fix);
  }
  let ghosts = 0;
  let pickled = 0;
  for (const place of PLACES) {
    if (state[place] === 0) continue;
    const page = await store.page(queue, place, { offset: 0, limit: SAMPLE });
    ghosts += page.looked - page.jobs.length;
    pickled += page.jobs.filter(({ name }) => name === undefined).length;
  }
  if (ghosts > 0) {
    const sentence = `${ghosts} entries whose job is gone`;
    add(
      'ghosts',
      sentence,
      'a worker drops those that wait; a requeue or delete of their place those that ended',
    );
  }
  if (pickled > 0) {
    const sentence = `${pickled} ${jobs(pickled)} that only Python can read (pickle)`;
    add('pickle', sentence, "enqueue them with RQ's JSONSerializer (docs/python.md)");
  }
  return findings;
}

/** Their worker shows no sign of life, but their leases go on: a thread keeps them, until the timeout. */
async function hungJobs(
  store: JobStore,
  { queue, started }: QueueOverview,
  { at, workers }: Overview,
): Promise<QueueFinding[]> {
  if (started === 0) return [];
  const alive = new Set(workers.filter(({ isAlive }) => isAlive).map(({ name }) => name));
  const page = await store.page(queue, 'started', { offset: 0, limit: SAMPLE });
  const hung = page.jobs.filter(({ worker, startedAt }) => {
    const isSilent = worker !== undefined && !alive.has(worker);
    // A worker that has started since the overview is not silent.
    return isSilent && startedAt !== undefined && at.getTime() - startedAt.getTime() > HUNG_MS;
  });
  const [first] = hung;
  if (!first) return [];
  const count = hung.length;
  const are = count === 1 ? 'is' : 'are';
  const sentence = `${count} ${jobs(count)} ${are} held by workers that show no sign of life, such as ${first.id} by worker ${first.worker}`;
  const fix =
    'end its process if it still lives: a handler probably blocks its event loop. The jobs run again when their leases have ended';
  return [{ severity: 'warning', code: 'hung-jobs', sentence, fix, queue }];
}

/** Milliseconds; as long a living worker may be silent. */
const HUNG_MS = 30_000;

function jobs(count: number): string {
  return count === 1 ? 'job' : 'jobs';
}

const PLACES: readonly RegistryName[] = ['queued', 'scheduled', 'deferred', 'failed', 'canceled'];
const SAMPLE = 200;
