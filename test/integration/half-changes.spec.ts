// Whatever Redis refuses in the middle of a script, a job is never left between two states: for every script, each key is
// replaced by one of another type, and each command is taken from the user's rights, one at a time.
import type { Outcome } from '../../lib/job/index.js';
import { Queue } from '../../lib/queue/index.js';
import type { ExchangeRequest, RedisJobStore } from '../../lib/store/index.js';
import {
  beat,
  control as controlScript,
  empty,
  enqueue as enqueueScript,
  exchange as exchangeScript,
  recover,
  renew,
  tell,
  watch,
} from '../../lib/store/scripts/compiled.js';
import type { ClaimedJob } from '../../lib/wire/index.js';
import { Engine } from './support/engine.js';
import { LAYOUT } from './support/layout.js';
import { LimitedUser } from './support/limited-user.js';
import { TEXTS, keysOf, stateIn } from './support/whole-state.js';

const engine = Engine.forThisFile();
const user = LimitedUser.forThisFile(engine);
const TOKEN = 'a'.repeat(16);
const FAILURE = { name: 'Error', message: 'no', stack: 'Error: no' };

let limited: RedisJobStore;
/** The same, with RQ's records of executions. */
let shared: RedisJobStore;

beforeAll(async () => {
  limited = await user.openStore();
  shared = LAYOUT === 'shared' ? await user.openStore({ sharedWithPython: true }) : limited;
});

function exchange(store: RedisJobStore, request: Partial<ExchangeRequest>) {
  return store.exchange('jobs', {
    leaseMs: 60_000,
    worker: 'w',
    token: TOKEN,
    nextExecution: 0,
    want: 0,
    suspects: { from: 2, takes: true, delay: 10 },
    woken: [],
    outcomes: [],
    call: { slot: 0, number: 1, isRepeated: false, renewsNotes: true },
    events: [],
    ...request,
  });
}

const SCRIPTS = {
  beat,
  control: controlScript,
  empty,
  enqueue: enqueueScript,
  exchange: exchangeScript,
  recover,
  renew,
  tell,
  watch,
};

/** What is done with the job `j`, as the user whose rights are limited, and what was there before. */
interface Scenario {
  readonly script: keyof typeof SCRIPTS;
  readonly name: string;
  readonly prepare?: () => Promise<unknown>;
  readonly act: (prepared: unknown) => Promise<unknown>;
  /** Another state that is whole. */
  readonly otherwise?: readonly string[];
}

const LONG_LEASE = 600_000;
const WORKER = { name: 'w', queues: ['jobs'], version: '1', ttl: 60, state: 'idle' } as const;
const DONE = { finished: 1, failed: 1, seconds: 1 };

/** Leases count: there was somebody all the time who could have renewed them. */
const noteAlive = () => engine.client.zadd('rq:nrq:alive:jobs', Date.now(), '15000');
const enqueue = (options = {}) => engine.queue().enqueue('f', 1, { id: 'j', ...options });
const claim = async () => {
  await enqueue();
  return (await exchange(engine.store, { want: 1 })).claimed[0];
};
const control = (action: Parameters<RedisJobStore['control']>[2]) => () =>
  limited.control('jobs', 'j', action);

/** As Python enqueues a job that waits for others. */
async function defer(): Promise<void> {
  await enqueue();
  await engine.client.del('rq:queue:jobs');
  await engine.client.hset('rq:job:j', 'status', 'deferred', 'dependency_id', 'p');
  await engine.client.zadd('rq:deferred:jobs', '+inf', 'j');
  await engine.client.sadd('rq:job:p:dependents', 'j');
  await engine.client.sadd('rq:job::j:dependencies', 'p');
}

function enqueues(name: string, options: object): Scenario {
  const act = () => new Queue('jobs', limited).enqueue('f', 1, { id: 'j', ...options });
  return { script: 'enqueue', name, act };
}

function settles(
  name: string,
  outcome: Outcome,
  fields: Record<string, string> = {},
  store = () => limited,
): Scenario {
  return {
    script: 'exchange',
    name,
    prepare: async () => {
      await enqueue();
      if (Object.keys(fields).length > 0) await engine.client.hset('rq:job:j', fields);
      return (await exchange(store(), { want: 1 })).claimed[0];
    },
    act: (job) =>
      exchange(store(), {
        outcomes: [{ job: job as ClaimedJob, outcome, startedAt: 0, endedAt: 1 }],
      }),
  };
}

const retrying = { type: 'retrying', failure: FAILURE, policy: undefined } as const;
const IN_GROUP = { group_id: 'g', nrq_given: 'g' };
const SCENARIOS: Scenario[] = [
  enqueues('to the tail', {}),
  enqueues('to the head, with a ttl', { atFront: true, ttl: 60 }),
  enqueues('for later, with a ttl', { delay: 60, ttl: 60 }),
  enqueues('unique', { unique: true, meta: { a: 1 } }),
  enqueues('into a group', { group: 'g' }),
  settles('finished', { type: 'finished', result: '1' }),
  settles('finished, kept for ever', { type: 'finished', result: '1' }, { result_ttl: '-1' }),
  settles('finished, not kept', { type: 'finished', result: '1' }, { result_ttl: '0' }),
  settles('finished, in a group', { type: 'finished', result: '1' }, IN_GROUP),
  settles('failed, in a group', { type: 'failed', failure: FAILURE }, IN_GROUP),
  settles('finished, streamed', { type: 'finished', result: '1' }, { success_callback_name: '' }),
  settles('finished, with records', { type: 'finished', result: '1' }, {}, () => shared),
  settles('failed', { type: 'failed', failure: FAILURE }),
  settles('failed, streamed', { type: 'failed', failure: FAILURE }, { success_callback_name: '' }),
  settles('stopped', { type: 'stopped', failure: FAILURE }),
  settles('canceled', { type: 'canceled', reason: 'no' }),
  settles('retrying at once', { ...retrying, delay: 0, front: false, returned: false }),
  settles('retrying later', { ...retrying, delay: 60_000, front: true, returned: false }),
  settles(
    'retrying, with a number that is none',
    { ...retrying, delay: 60_000, front: true, returned: true },
    { number_of_retries: 'many' },
  ),
  settles('snoozed', { type: 'snoozed', delay: 60_000 }),
  settles('released', { type: 'released' }),
  {
    script: 'exchange',
    name: 'claims',
    prepare: () => enqueue(),
    act: () => exchange(limited, { want: 1 }),
  },
  {
    script: 'exchange',
    name: 'claims, with records',
    prepare: () => enqueue(),
    act: () => exchange(shared, { want: 1 }),
  },
  {
    script: 'exchange',
    name: 'claims a suspect',
    prepare: async () => {
      await enqueue();
      await engine.client.hset('rq:job:j', 'nrq_crashes', '2', 'nrq_attempts', '2');
    },
    act: () => exchange(limited, { want: 1, suspects: { from: 2, takes: false, delay: 60_000 } }),
  },
  {
    script: 'exchange',
    name: 'claims a woken one',
    prepare: async () => {
      await enqueue();
      await engine.client.lmove('rq:queue:jobs', 'rq:queue:jobs:intermediate', 'LEFT', 'RIGHT');
    },
    act: () => exchange(limited, { want: 1, woken: ['j'] }),
    // Put back to the queue.
    otherwise: ['status queued', 'data true', 'rq:queue:jobs j'],
  },
  {
    script: 'exchange',
    name: 'promotes',
    prepare: async () => {
      await enqueue({ delay: 60 });
      await engine.client.zadd('rq:scheduled:jobs', '1', 'j');
    },
    act: () => exchange(limited, {}),
  },
  ...[5, 1].map((maxCrashes) => ({
    script: 'recover' as const,
    name: maxCrashes === 1 ? 'fails as poison' : 'requeues',
    prepare: async () => {
      await claim();
      const [member] = await engine.client.zrange('rq:wip:jobs', '0', '0');
      await engine.client.zadd('rq:wip:jobs', '1', String(member));
      await noteAlive();
    },
    act: () => limited.recover('jobs', { maxCrashes, leaseMs: 60_000 }),
  })),
  {
    script: 'recover',
    name: 'puts back what was popped',
    prepare: async () => {
      await enqueue();
      await engine.client.lmove('rq:queue:jobs', 'rq:queue:jobs:intermediate', 'LEFT', 'RIGHT');
      const enqueuedAt = await engine.client.hget('rq:job:j', 'enqueued_at');
      await engine.client.hset('rq:nrq:popped:jobs', 'j', `1 ${enqueuedAt} `);
    },
    act: () => limited.recover('jobs', { maxCrashes: 5, leaseMs: 1000 }),
  },
  {
    script: 'recover',
    name: 'gives an end to what Python canceled',
    prepare: async () => {
      await enqueue();
      await engine.client.lpop('rq:queue:jobs');
      await engine.client.hset('rq:job:j', 'status', 'canceled');
      await engine.client.zadd('rq:canceled:jobs', '1', 'j');
    },
    act: () => limited.recover('jobs', { maxCrashes: 5, leaseMs: 1000 }),
  },
  {
    script: 'renew',
    name: 'renews',
    prepare: claim,
    act: (job) => limited.renew('jobs', LONG_LEASE, [job as ClaimedJob]),
  },
  {
    script: 'renew',
    name: 'renews, with records',
    prepare: claim,
    act: (job) => shared.renew('jobs', LONG_LEASE, [job as ClaimedJob]),
  },
  {
    script: 'renew',
    name: 'renews what Python has written to',
    prepare: async () => {
      const job = await claim();
      await engine.client.hset('rq:job:j', 'status', 'queued');
      return job;
    },
    act: (job) => limited.renew('jobs', LONG_LEASE, [job as ClaimedJob]),
    // The lease counts; the status is mended with the next one.
    otherwise: ['status queued', 'data true', `wip j:${TOKEN}${'0'.repeat(16)}`, 'held for long'],
  },
  {
    script: 'tell',
    name: 'tells how far it is',
    prepare: claim,
    act: (job) => {
      const about = { queue: 'jobs', jobId: 'j', name: 'f', attempt: 1, at: new Date() };
      return limited.tell('jobs', job as ClaimedJob, {
        progress: { json: '1', event: { type: 'progress', ...about, progress: 1 } },
        lines: ['a line'],
        data: '["f",null,[2],{}]',
        isAlive: true,
      });
    },
  },
  {
    script: 'control',
    name: 'cancels',
    prepare: () => enqueue(),
    act: control({ type: 'cancel', dependents: 'end' }),
  },
  {
    script: 'control',
    name: 'cancels for later',
    prepare: () => enqueue({ delay: 60 }),
    act: control({ type: 'cancel', dependents: 'end' }),
  },
  {
    script: 'control',
    name: 'cancels a running one',
    prepare: claim,
    act: control({ type: 'cancel', dependents: 'end' }),
  },
  {
    script: 'control',
    name: 'deletes',
    prepare: () => enqueue(),
    act: control({ type: 'delete', dependents: 'end' }),
  },
  {
    script: 'control',
    name: 'deletes a running one',
    prepare: claim,
    act: control({ type: 'delete', dependents: 'end' }),
  },
  { script: 'control', name: 'stops', prepare: claim, act: control({ type: 'stop' }) },
  {
    script: 'control',
    name: 'requeues',
    prepare: async () => {
      await enqueue();
      await engine.store.control('jobs', 'j', { type: 'cancel', dependents: 'end' });
    },
    act: control({ type: 'requeue', front: false }),
  },
  {
    script: 'control',
    name: 'requeues those of a registry, with new retries',
    prepare: async () => {
      await enqueue({ retry: { max: 3, interval: 1 } });
      await engine.store.control('jobs', 'j', { type: 'cancel', dependents: 'end' });
    },
    act: () =>
      limited.controlMany(
        'jobs',
        { in: 'canceled' },
        {
          type: 'requeue',
          front: true,
          retries: 5,
        },
      ),
  },
  {
    script: 'control',
    name: 'promotes a scheduled one',
    prepare: () => enqueue({ delay: 60, ttl: 60 }),
    act: control({ type: 'promote' }),
  },
  {
    script: 'control',
    name: 'promotes a deferred one',
    prepare: defer,
    act: control({ type: 'promote' }),
  },
  {
    script: 'control',
    name: 'cancels one of many',
    prepare: async () => {
      for (const id of ['a', 'j', 'b']) await engine.queue().enqueue('f', 1, { id });
    },
    act: () => limited.controlMany('jobs', ['b', 'j'], { type: 'cancel', dependents: 'end' }),
  },
  {
    script: 'control',
    name: 'deletes what waits',
    prepare: () => enqueue(),
    act: () => limited.controlMany('jobs', { in: 'queued' }, { type: 'delete', dependents: 'end' }),
  },
  {
    script: 'beat',
    name: 'lists a worker',
    act: () => limited.workers.register(WORKER),
  },
  {
    script: 'beat',
    name: 'shows what a worker does',
    prepare: () => engine.store.workers.register(WORKER),
    act: () => limited.workers.heartbeat({ ...WORKER, state: 'busy' }, DONE),
  },
  {
    script: 'beat',
    name: 'lists a worker that was forgotten',
    act: () => limited.workers.heartbeat({ ...WORKER, state: 'busy' }, DONE),
  },
  {
    script: 'beat',
    name: 'shows what a worker does, with a count that is none',
    prepare: async () => {
      await engine.store.workers.register(WORKER);
      await engine.client.hset('rq:worker:w', 'successful_job_count', 'many');
    },
    act: () => limited.workers.heartbeat({ ...WORKER, state: 'busy' }, DONE),
  },
  {
    script: 'empty',
    name: 'empties',
    prepare: () => enqueue(),
    act: () => limited.empty('jobs'),
  },
  {
    script: 'watch',
    name: 'watches',
    prepare: () => enqueue(),
    act: () => limited.watch('jobs', 'j'),
  },
];

/** The states before and after, when something stands in the way. */
async function attempt(
  { prepare, act }: Scenario,
  obstruct: () => Promise<unknown>,
): Promise<{ before: string[]; after: string[] }> {
  await engine.client.flushall();
  await user.mayAllBut();
  const prepared = await prepare?.();
  await obstruct();
  const before = await stateIn(engine.client);
  await act(prepared).catch(() => undefined);
  await user.mayAllBut();
  return { before, after: await stateIn(engine.client) };
}

describe.each(
  SCENARIOS.map((scenario) => [`${scenario.script}: ${scenario.name}`, scenario] as const),
)('%s', (_, scenario) => {
  it('is done completely or not at all, whatever is refused', async () => {
    const { before: start, after: done } = await attempt(scenario, () => Promise.resolve());
    expect(done).not.toEqual(start);
    const halves: object[] = [];
    const look = async (obstacle: string, obstruct: () => Promise<unknown>) => {
      const { before, after } = await attempt(scenario, obstruct);
      const whole = [before, done, scenario.otherwise ?? before];
      // What an obstacle has taken away is not to be seen afterwards.
      const isHere = (line: string) => !obstacle.startsWith(line.replace(/ [jw]$/, ' of another'));
      const isHalf = whole.every((one) => String(one.filter(isHere)) !== String(after));
      if (isHalf) halves.push({ obstacle, before, after, done });
    };
    for (const command of SCRIPTS[scenario.script].commands) {
      await look(`-${command}`, () => user.mayAllBut(command));
    }
    await look('no channels', () => engine.client.call('ACL', 'SETUSER', 'rq', 'resetchannels'));
    for (const key of keysOf(TOKEN)) {
      await look(`${key} of another type`, async () => {
        await engine.client.del(key);
        if (TEXTS.includes(key)) await engine.client.lpush(key, 'x');
        else await engine.client.set(key, 'x');
      });
    }
    expect(halves).toEqual([]);
  }, 120_000);
});
