// All that the flow model looks at in Redis, at one moment.
import type { Redis } from 'ioredis';
import { GATES } from './flow-settings.js';

export interface View {
  /** Ids that wait, by line: `high`, `normal` (RQ's list), `low`, and each lane as NAME TAB KEY. */
  readonly lines: ReadonlyMap<string, readonly string[]>;
  /** The job that stands in RQ's list for its level. */
  readonly bell: { readonly level: string; readonly id: string } | undefined;
  /** Keys with waiting jobs, by gate. */
  readonly ofGate: ReadonlyMap<string, readonly string[]>;
  /** When each opens, microseconds. */
  readonly gates: ReadonlyMap<string, number>;
  readonly held: ReadonlyMap<string, readonly { readonly id: string; readonly member: string }[]>;
  readonly places: ReadonlyMap<string, readonly string[]>;
  readonly started: readonly string[];
  readonly leases: ReadonlySet<string>;
  /** Of those that were asked for. */
  readonly status: ReadonlyMap<string, string>;
  /** How many jobs are in lanes, as it is counted. */
  readonly count: number;
  /** Of each worker that sleeps: the gates of which it takes no more, between tabs. */
  readonly sleepers: readonly string[];
  readonly isPaused: boolean;
  /** The queue as a whole starts nothing for a time. */
  readonly rests: boolean;
}

/** The names of what belongs to a queue. */
export function keysOfQueue(queue: string) {
  const list = `rq:queue:${queue}`;
  return {
    list,
    high: `${list}!high`,
    low: `${list}!low`,
    intermediate: `${list}:intermediate`,
    started: `rq:wip:${queue}`,
    scheduled: `rq:scheduled:${queue}`,
    flags: `rq:nrq:flags:${queue}`,
    lane: `rq:nrq:lane:${queue}\t`,
    alive: `rq:nrq:alive:${queue}`,
    grace: `rq:nrq:grace:${queue}`,
    swept: `rq:nrq:swept:${queue}`,
  };
}

/** @param ids of which the status is read */
export async function viewOf(redis: Redis, queue: string, ids: readonly string[]): Promise<View> {
  const names = keysOfQueue(queue);
  const laneKeys = (await redis.keys(`rq:nrq:lane:${queue}\t*`)).toSorted();
  const gateNames = Object.keys(GATES);
  const batch = redis.multi();
  for (const list of [names.high, names.list, names.low, names.intermediate])
    batch.lrange(list, '0', '-1');
  batch.zrange(names.started, '0', '-1').zrange(names.scheduled, '0', '-1');
  batch.hmget(names.flags, 'n', 'bell', 's');
  batch.zrange(`rq:nrq:gates:${queue}`, '0', '-1', 'WITHSCORES').hgetall(`rq:nrq:asleep:${queue}`);
  batch.exists(`rq:nrq:paused:${queue}`);
  for (const key of laneKeys) batch.lrange(key, '0', '-1');
  for (const gate of gateNames) {
    batch.zrange(`rq:nrq:lanes:${queue}\t${gate}`, '0', '-1');
    batch.zrange(`rq:nrq:held:${queue}\t${gate}`, '0', '-1');
  }
  for (const id of ids) batch.hget(`rq:job:${id}`, 'status');
  const replies = ((await batch.exec()) ?? []).map(([, reply]) => reply);
  const next = <T>() => replies.shift() as T;

  const lines = new Map<string, string[]>();
  const places = new Map<string, string[]>();
  const put = (list: readonly string[], place: string) => {
    for (const id of list) places.set(id, [...(places.get(id) ?? []), place]);
  };
  for (const line of ['high', 'normal', 'low']) {
    lines.set(line, next());
    put(lines.get(line) ?? [], line);
  }
  put(next(), 'intermediate');
  const members = next<string[]>();
  const started = members.map(idOf);
  put(started, 'started');
  put(next(), 'scheduled');
  const [count, bell, rests] = next<(string | null)[]>();
  const scores = next<string[]>();
  const sleepers = Object.values(next<Record<string, string>>());
  const isPaused = next<number>() === 1;
  for (const key of laneKeys) {
    const lane = key.slice(names.lane.length);
    lines.set(lane, next());
    put(lines.get(lane) ?? [], lane);
  }
  const ofGate = new Map<string, string[]>();
  const held = new Map<string, { id: string; member: string }[]>();
  for (const gate of gateNames) {
    ofGate.set(gate, next());
    const holders = next<string[]>().map((text) => text.slice(text.lastIndexOf('\t') + 1));
    held.set(
      gate,
      holders.map((member) => ({ member, id: idOf(member) })),
    );
  }
  const status = new Map<string, string>();
  for (const id of ids) {
    const text = next<string | null>();
    if (text !== null) status.set(id, text);
  }
  const gates = new Map<string, number>();
  for (let at = 0; at < scores.length; at += 2) gates.set(scores[at] ?? '', Number(scores[at + 1]));
  const [level = '', id = ''] = bell?.split(' ') ?? [];
  return {
    lines,
    bell: lines.get('normal')?.includes(id) ? { level, id } : undefined,
    ofGate,
    gates,
    held,
    places,
    started,
    leases: new Set(members),
    status,
    count: Number(count ?? 0),
    sleepers,
    isPaused,
    rests: typeof rests === 'string',
  };
}

function idOf(member: string): string {
  return member.slice(0, member.lastIndexOf(':'));
}
