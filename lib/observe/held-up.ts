import type { Finding } from '../job/index.js';
import { limitInWords } from '../queue/index.js';
import type { JobStore, StoredLane } from '../store/index.js';
import type { Overview, QueueOverview } from './overview.js';

/**
 * Finds limits that hold up jobs for long. A tenant who has used up his share waits by design, and a rate makes jobs wait
 * for as long as its span. So a finding is only what has waited for longer than that span, and for ten minutes, which is
 * also as long as jobs may wait that nothing holds up. What a handler has put off, a batch, and strict order end by
 * themselves.
 */
export async function heldUp(
  store: JobStore,
  state: QueueOverview,
  { at }: Overview,
): Promise<HeldUp[]> {
  const { queue, heldMs, paused, suspended } = state;
  if (heldMs === undefined || paused || suspended) return [];
  const { limits } = store;
  const [[ofQueue = []], lanes] = await Promise.all([
    limits.uses(queue, [{ handler: undefined, key: undefined }]),
    limits.lanes(queue, { offset: 0, limit: MOST_LANES }),
  ]);
  const whole = ofQueue.flatMap((use): HeldJobs[] => {
    const limit = { ...use, scope: 'queue' as const, handler: undefined, keys: [] };
    return use.stops ? [{ ...limit, waiting: state.queued, since: at.getTime() - heldMs }] : [];
  });
  return [...whole, ...byLimit(lanes)]
    .filter(({ why, per = 0, since }) => {
      return LIMITS.has(why) && at.getTime() - since > Math.max(LONG_MS, per);
    })
    .toSorted((one, other) => one.since - other.since)
    .slice(0, MOST_FINDINGS)
    .map((held) => findingOf(queue, held, at));
}

interface HeldUp extends Finding {
  readonly queue: string;
}

/** Jobs that wait for the same limit, or for those of several keys of a handler. */
interface HeldJobs extends Pick<StoredLane, 'used' | 'max' | 'per'> {
  readonly why: NonNullable<StoredLane['why']>;
  readonly scope: NonNullable<StoredLane['scope']>;
  readonly handler: string | undefined;
  readonly keys: readonly string[];
  readonly waiting: number;
  /** When the oldest became ready. */
  readonly since: number;
}

function byLimit(lanes: readonly StoredLane[]): HeldJobs[] {
  const found = new Map<string, HeldJobs>();
  for (const { why, scope, handler, key, waiting, since = Infinity, ...numbers } of lanes) {
    if (why === undefined || scope === undefined || scope === 'queue') continue;
    const place = JSON.stringify([why, scope, handler]);
    const known = found.get(place);
    const isOlder = known === undefined || since < known.since;
    // The oldest is the one that is named.
    const first = isOlder ? { ...numbers, since } : known;
    const keys = isOlder ? [key, ...(known?.keys ?? [])] : [...known.keys, key];
    const sum = waiting + (known?.waiting ?? 0);
    found.set(place, { ...first, why, scope, handler, keys, waiting: sum });
  }
  return [...found.values()];
}

function findingOf(queue: string, held: HeldJobs, at: Date): HeldUp {
  const { waiting, keys, scope, handler, max = 0, per = 0, why } = held;
  const [key] = keys;
  const jobs = `${waiting} ${waiting === 1 ? 'job waits' : 'jobs wait'}`;
  const others = scope === 'key' && keys.length > 1 ? ` and ${keys.length - 1} more keys` : '';
  const words = limitInWords(queue, { ...held, handler, key });
  const minutes = Math.floor((at.getTime() - held.since) / 60_000);
  const sentence = `${jobs} for ${words}${others}, the oldest for ${minutes} minutes`;
  const target = { ...(handler !== undefined && { handler }), ...(scope === 'key' && { key }) };
  const name = scope === 'key' ? 'perKey' : 'total';
  const rate = { max: 2 * max, per: per / 1000 };
  const raised =
    why === 'rate'
      ? { rateLimit: scope === 'key' ? { perKey: rate } : rate }
      : { concurrency: { [name]: 2 * max } };
  const set = (settings: object) => `queue.setLimits(${JSON.stringify(settings)})`;
  const fix =
    max === 0
      ? `let it start as declared again: ${set(target)}, or on the dashboard`
      : `raise it: ${set({ ...target, ...raised })}, or on the dashboard; what runs: nestjs-rq jobs ${queue} --in started`;
  return { severity: 'warning', code: 'held-up', sentence, fix, queue };
}

const LIMITS: ReadonlySet<string> = new Set(['concurrency', 'paused', 'rate']);
const LONG_MS = 600_000;
/** Keeps the look short: of more lanes, the first by turn. */
const MOST_LANES = 1000;
const MOST_FINDINGS = 5;
