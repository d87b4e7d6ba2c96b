import type { Limits } from '../job/index.js';
import type { JobStore, LimitTarget, StoredLane, StoredLimits, StoredUse } from '../store/index.js';
import type { QueueOverview } from './overview.js';

/** A limit, and how much of it is used. */
export interface LimitUse extends LimitTarget {
  readonly queue: string;
  /** Which one, as it is named in options; undefined: a handler has put something off (`SnoozeJob`). */
  readonly limit: 'total' | 'perKey' | 'rateLimit' | 'rateLimit.perKey' | undefined;
  /** Running jobs, or starts that count; undefined: it is that of each key. */
  readonly used: number | undefined;
  /** Undefined: it is put off. */
  readonly max: number | undefined;
  /** Seconds in which so many may start; undefined: it is not a rate. */
  readonly per: number | undefined;
  /** It keeps jobs from starting now. */
  readonly isUsedUp: boolean;
  /** When the next may start; undefined: now, or as soon as a slot is free. */
  readonly opensAt: Date | undefined;
  /** `declared`: by a worker; `set`: by an operator, which wins; `snoozed`: a handler has put it off. */
  readonly from: 'declared' | 'set' | 'snoozed';
  /** When what is set or put off ends; undefined: not by itself. */
  readonly until: Date | undefined;
  /** Jobs of it that wait, as far as 1000 lanes tell. */
  readonly waiting: number;
  /** When the oldest of these became ready to run; undefined: none waits, or it does not say. */
  readonly since: Date | undefined;
}

/** How much of a queue's limits is used: those of the queue, of its handlers, and of the keys of which jobs wait. */
export async function limitUsesOf(
  store: JobStore,
  state: QueueOverview,
  now: Date,
): Promise<LimitUse[]> {
  const { queue } = state;
  const { limits } = store;
  const [stored, lanes] = await Promise.all([
    limits.read(queue),
    limits.lanes(queue, { offset: 0, limit: MOST_LANES }),
  ]);
  const targets = targetsOf(stored, lanes);
  if (targets.length === 1 && isEmpty(stored)) return [];
  const uses = await limits.uses(queue, targets);
  return targets.flatMap((target, index) => {
    const waits = target.handler === undefined ? ofQueue(state, now) : ofLanes(target, lanes);
    const rows = (uses[index] ?? []).map((use) => rowOf(queue, target, use, stored, waits));
    return [...rows, ...eachKey(queue, target, stored, waits)];
  });
}

function isEmpty({ declared, set, resting }: StoredLimits): boolean {
  return declared.size === 0 && set.length === 0 && resting.length === 0;
}

/** The queue, then its handlers, each with its keys. */
function targetsOf({ declared, set, resting }: StoredLimits, lanes: readonly StoredLane[]) {
  const keys = new Map<string, Set<string>>();
  const add = (handler: string | undefined, key: string | undefined) => {
    if (handler === undefined) return;
    const own = keys.get(handler) ?? new Set();
    keys.set(handler, own);
    if (key !== undefined) own.add(key);
  };
  for (const handler of declared.keys()) add(handler, undefined);
  for (const { target } of [...set, ...resting]) add(target.handler, target.key);
  for (const { handler, key } of lanes) add(handler, key);
  const targets: LimitTarget[] = [{ handler: undefined, key: undefined }];
  for (const [handler, own] of [...keys].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    targets.push({ handler, key: undefined }, ...[...own].map((key) => ({ handler, key })));
  }
  return targets;
}

type Waits = Pick<LimitUse, 'waiting' | 'since'>;

function ofQueue({ queued, oldestMs = 0, heldMs = 0 }: QueueOverview, now: Date): Waits {
  const since = new Date(now.getTime() - Math.max(oldestMs, heldMs));
  return { waiting: queued, since: queued > 0 ? since : undefined };
}

function ofLanes({ handler, key }: LimitTarget, lanes: readonly StoredLane[]): Waits {
  const own = lanes.filter((lane) => lane.handler === handler && (key ?? lane.key) === lane.key);
  const oldest = Math.min(...own.map(({ since = Infinity }) => since));
  return {
    waiting: own.reduce((sum, lane) => sum + lane.waiting, 0),
    since: oldest === Infinity ? undefined : new Date(oldest),
  };
}

function rowOf(
  queue: string,
  target: LimitTarget,
  use: StoredUse,
  stored: StoredLimits,
  waits: Waits,
): LimitUse {
  const { why, used, max, per, stops: isUsedUp, opensAt } = use;
  const ofKey = target.key !== undefined;
  const isRate = why === 'rate';
  const limit = isRate ? (ofKey ? 'rateLimit.perKey' : 'rateLimit') : ofKey ? 'perKey' : 'total';
  const setting = why === 'snoozed' ? undefined : settingOf(stored, target, NAMES[limit]);
  return {
    queue,
    ...target,
    limit: why === 'snoozed' ? undefined : limit,
    used,
    max,
    per: per === undefined ? undefined : per / 1000,
    isUsedUp,
    opensAt: dateOf(opensAt),
    from: why === 'snoozed' ? 'snoozed' : setting ? 'set' : 'declared',
    until: dateOf(why === 'snoozed' ? opensAt : setting?.until),
    ...waits,
  };
}

/** What holds for each key of a handler: how much is used of it only the keys tell. */
function eachKey(queue: string, target: LimitTarget, stored: StoredLimits, waits: Waits) {
  if (target.handler === undefined || target.key !== undefined) return [];
  const declared = stored.declared.get(target.handler);
  return (['perKey', 'keyRate'] as const).flatMap((name): LimitUse[] => {
    const setting = settingOf(stored, target, name);
    const value = (setting?.limits ?? declared)?.[name];
    const { max, per } = typeof value === 'object' ? value : { max: value, per: undefined };
    if (max === undefined || max === Infinity) return [];
    const limit = name === 'perKey' ? 'perKey' : 'rateLimit.perKey';
    return [
      {
        queue,
        ...target,
        limit,
        used: undefined,
        max,
        per: per === undefined ? undefined : per / 1000,
        isUsedUp: false,
        opensAt: undefined,
        from: setting ? 'set' : 'declared',
        until: dateOf(setting?.until),
        ...waits,
      },
    ];
  });
}

/** What an operator has set of this limit: for the key itself, else for its handler. */
function settingOf({ set }: StoredLimits, { handler, key }: LimitTarget, name: keyof Limits) {
  const own = set.filter(({ target, limits }) => {
    const isMeant = target.handler === handler && (target.key ?? key) === key;
    return isMeant && limits[name] !== undefined;
  });
  return own.find(({ target }) => target.key === key) ?? own[0];
}

function dateOf(moment: number | undefined): Date | undefined {
  return moment === undefined ? undefined : new Date(moment);
}

const NAMES = {
  total: 'total',
  perKey: 'perKey',
  rateLimit: 'rate',
  'rateLimit.perKey': 'keyRate',
} as const;
const MOST_LANES = 1000;
