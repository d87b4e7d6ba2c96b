import { jest } from '@jest/globals';
import { LATENESS } from '../support/timing.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

jest.setTimeout(90_000);

const GHOSTS = 100_000;
const FILL = `
  for first = 1, tonumber(ARGV[2]), 1000 do
    local values = {}
    for number = first, first + 999 do
      if ARGV[1] ~= '' then values[#values + 1] = ARGV[1] end
      values[#values + 1] = 'ghost-' .. number .. ARGV[3]
    end
    redis.call(ARGV[1] ~= '' and 'ZADD' or 'RPUSH', KEYS[1], unpack(values))
  end`;

/** Ids without a job; with a score, in a registry. */
async function haunt(key: string, score = '', suffix = ''): Promise<void> {
  await engine.client.eval(FILL, 1, key, score, GHOSTS, suffix);
}

/** How often commands were given since the last \`CONFIG RESETSTAT\`, by name. */
async function commands(): Promise<Record<string, number>> {
  const text = await engine.client.info('commandstats');
  const counts = Array.from(text.matchAll(/cmdstat_([\w|]+):calls=(\d+)/g));
  return Object.fromEntries(counts.map(([, name, count]) => [String(name), Number(count)]));
}

async function evals(): Promise<number> {
  const { evalsha = 0, eval: texts = 0 } = await commands();
  return evalsha + texts;
}

const seconds = () => Date.now() / 1000;

describe('a hundred thousand ids without a job at a head hold up nothing for long', () => {
  let begun = 0;
  beforeEach(async () => {
    begun = performance.now();
    await engine.client.config('RESETSTAT');
  });

  /** So many calls, and a few in each second that a busy machine takes: sweeps, signs of life, looks for a result. */
  const calls = (most: number) => most + (performance.now() - begun) / 200;

  it('of the queue', async () => {
    await haunt('rq:queue:jobs');
    const job = await engine.queue().enqueue('f');
    const worker = await engine.work({ f: () => 'ran' }, { concurrency: 1 });

    expect(await job.result({ timeout: 20 })).toBe('ran');

    expect(await evals()).toBeLessThan(calls(80));
    expect(worker.events.of('jobDropped')).toHaveLength(GHOSTS);
    expect(await engine.client.llen('rq:queue:jobs')).toBe(0);
  });

  it.each([
    ['due for long', () => seconds() - 3600],
    ['due since a moment, whose jobs may still come', () => seconds() - 5],
    ['of -inf', () => '-inf'],
  ])('of the schedule: %s', async (_, score) => {
    await haunt('rq:scheduled:jobs', String(score()));
    const job = await engine.queue().enqueueIn(0.01, 'f');
    await engine.work({ f: () => 'ran' }, { concurrency: 1 });

    expect(await job.result({ timeout: 20 })).toBe('ran');

    expect(await evals()).toBeLessThan(calls(150));
  });

  it('of the schedule, whose jobs come late all the same: those run, and the rest are looked for now and then', async () => {
    await haunt('rq:scheduled:jobs', String(seconds() - 5));
    await engine.work({ f: () => 'ran' });
    await eventually(async () => (await engine.client.zcard('rq:nrq:late:jobs')) === GHOSTS, {
      what: 'all ids to be seen',
      timeout: 20_000,
    });
    await engine.client.hset('rq:job:ghost-7', {
      data: '["f",null,[],{}]',
      origin: 'jobs',
      status: 'scheduled',
    });
    // Its next look, brought forward.
    await engine.client.zadd('rq:scheduled:jobs', seconds(), 'ghost-7');
    await (await engine.queue().enqueueIn(0.01, 'f')).result({ timeout: 20 });

    await eventually(async () => (await engine.fields('ghost-7')).status === 'finished', {
      what: 'the late job to run',
    });
    const since = performance.now();
    await engine.client.config('RESETSTAT');
    await (await engine.queue().enqueueIn(1, 'f')).result({ timeout: 20 });
    // Ten in a millisecond; each of them once a second would be a hundred.
    const { hmget: looks = 0 } = await commands();
    expect(looks).toBeLessThan(5000 + 15 * (performance.now() - since));
    expect(await engine.client.zscore('rq:nrq:late:jobs', 'ghost-7')).toBeNull();
  });

  it('of the schedule: what never comes is dropped after a minute', async () => {
    await engine.client.zadd('rq:scheduled:jobs', seconds() - 5, 'never');
    await engine.work({ f: () => 'ran' });
    await eventually(() => engine.client.zcard('rq:nrq:late:jobs'), { what: 'it to be seen' });
    // As if it had been there for longer.
    await engine.client.zadd('rq:nrq:late:jobs', seconds() - 61, 'never');

    await eventually(async () => (await engine.client.exists('rq:scheduled:jobs')) === 0, {
      what: 'it to be dropped',
    });
    expect(await engine.client.exists('rq:nrq:late:jobs')).toBe(0);
  });

  it('of what is running: a job of a dead worker is found behind them', async () => {
    await haunt('rq:wip:jobs', '1', ':dead');
    await engine.queue().enqueue('f', undefined, { id: 'lost' });
    await engine.client.lpop('rq:queue:jobs');
    await engine.client.hset('rq:job:lost', 'status', 'started');
    await engine.client.zadd('rq:wip:jobs', 2, 'lost:dead');
    await engine.client.zadd('rq:nrq:alive:jobs', Date.now(), '15000');

    await engine.work({ f: () => 'ran' });

    expect(await (await engine.queue().getJob('lost'))?.result({ timeout: 20 })).toBe('ran');
    expect(await evals()).toBeLessThan(calls(250));
    expect(await engine.client.zcard('rq:wip:jobs')).toBe(0);
  });

  it('of the intermediate list: a job that was never claimed is found behind them', async () => {
    await haunt('rq:queue:jobs:intermediate');
    await engine.queue().enqueue('f', undefined, { id: 'popped' });
    await engine.client.lmove('rq:queue:jobs', 'rq:queue:jobs:intermediate', 'LEFT', 'RIGHT');

    await engine.work({ f: () => 'ran' }, { lease: 0.5 });

    expect(await (await engine.queue().getJob('popped'))?.result({ timeout: 20 })).toBe('ran');
    expect(await evals()).toBeLessThan(calls(300));
    expect(await engine.client.llen('rq:queue:jobs:intermediate')).toBe(0);
  });

  it.each(['finished', 'failed', 'canceled'])('of the registry %s', async (registry) => {
    const key = `rq:${registry}:jobs`;
    await haunt(key, '5');
    await engine.client.zadd(key, seconds() - 1, 'over');
    await engine.client.zadd(key, seconds() + 1000, 'kept');
    await engine.work({ f: () => 'ran' });

    await eventually(async () => (await engine.client.zcard(key)) === 1, {
      what: 'what is over to be dropped',
      timeout: 20_000,
    });
    expect(await evals()).toBeLessThan(calls(300));
    expect(await engine.client.zrange(key, '0', '-1')).toEqual(['kept']);
  });
});

describe('a score that is no moment', () => {
  const REGISTRIES = ['scheduled', 'wip', 'failed', 'finished', 'canceled', 'deferred'];
  const SCORES = ['+inf', '-inf', '1e300', '-1e300', '9007199254740993'];

  it.each(SCORES)('%s: costs nothing and holds up nothing', async (score) => {
    for (const registry of REGISTRIES) {
      const suffix = registry === 'wip' ? ':dead' : '';
      await engine.client.zadd(`rq:${registry}:jobs`, score, `ghost-${registry}${suffix}`);
      const status = registry === 'wip' ? 'started' : registry;
      const id = `real-${registry}`;
      const fields = { status, data: '["f",null,[],{}]', origin: 'jobs' };
      await engine.client.hset(`rq:job:${id}`, fields);
      await engine.client.zadd(`rq:${registry}:jobs`, score, `${id}${suffix}`);
    }
    const worker = await engine.work({ f: () => 'ran' }, { lease: 1 });
    const before = await engine.queue().enqueue('f');
    expect(await before.result({ timeout: 20 })).toBe('ran');
    await engine.client.config('RESETSTAT');
    const begun = Date.now();
    // A second, as Redis counts it.
    const scheduled = await engine.queue().enqueueIn(1, 'f');

    expect(await scheduled.result({ timeout: 20 })).toBe('ran');

    const passed = Date.now() - begun;
    expect(passed).toBeLessThan(1000 + LATENESS);
    // Sweeps and heartbeats: a few a second.
    expect(await evals()).toBeLessThan(20 + passed / 100);
    expect(worker.events.of('problem')).toEqual([]);
  });

  it.each(['nan', 'inf', '1e300', '-1e300', 'x', '0x7fffffff', '1.5', ''])(
    'nor do numbers of a job that Redis cannot count: %p',
    async (text) => {
      const fields = {
        status: 'started',
        data: '["f",null,[],{}]',
        origin: 'jobs',
        success_callback_name: '',
        failure_ttl: text,
        result_ttl: text,
        retries_left: text,
        nrq_retries_left: text,
        nrq_attempts: text,
        number_of_retries: text,
        nrq_crashes: '2',
      };
      for (const id of ['crashed', 'canceled']) await engine.client.hset(`rq:job:${id}`, fields);
      await engine.client.hset('rq:job:canceled', 'status', 'canceled');
      // Its results are none.
      await engine.client.set('rq:results:crashed', 'text');
      await engine.client.zadd('rq:wip:jobs', 1, 'crashed:dead');
      await engine.client.zadd('rq:canceled:jobs', 1, 'canceled');
      await engine.client.zadd('rq:nrq:alive:jobs', Date.now(), '15000');
      const waiting = await engine.queue().enqueue('f');
      await engine.client.hset(`rq:job:${waiting.id}`, 'failure_ttl', text);
      await waiting.cancel();

      const worker = await engine.work({ f: () => 'ran' });

      await eventually(async () => (await engine.places('crashed')).includes('failed'), {
        what: 'the job to fail as poison',
      });
      expect(await engine.places('crashed')).toEqual(['failed']);
      expect(await engine.places('canceled')).toEqual(['canceled']);
      expect(worker.events.of('problem')).toEqual([]);
    },
  );
});
