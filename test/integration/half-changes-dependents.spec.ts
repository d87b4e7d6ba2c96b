// Whatever Redis refuses in the middle of a script that touches jobs that wait for others, nothing is lost: when the
// obstacle is gone, the same call, the next exchange or the sweep brings every job where it belongs.
import type { Outcome } from '../../lib/job/index.js';
import type { ExchangeRequest, NewJob, RedisJobStore } from '../../lib/store/index.js';
import { control, empty, enqueue, exchange, recover } from '../../lib/store/scripts/compiled.js';
import type { ClaimedJob } from '../../lib/wire/index.js';
import { Engine } from './support/engine.js';
import { FAILURE, type GraphJob, newJob } from './support/graph.js';
import { LimitedUser } from './support/limited-user.js';

const engine = Engine.forThisFile();
const user = LimitedUser.forThisFile(engine);
const QUEUES = ['jobs', 'other'];
const TOKEN = 'a'.repeat(16);
let limited: RedisJobStore;

beforeAll(async () => {
  limited = await user.openStore();
});

/** Two parents, children of every kind, and a child of a child. */
const FAMILY: readonly GraphJob[] = [
  { id: 'p' },
  { id: 'q' },
  { id: 'cancels', queue: 'other', after: ['p', 'q'] },
  { id: 'runs', queue: 'other', after: ['p'], ifFailed: 'run', options: { delay: 60 } },
  { id: 'waits', queue: 'other', after: ['q', 'p'], ifFailed: 'wait' },
  { id: 'front', after: ['p'], options: { atFront: true } },
  { id: 'grandchild', after: ['cancels'] },
];
const IDS = [...FAMILY.map(({ id }) => id), 'new', 'other-new'];

const store = (jobs: readonly GraphJob[], by = engine.store) =>
  by.enqueue(
    jobs.map((job): NewJob => ({ ...newJob(job), check: 'once' })),
    'all',
  );

function exchangeOf(by: RedisJobStore, request: Partial<ExchangeRequest>, queue = 'jobs') {
  return by.exchange(queue, {
    leaseMs: 600_000,
    worker: 'w',
    token: TOKEN,
    nextExecution: 0,
    want: 0,
    suspects: { from: 2, takes: true, delay: 10 },
    woken: [],
    outcomes: [],
    call: undefined,
    events: [],
    ...request,
  });
}

/** `p` and `q` run. */
async function family(options = {}): Promise<readonly ClaimedJob[]> {
  await store(FAMILY.map((job) => (job.id === 'p' ? { ...job, options } : job)));
  return (await exchangeOf(engine.store, { want: 2 })).claimed;
}

async function settle(
  by: RedisJobStore,
  jobs: readonly ClaimedJob[],
  outcome: Outcome,
  queue = 'jobs',
) {
  let left = jobs;
  // A worker sends again what Redis could not write.
  for (let number = 1; left.length > 0; number += 1) {
    const outcomes = left.map((job) => ({ job, outcome, startedAt: 0, endedAt: 1 }));
    const call = { slot: 0, number, isRepeated: false, renewsNotes: true };
    const { refused } = await exchangeOf(by, { outcomes, call }, queue);
    const again = refused.filter(({ status }) => status.startsWith('error '));
    left = again.map(({ index }) => left[index]!);
    if (left.length > 0 && number === 2) throw new Error(again[0]?.status);
  }
}

const finished: Outcome = { type: 'finished', result: '{"a":1}' };
const failed: Outcome = { type: 'failed', failure: FAILURE };

/** As Python leaves a parent that it failed. */
async function failedByPython(): Promise<void> {
  await family();
  await engine.client.zrem('rq:wip:jobs', ...(await engine.client.zrange('rq:wip:jobs', '0', '0')));
  await engine.client.hset('rq:job:p', 'status', 'failed');
  await engine.client.zadd('rq:failed:jobs', Date.now() / 1000 + 500, 'p');
}

async function crashed(): Promise<void> {
  await family();
  for (const member of await engine.client.zrange('rq:wip:jobs', '0', '-1')) {
    if (member.startsWith('p:')) await engine.client.zadd('rq:wip:jobs', '1', member);
  }
  await engine.client.zadd('rq:nrq:alive:jobs', Date.now(), '15000');
}

interface Scenario {
  readonly name: string;
  readonly script: { readonly commands: readonly string[] };
  readonly prepare: () => Promise<unknown>;
  readonly act: (by: RedisJobStore, prepared: never) => Promise<unknown>;
  /** What brings to light whether children are forgotten. */
  readonly atLast?: () => Promise<unknown>;
}

const scenario = <Prepared>(
  script: Scenario['script'],
  name: string,
  prepare: () => Promise<Prepared>,
  act: (by: RedisJobStore, prepared: Prepared) => Promise<unknown>,
  atLast?: Scenario['atLast'],
): Scenario => ({ script, name, prepare, act, atLast });

const end = { dependents: 'end' } as const;
const ended = async (outcome: Outcome) => {
  await settle(engine.store, await family(), outcome);
};
const requeue = (by: RedisJobStore) => by.control('jobs', 'p', { type: 'requeue', front: false });
const look = (by: RedisJobStore) => by.recover('jobs', { maxCrashes: 1, leaseMs: 600_000 });
/** All that waits in the queues runs. */
async function finishAll(): Promise<void> {
  for (const queue of ['jobs', 'other', 'jobs']) {
    const number = (await engine.client.incr('rq:test-number')) * 100;
    const { claimed } = await exchangeOf(engine.store, { want: 10, nextExecution: number }, queue);
    await settle(engine.store, claimed, finished, queue);
  }
}
const NEW: readonly GraphJob[] = [
  { id: 'new', after: ['p', 'q'] },
  { id: 'other-new', queue: 'other', after: ['new', 'p'], ifFailed: 'run' },
];

const SCENARIOS: readonly Scenario[] = [
  scenario(
    enqueue,
    'jobs that wait are enqueued',
    () => family(),
    (by) => store(NEW, by),
  ),
  scenario(
    enqueue,
    'jobs are enqueued whose parents have finished',
    () => ended(finished),
    (by) => store(NEW, by),
  ),
  scenario(
    enqueue,
    'jobs are enqueued whose parents have failed',
    () => ended(failed),
    (by) => store(NEW, by),
  ),
  scenario(
    exchange,
    'both parents finish',
    () => family(),
    (by, jobs) => settle(by, jobs, finished),
  ),
  scenario(
    exchange,
    'one finishes and is not kept',
    () => family({ resultTtl: 0 }),
    (by, jobs) => settle(by, jobs.slice(0, 1), finished),
  ),
  scenario(
    exchange,
    'both parents fail',
    () => family(),
    (by, jobs) => settle(by, jobs, failed),
  ),
  scenario(
    exchange,
    'one finishes, when the other has failed and is requeued',
    async () => {
      const jobs = await family();
      await settle(engine.store, jobs.slice(0, 1), failed);
      return jobs.slice(1);
    },
    async (by, jobs) => {
      await requeue(by);
      await settle(by, jobs, finished);
    },
    finishAll,
  ),
  scenario(control, 'a parent is canceled', family, (by) =>
    by.control('jobs', 'p', { type: 'cancel', ...end }),
  ),
  scenario(control, 'a parent is canceled, and its children run', family, (by) =>
    by.control('jobs', 'p', { type: 'cancel', dependents: 'release' }),
  ),
  scenario(control, 'a parent is deleted', family, (by) =>
    by.control('jobs', 'p', { type: 'delete', ...end }),
  ),
  scenario(control, 'a child is canceled', family, (by) =>
    by.control('other', 'cancels', { type: 'cancel', ...end }),
  ),
  scenario(control, 'a parent is requeued', () => ended(failed), requeue, finishAll),
  scenario(
    empty,
    'a parent is emptied away',
    () => store(FAMILY),
    (by) => by.empty('jobs'),
  ),
  scenario(recover, 'a parent is failed as poison', crashed, look),
  scenario(
    recover,
    'the sweep looks at children of a parent that Python failed',
    failedByPython,
    (by) => by.recover('other', { maxCrashes: 1, leaseMs: 600_000 }),
  ),
];

/** All that may be in the way, and how it goes away again. */
interface Obstacle {
  readonly name: string;
  readonly put: () => Promise<unknown>;
  readonly take: () => Promise<unknown>;
}

const refused = (command: string): Obstacle => ({
  name: `-${command}`,
  put: () => user.mayAllBut(command),
  take: () => user.mayAllBut(),
});

const keptAs = (key: string) => `${key}:kept`;

/** Something else stands there for a while. */
const spoilt = (key: string): Obstacle => ({
  name: `${key} of another type`,
  put: async () => {
    await engine.client.rename(key, keptAs(key)).catch(() => undefined);
    if (key === 'rq:scheduler-lock:jobs') await engine.client.lpush(key, 'x');
    else await engine.client.set(key, 'x');
  },
  take: async () => {
    await engine.client.del(key);
    await engine.client.rename(keptAs(key), key).catch(() => undefined);
  },
});

const full: Obstacle = {
  name: 'no memory',
  put: () => engine.client.config('SET', 'maxmemory', '1'),
  take: () => engine.client.config('SET', 'maxmemory', '0'),
};

const KEYS = [
  ...QUEUES.flatMap((queue) => [
    `rq:queue:${queue}`,
    ...['scheduled', 'deferred', 'canceled'].map((registry) => `rq:${registry}:${queue}`),
  ]),
  ...['wip', 'finished', 'failed', 'nrq:ended', 'nrq:untold', 'nrq:hung'].map(
    (name) => `rq:${name}:jobs`,
  ),
  ...['cancels', 'new'].flatMap((id) => [`rq:job:${id}:dependents`, `rq:job::${id}:dependencies`]),
  'rq:results:p',
];

/** Where everything is: the jobs, and for whom they wait. */
async function state(): Promise<string[]> {
  return (await engine.client.eval(STATE, 0, ...IDS)) as string[];
}

const STATE = `
local lines = {}
local function add(line) lines[#lines + 1] = line end
for _, id in ipairs(ARGV) do
  local status = redis.call('HGET', 'rq:job:' .. id, 'status') or 'missing'
  local places = {}
  for _, queue in ipairs({ 'jobs', 'other' }) do
    for _, list in ipairs({ 'rq:queue:' .. queue, 'rq:queue:' .. queue .. ':intermediate' }) do
      for _, found in ipairs(redis.call('LPOS', list, id, 'COUNT', 0)) do places[#places + 1] = list end
    end
    for _, registry in ipairs({ 'scheduled', 'deferred', 'finished', 'failed', 'canceled' }) do
      if redis.call('ZSCORE', 'rq:' .. registry .. ':' .. queue, id) then places[#places + 1] = registry .. ' ' .. queue end
    end
    for _, member in ipairs(redis.call('ZRANGE', 'rq:wip:' .. queue, 0, -1)) do
      if string.find(member, id .. ':', 1, true) == 1 then places[#places + 1] = 'wip ' .. queue end
    end
  end
  local waits = status == 'deferred' and redis.call('SMEMBERS', 'rq:job::' .. id .. ':dependencies') or {}
  table.sort(waits)
  add(id .. ': ' .. status .. ' in ' .. table.concat(places, '+') .. ', waits for ' .. table.concat(waits, '+'))
end
for _, key in ipairs(redis.call('KEYS', 'rq:nrq:end*')) do add(key) end
for _, key in ipairs(redis.call('KEYS', 'rq:nrq:untold*')) do add(key) end
return lines
`;

async function attempt({ prepare, act, atLast }: Scenario, obstacle?: Obstacle): Promise<string[]> {
  await engine.client.flushall();
  await user.mayAllBut();
  const prepared = (await prepare()) as never;
  await obstacle?.put();
  let isDone = await act(limited, prepared).then(
    () => true,
    () => false,
  );
  await obstacle?.take();
  // Who was refused tries again, as workers do and users can.
  if (obstacle && !isDone) isDone = await act(limited, prepared).then(() => true);
  await exchangeOf(engine.store, {});
  for (const queue of QUEUES) await sweep(queue);
  await atLast?.();
  return state();
}

async function sweep(queue: string): Promise<void> {
  await engine.client.del(`rq:nrq:swept:${queue}`);
  await engine.store.recover(queue, { maxCrashes: 1, leaseMs: 600_000 });
}

describe('nothing is lost, whatever is refused, when', () => {
  it.each(SCENARIOS.map((one) => [one.name, one] as const))(
    '%s',
    async (_, one) => {
      const done = await attempt(one);
      const obstacles = [...one.script.commands.map(refused), ...KEYS.map(spoilt), full];
      const lost: object[] = [];
      for (const obstacle of obstacles) {
        const after = await attempt(one, obstacle);
        if (String(after) !== String(done)) {
          const differ = (one: string[], other: string[]) =>
            one.filter((line) => !other.includes(line));
          lost.push({
            obstacle: obstacle.name,
            is: differ(after, done),
            should: differ(done, after),
          });
        }
      }
      expect(lost).toEqual([]);
    },
    120_000,
  );
});
