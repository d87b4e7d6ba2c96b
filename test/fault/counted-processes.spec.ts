// Numbers across processes: four workers, of which one is stopped and one is killed. What the others and the stopped one
// have counted is there to the last attempt; of the killed one, what it had told with its last sign of life.
import { RqInspector } from '../../lib/observe/index.js';
import { OUTCOME_CODES } from '../../lib/wire/figures.js';
import { commandLine } from '../cli/support/command-line.js';
import { Engine } from '../integration/support/engine.js';
import { type Child, startChild } from '../support/children.js';
import { eventually } from '../support/wait.js';

const engine = Engine.forThisFile();
const children: Child[] = [];
afterEach(() => Promise.all(children.splice(0).map((child) => child.kill())));

const KINDS = ['finished', 'failed', 'retrying', 'canceled'] as const;
type Numbers = Record<(typeof KINDS)[number], number>;
interface Told {
  readonly counted: readonly { readonly figures: readonly number[] }[];
}

async function start(name: string): Promise<Child> {
  const env = { REDIS_URL: engine.redis.url, WORKER_NAME: name };
  const child = startChild(new URL('./counting-worker.mjs', import.meta.url), {
    env,
    usesEngine: true,
  });
  children.push(child);
  await child.waitFor((message) => message === 'started', { what: 'its start', timeout: 30_000 });
  return child;
}

async function stop(child: Child): Promise<Numbers> {
  process.kill(child.pid, 'SIGTERM');
  const isTold = (message: Told) => message.counted !== undefined;
  const { counted } = await child.waitFor<Told>(isTold, { what: 'its counts', timeout: 30_000 });
  await child.exited;
  const count = (code: number) =>
    counted.reduce((sum, { figures }) => {
      const at = figures.findIndex((value, index) => index % 2 === 0 && value === code);
      return sum + (at < 0 ? 0 : (figures[at + 1] ?? 0));
    }, 0);
  return numbersOf((kind) => count(OUTCOME_CODES[kind]));
}

function numbersOf(of: (kind: (typeof KINDS)[number]) => number): Numbers {
  return Object.fromEntries(KINDS.map((kind) => [kind, of(kind)])) as Numbers;
}

it('are exact but for what a killed worker had not told yet', async () => {
  const [stopped, killed, ...others] = await Promise.all(['a', 'b', 'c', 'd'].map(start));
  const jobs = Array.from({ length: 2400 }, (_, index) => {
    const kind = KINDS[(index * 7) % KINDS.length] ?? 'finished';
    return { name: kind === 'retrying' ? 'two' : 'one', data: { kind, ms: 10 + (index % 30) } };
  });
  const queue = engine.queue();
  await queue.enqueueMany(jobs);
  const left = async () => {
    const { queued, started } = await queue.counts();
    return queued + started;
  };
  await eventually(async () => (await left()) < 2300, { what: 'the first jobs', timeout: 30_000 });
  const early = await stop(stopped as Child);
  // So that it has told something, and has more to tell.
  const figure = (name: string) => engine.client.hget('rq:worker:b', name).then(Number);
  await eventually(async () => (await figure('successful_job_count')) > 0, {
    what: 'a sign of life of the one to be killed',
    timeout: 30_000,
  });
  const before = await left();
  await eventually(async () => (await left()) < Math.max(1, before - 200), {
    what: 'jobs of which it has not told',
    timeout: 30_000,
  });
  await killed?.kill();
  // What it has sent before is carried out by the time that this is answered.
  await engine.client.ping();
  const [last, time] = await Promise.all([
    engine.client.hgetall('rq:worker:b'),
    engine.client.time(),
  ]);
  // Its jobs are run by the others when its leases have ended.
  await eventually(async () => (await left()) === 0, { what: 'all jobs', timeout: 60_000 });
  const late = await Promise.all(others.map(stop));

  const { total } = await new RqInspector(engine.store).history('jobs', { last: '1h' });
  const sum = (kind: (typeof KINDS)[number]) =>
    [early, ...late].reduce((all, one) => all + one[kind], 0);
  const told = { finished: Number(last['successful_job_count']) };
  expect(total.finished).toBe(sum('finished') + told.finished);
  // RQ's hash of a worker counts failed attempts in one number.
  expect(total.failed + total.retrying).toBe(
    sum('failed') + sum('retrying') + Number(last['failed_job_count']),
  );
  // Nothing is counted twice, and what is missing is of the time after that sign of life: ten seconds at most.
  const { finished, failed, canceled, scheduled } = await queue.counts();
  const ended = { finished, failed, canceled, retrying: scheduled };
  for (const kind of KINDS) expect(total[kind]).toBeLessThanOrEqual(ended[kind]);
  const toldAt = Date.parse(last['last_heartbeat'] ?? '');
  expect(Number(time[0]) * 1000 - toldAt).toBeLessThan(10_000 + LATE_MS);

  const { out } = await commandLine(['info', '--json'], { env: { REDIS_URL: engine.redis.url } });
  const shown = JSON.parse(out) as { queues: { lastHour: object }[] };
  expect(shown.queues[0]?.lastHour).toMatchObject(numbersOf((kind) => total[kind]));
}, 120_000);

/** By which a beat may be late on a busy machine. */
const LATE_MS = 10_000;
