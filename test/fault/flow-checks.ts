// What must hold of gates, lanes and levels after each step of the flow model.
import type { ClaimedJob } from '../../lib/wire/index.js';
import { type LinedJob, type Moves, faultInLevels, faultInOrder } from './flow-order.js';
import { GATES, type Level, TURNS_ROOM } from './flow-settings.js';
import type { View } from './flow-view.js';

export interface ModelJob extends LinedJob {
  readonly name: string;
  readonly key: string;
  /** Python has deleted it while it waited. */
  readonly isDeleted: boolean;
  /** It goes to the head of its line when it is due. */
  readonly goesFirst: boolean;
  hasRun: boolean;
  hasEnded: boolean;
  /** Its last run has put it off. */
  isPutOff: boolean;
  /** The level that the bell alone knew, of a job whose worker died before it claimed it. */
  readonly lostLevel?: Level;
}

/** A job has begun to run. */
export interface Start extends ModelJob {
  readonly at: number;
}

export interface Known {
  readonly jobs: ReadonlyMap<string, ModelJob>;
  /** Whose slots may still be held. */
  readonly taken: ReadonlySet<string>;
  /** Those that Python runs. */
  readonly python: readonly string[];
  /** How many jobs of the queue may run. */
  readonly total: number | undefined;
  /** What had opened by then was noticed, in microseconds; -1: nobody has looked. */
  readonly lookedAt: number;
}

/** What does not hold; undefined: all holds. */
export function faultIn(before: View, after: View, moves: Moves, known: Known): string | undefined {
  const jobOf = (id: string) => known.jobs.get(id);
  if (before.isPaused && moves.claimed.length > 0)
    return `${moves.claimed.join()} of a paused queue`;
  return (
    faultInGates(after) ??
    faultInPlaces(after, known) ??
    faultInLimits(after, known) ??
    faultInSlots(after, known) ??
    faultInOrder(before, after, moves, jobOf) ??
    faultInLevels(after, moves, jobOf) ??
    faultInSleep(after, moves, known)
  );
}

/** Lanes with jobs are among those of their gate, and gates with lanes among the gates; and all jobs there are counted. */
function faultInGates({ lines, ofGate, gates, count }: View): string | undefined {
  const lanes = [...lines].filter(([name]) => name.includes('\t'));
  for (const [gate, keys] of ofGate) {
    const isOpen = gates.has(gate);
    if (isOpen !== keys.length > 0)
      return `gate ${gate} has ${keys.length} lanes, and ${isOpen ? 'is' : 'is not'} among the gates`;
    const waiting = lanes.flatMap(([lane]) => (lane.startsWith(`${gate}\t`) ? [lane] : []));
    const listed = keys.map((key) => `${gate}\t${key}`);
    if (waiting.toSorted().join() !== listed.toSorted().join())
      return `lanes of ${gate}: ${listed.join()} instead of ${waiting.join()}`;
  }
  const inLanes = lanes.flatMap(([, ids]) => ids).length;
  return inLanes === count ? undefined : `${inLanes} jobs are in lanes, counted are ${count}`;
}

/** A job is in exactly one place, which fits to its status, key and level. */
function faultInPlaces(view: View, { jobs }: Known): string | undefined {
  for (const [id, job] of jobs) {
    if (job.hasEnded) continue;
    const status = view.status.get(id) ?? '';
    const places = view.places.get(id) ?? [];
    const fits = places.filter((place) => fitsStatus(place, status, id, job, view));
    const isRight = job.isDouble ? fits.length > 0 : places.length === 1 && fits.length === 1;
    if (!isRight)
      return `${status} job ${id} of ${job.name}, level ${job.level}, is in ${JSON.stringify(places)}`;
  }
  return undefined;
}

function fitsStatus(place: string, status: string, id: string, job: ModelJob, view: View): boolean {
  if (status !== 'queued') return place === status;
  if (place === 'intermediate') return true;
  const isBell = view.bell?.id === id;
  if (place === 'normal' && isBell) return view.bell?.level === job.level;
  const own = job.level ?? 'normal';
  if (job.isPlain) return place === own;
  // Until it is sorted it stands where Python has put it.
  return place === `${job.name}\t${job.key}` || place === own;
}

function faultInLimits(view: View, { jobs, python, total }: Known): string | undefined {
  const running = new Map<string, number>();
  const add = (name: string) => running.set(name, (running.get(name) ?? 0) + 1);
  let ours = 0;
  for (const id of view.started) {
    const job = jobs.get(id);
    if (!job || python.includes(id)) continue;
    ours += 1;
    if (job.isUnsorted) continue;
    add(job.name);
    add(`${job.name}\t${job.key}`);
  }
  if (total !== undefined && ours > total) return `${ours} jobs of the queue run`;
  for (const [place, count] of running) {
    const [name = '', key] = place.split('\t');
    const limit = key === undefined ? GATES[name]?.total : GATES[name]?.perKey;
    if (limit !== undefined && count > limit) return `${count} jobs of ${place} run, ${limit} may`;
  }
  return undefined;
}

/** Who holds a slot runs. */
function faultInSlots({ held, leases }: View, { jobs, taken }: Known): string | undefined {
  for (const [gate, holders] of held) {
    for (const { id, member } of holders) {
      if (leases.has(member) || taken.has(id)) continue;
      if (jobs.get(id)?.hasEnded === false)
        return `a slot of ${gate} is held by ${id}, which does not run`;
    }
  }
  return undefined;
}

/** Nobody sleeps while there is something for it to do. */
function faultInSleep(view: View, moves: Moves, { total, lookedAt }: Known): string | undefined {
  if (lookedAt < 0 || view.isPaused || view.rests) return undefined;
  if (total !== undefined && view.started.length >= total) return undefined;
  for (const [gate, opensAt] of view.gates) {
    // The wake-ups of the model have no listeners: whoever is told is gone from the list.
    const sleepers = view.sleepers.filter((full) => !full.includes(`\t${gate}\t`));
    if (opensAt <= lookedAt && GATES[gate] && sleepers.length > 0)
      return `${gate} is open, and ${sleepers.length} workers sleep`;
  }
  // Those that sleep at RQ's list find nothing there while a level has jobs: one of these stands there.
  const [high, normal, low] = ['high', 'normal', 'low'].map((line) => view.lines.get(line) ?? []);
  const hasLevels = [high, low].some((line) => line !== undefined && line.length > 0);
  if (moves.want > 0 && !moves.isLimited && hasLevels && normal?.length === 0)
    return 'jobs wait in levels, and none stands in the list';
  return undefined;
}

/** Batches are of one key and take one slot, and what holds slots or starts comes for slots alone. */
export function faultInClaims(
  claimed: readonly ClaimedJob[],
  { slots, want }: { slots: number; want: number },
  jobs: ReadonlyMap<string, ModelJob>,
): string | undefined {
  const used = slotsOf(claimed);
  if (used > want) return `${used} slots are used, ${want} were asked for`;
  const ofLanes = slotsOf(claimed.filter(({ lane }) => lane !== undefined));
  if (ofLanes > slots) return `${ofLanes} slots are used by jobs of lanes, ${slots} were free`;
  const turns = claimed.filter(
    ({ id, lane }) => lane !== undefined && jobs.get(id)?.name === 'turns',
  );
  if (turns.length > TURNS_ROOM)
    return `${turns.length} jobs of turns, ${TURNS_ROOM} were asked for`;
  for (const name of new Set(claimed.map(({ batch }) => batch))) {
    const batch = name === undefined ? [] : claimed.filter((job) => job.batch === name);
    if (new Set(batch.map(({ lane }) => lane)).size > 1) return 'a batch has several keys';
    if (batch.length > (GATES['bulk']?.batch?.size ?? 0)) return `a batch of ${batch.length}`;
  }
  return undefined;
}

/** How many slots of a worker they take. */
export function slotsOf(jobs: readonly ClaimedJob[]): number {
  const batches = new Set(jobs.map(({ batch }) => batch).filter((batch) => batch !== undefined));
  return batches.size + jobs.filter(({ batch }) => batch === undefined).length;
}

/** No span of time holds more starts than its limit. */
export function faultInRates(starts: readonly Start[]): string | undefined {
  for (const [name, { rate, keyRate }] of Object.entries(GATES)) {
    const limit = rate ?? keyRate;
    if (!limit) continue;
    const groups = new Map<string, number[]>();
    for (const start of starts) {
      if (start.name !== name) continue;
      const group = keyRate ? start.key : '';
      groups.set(group, [...(groups.get(group) ?? []), start.at]);
    }
    for (const times of groups.values()) {
      for (let at = limit.max; at < times.length; at += 1) {
        const span = (times[at] ?? 0) - (times[at - limit.max] ?? 0);
        if (span < limit.per - 1) return `${limit.max + 1} starts of ${name} within ${span} ms`;
      }
    }
  }
  return undefined;
}
