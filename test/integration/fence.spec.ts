import type { Outcome } from '../../lib/job/index.js';
import type { ClaimedJob } from '../../lib/wire/index.js';
import type { ExchangeReply, RedisJobStore } from '../../lib/store/index.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const FINISHED: Outcome = { type: 'finished', result: '"late"' };
const FAILURE = { name: 'Error', message: 'late', stack: 'Error: late' };
const OUTCOMES: Outcome[] = [
  FINISHED,
  { type: 'failed', failure: FAILURE },
  { type: 'stopped', failure: FAILURE },
  {
    type: 'retrying',
    failure: FAILURE,
    delay: 0,
    front: false,
    policy: undefined,
    returned: false,
  },
  { type: 'snoozed', delay: 1000 },
  { type: 'released' },
  { type: 'canceled', reason: 'late' },
];

/** A worker as Redis sees it: claims and settlements, nothing of its own in between. */
class BareWorker {
  private nextExecution = 0;
  private calls = 0;

  constructor(
    private readonly store: RedisJobStore,
    readonly token: string,
    private readonly leaseMs = 60_000,
  ) {}

  async claim(want = 1): Promise<ClaimedJob[]> {
    const reply = await this.exchange(want, []);
    return [...reply.claimed];
  }

  async claimOne(): Promise<ClaimedJob> {
    const [job] = await this.claim();
    if (!job) throw new Error('no job to claim');
    return job;
  }

  /** Gives what Redis has against it; undefined: it was accepted. */
  async settle(job: ClaimedJob, outcome: Outcome): Promise<string | undefined> {
    const times = { startedAt: Date.now(), endedAt: Date.now() };
    const { refused } = await this.exchange(0, [{ job, outcome, ...times }]);
    return refused[0]?.status;
  }

  /** As a call of its own, or the one given. */
  exchange(
    want: number,
    outcomes: Parameters<RedisJobStore['exchange']>[1]['outcomes'],
    call = { slot: 0, number: this.calls++, isRepeated: false, renewsNotes: true },
  ): Promise<ExchangeReply> {
    const nextExecution = this.nextExecution;
    this.nextExecution += want;
    const { token, leaseMs } = this;
    const claims = {
      worker: 'w',
      token,
      leaseMs,
      nextExecution,
      want,
      woken: [],
      suspects: { from: 2, takes: true, delay: 10 },
    };
    return this.store.exchange('jobs', { ...claims, outcomes, call, events: [] });
  }
}

let slow: BareWorker;
let other: BareWorker;

beforeEach(() => {
  slow = new BareWorker(engine.store, 'a'.repeat(16));
  other = new BareWorker(engine.store, 'b'.repeat(16));
});

describe('an execution', () => {
  it('is claimed by one worker only', async () => {
    await engine.queue().enqueueMany(Array.from({ length: 10 }, () => ({ name: 'f' })));

    const claims = await Promise.all([slow, other, slow, other].map((worker) => worker.claim(4)));

    const ids = claims.flat().map(({ id }) => id);
    expect(ids).toHaveLength(10);
    expect(new Set(ids).size).toBe(10);
  });

  it.each(OUTCOMES)('is settled once: $type', async (outcome) => {
    await engine.queue().enqueue('f');
    const job = await slow.claimOne();

    expect(await slow.settle(job, outcome)).toBeUndefined();

    const before = [await engine.fields(job.id), await engine.places(job.id)];
    for (const second of OUTCOMES) {
      expect(await slow.settle(job, second)).toEqual(expect.any(String));
    }
    expect([await engine.fields(job.id), await engine.places(job.id)]).toEqual(before);
  });
});

describe('a call that is repeated since its answer was lost', () => {
  const times = { startedAt: 0, endedAt: 1 };
  const call = { slot: 0, number: 7, renewsNotes: false };
  const first = { ...call, isRepeated: false };
  const again = { ...call, isRepeated: true };

  it.each(OUTCOMES)(
    'gives what became of its outcomes, whatever came then: $type',
    async (outcome) => {
      await engine.queue().enqueueMany([{ name: 'f' }, { name: 'f' }]);
      const [job, lost] = (await slow.claim(2)) as [ClaimedJob, ClaimedJob];
      await slow.settle(lost, { type: 'released' });
      const outcomes = [job, lost].map((one) => ({ job: one, outcome, ...times }));
      const { refused } = await slow.exchange(0, outcomes, first);
      expect(refused.map(({ index }) => index)).toEqual([1]);
      await engine.client.hset(`rq:job:${job.id}`, 'status', 'deferred');

      for (let time = 1; time <= 2; time++) {
        expect((await slow.exchange(0, outcomes, again)).refused).toEqual(refused);
      }
      expect(await engine.fields(job.id)).toMatchObject({ status: 'deferred' });
    },
  );

  it('carries out what the first one did not, and the first one then changes nothing', async () => {
    await engine.queue().enqueue('f');
    const job = await slow.claimOne();
    const outcomes = [{ job, outcome: FINISHED, ...times }];
    expect((await slow.exchange(0, outcomes, again)).refused).toEqual([]);
    expect(await engine.places(job.id)).toEqual(['finished']);
    expect((await slow.exchange(0, outcomes, first)).refused).toHaveLength(1);
    expect((await slow.exchange(0, outcomes, again)).refused).toEqual([]);
    expect(await engine.client.ttl(`rq:nrq:calls:jobs:${slow.token}`)).toBe(-1);
    await slow.exchange(0, outcomes, { ...first, renewsNotes: true });
    expect(await engine.client.ttl(`rq:nrq:calls:jobs:${slow.token}`)).toBeGreaterThan(3600);
  });
});

describe('a worker that lost its job', () => {
  /** As if its time were over and somebody had looked. */
  async function endLease(): Promise<void> {
    const [member = ''] = await engine.client.zrange('rq:wip:jobs', '0', '0');
    await engine.client.zadd('rq:wip:jobs', 1, member);
    await engine.client.zadd('rq:nrq:alive:jobs', Date.now(), '15000');
    await engine.store.recover('jobs', { maxCrashes: 3, leaseMs: 15_000 });
  }

  /** Each takes the job from the slow worker while it runs. */
  const losses: [string, (id: string) => Promise<unknown>][] = [
    [
      'to the recovery, and another one runs it',
      async () => {
        await endLease();
        await other.claimOne();
      },
    ],
    [
      'to the recovery, and it waits',
      async () => {
        await endLease();
      },
    ],
    ['since it was canceled', async (id) => (await engine.queue().getJob(id))?.cancel()],
    [
      'since it was canceled and requeued, and another one runs it',
      async (id) => {
        const job = await engine.queue().getJob(id);
        await job?.cancel();
        await job?.requeue();
        await other.claimOne();
      },
    ],
    [
      'since it was canceled and requeued, and it waits',
      async (id) => {
        const job = await engine.queue().getJob(id);
        await job?.cancel();
        await job?.requeue();
      },
    ],
    ['since it was deleted', async (id) => (await engine.queue().getJob(id))?.delete()],
    [
      'since it was deleted, and a new job of its id waits',
      async (id) => {
        await (await engine.queue().getJob(id))?.delete();
        await engine.queue().enqueue('f', 'new', { id });
      },
    ],
    [
      'since it was deleted, and another one runs a new job of its id',
      async (id) => {
        await (await engine.queue().getJob(id))?.delete();
        await engine.queue().enqueue('f', 'new', { id });
        await other.claimOne();
      },
    ],
  ];

  it.each(losses)('%s, changes nothing with what it says late', async (_, lose) => {
    for (const resultTtl of [500, 0]) {
      for (const outcome of OUTCOMES) {
        await engine.queue().enqueue('f', 'old', { id: 'contested', resultTtl });
        const job = await slow.claimOne();
        await lose(job.id);
        const before = [await engine.fields(job.id), await engine.places(job.id)];

        const refusal = await slow.settle(job, outcome);

        const after = [await engine.fields(job.id), await engine.places(job.id)];
        expect({ outcome, refusal, after }).toEqual({
          outcome,
          refusal: expect.stringMatching(/^(started|queued|canceled|missing)$/) as string,
          after: before,
        });
        await engine.client.flushall();
      }
    }
  });

  it('hears of it at the next renewal', async () => {
    await engine.queue().enqueueMany(Array.from({ length: 4 }, () => ({ name: 'f' })));
    const [kept, lost, canceled, deleted] = (await slow.claim(4)) as [
      ClaimedJob,
      ClaimedJob,
      ClaimedJob,
      ClaimedJob,
    ];
    await engine.client.zrem('rq:wip:jobs', `${lost.id}:${lost.execution}`);
    await (await engine.queue().getJob(canceled.id))?.cancel();
    await (await engine.queue().getJob(deleted.id))?.delete();

    const replies = await engine.store.renew('jobs', 60_000, [kept, lost, canceled, deleted]);

    expect(replies).toEqual([
      { index: 1, status: 'started' },
      { index: 2, status: 'canceled' },
      { index: 3, status: 'missing' },
    ]);
  });
});

describe('a lease', () => {
  it('that ends is found by any worker: the job goes to the head and spends a retry', async () => {
    const quick = new BareWorker(engine.store, 'c'.repeat(16), 50);
    const retry = { max: 2, interval: 60 };
    const job = await engine.queue().enqueue('f', undefined, { retry });
    await quick.claimOne();
    const waiting = await engine.queue().enqueue('f');
    const leaseEnd = async () =>
      (await engine.client.zrange('rq:wip:jobs', '0', '0', 'WITHSCORES'))[1];
    const end = Number(await leaseEnd()) * 1000;
    await eventually(() => Date.now() > end, { what: 'the end of the lease' });
    // All the time there was somebody who could have renewed.
    await engine.client.zadd('rq:nrq:alive:jobs', Date.now(), '15000');

    const worker = await engine.work({ f: (_, { attempt }) => attempt }, { concurrency: 1 });

    expect(await job.result({ timeout: 5 })).toBe(2);
    await waiting.result({ timeout: 5 });
    expect(worker.events.of('jobRecovered')).toEqual([
      { queue: 'jobs', name: 'f', jobId: job.id, outcome: 'requeued' },
    ]);
    expect(worker.events.of('jobStarted').map(({ jobId }) => jobId)).toEqual([job.id, waiting.id]);
    expect(await engine.fields(job.id)).toMatchObject({
      retries_left: '1',
      nrq_crashes: expect.stringMatching(/^1 \d{4}-/) as string,
    });
    expect(await job.results()).toMatchObject([{ outcome: 'lost' }, { outcome: 'finished' }]);
  });

  it('that ended three times fails the job as poison', async () => {
    const quick = new BareWorker(engine.store, 'c'.repeat(16), 1);
    const job = await engine.queue().enqueue('f');
    for (let crash = 1; crash <= 3; crash += 1) {
      await quick.claimOne();
      // All the time there was somebody who could have renewed.
      await engine.client.zadd('rq:nrq:alive:jobs', Date.now(), '15000');
      await eventually(
        async () =>
          (await engine.store.recover('jobs', { maxCrashes: 3, leaseMs: 15_000 })).handled.length >
          0,
        { what: `crash ${crash} to be found` },
      );
    }

    await expect(job.result({ timeout: 5 })).rejects.toThrow(/PoisonJobError.*died 3 times/);
    expect(await engine.places(job.id)).toEqual(['failed']);
    // A requeue starts the count anew.
    await job.requeue();
    await engine.work({ f: () => 'fine' });
    expect(await job.result({ timeout: 5 })).toBe('fine');
  });

  it('is kept for as long as the job runs, many times longer than it lasts', async () => {
    // No shorter: a process that does not get the processor for as long as a lease may lose it indeed.
    const lease = 1.2;
    const handlers = {
      slow: () => new Promise((resolve) => setTimeout(() => resolve('done'), 4000)),
    };
    const workers = [
      await engine.work(handlers, { lease }),
      await engine.work(handlers, { lease }),
    ];
    const job = await engine.queue().enqueue('slow');

    expect(await job.result({ timeout: 10 })).toBe('done');

    const events = workers.map((worker) => worker.events);
    expect(events.flatMap((one) => one.of('jobStarted'))).toHaveLength(1);
    expect(events.flatMap((one) => one.of('jobRecovered'))).toEqual([]);
    expect(events.flatMap((one) => one.of('jobLost'))).toEqual([]);
  });
});

describe('scripts', () => {
  it('are loaded again when Redis has forgotten them, in the middle of everything', async () => {
    const worker = await engine.work({ f: (data) => data });
    const queue = engine.queue();
    for (let round = 0; round < 20; round += 1) {
      await engine.client.script('FLUSH');
      const job = await queue.enqueue('f', round);
      await engine.client.script('FLUSH');
      expect(await job.result({ timeout: 5 })).toBe(round);
    }
    await engine.client.script('FLUSH');
    await (await queue.enqueueIn(60, 'f')).cancel();
    await engine.client.script('FLUSH');
    await queue.empty();
    expect(worker.events.of('problem')).toEqual([]);
  });
});
