import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();
const LOCK = 'rq:scheduler-lock:jobs';

describe("RQ's scheduler lock, by which Python's schedulers know whose a queue is", () => {
  it('is held while a worker serves the queue, and free when it has stopped', async () => {
    const worker = await engine.work({ note: () => undefined });

    await eventually(() => engine.client.exists(LOCK), { what: 'the lock' });
    // Old versions of RQ read a process id there: digits suit every version.
    expect(await engine.client.get(LOCK)).toMatch(/^\d+$/);
    expect(await engine.client.ttl(LOCK)).toBeLessThanOrEqual(61);

    await worker.stop();
    expect(await engine.client.exists(LOCK)).toBe(0);
  });

  it('is left to a Python scheduler that has it, and so are due jobs, unless it leaves them for long', async () => {
    await engine.client.set(LOCK, '4711', 'EX', 60);
    await engine.work({ note: () => 'done' });

    const overdue = await engine.queue().enqueueIn('1h', 'note');
    await engine.client.zadd('rq:scheduled:jobs', Date.now() / 1000 - 11, overdue.id);
    // The worker looks when this one is due.
    const left = await engine.queue().enqueueIn(0.05, 'note');

    expect(await overdue.result({ timeout: 5 })).toBe('done');
    expect(await left.status()).toBe('scheduled');
    expect(await engine.client.get(LOCK)).toBe('4711');
  });

  it('is taken when a job is due and nobody holds it', async () => {
    await engine.client.set(LOCK, '4711', 'EX', 60);
    await engine.work({ note: () => 'done' });
    const job = await engine.queue().enqueueIn(0.3, 'note');
    await engine.client.del(LOCK);

    expect(await job.result({ timeout: 5 })).toBe('done');
    expect(await engine.client.get(LOCK)).toBe('0');
  });

  it('obliges: what Python schedules, which announces nothing, runs too on a worker that is idle', async () => {
    const ran: number[] = [];
    await engine.work({ note: () => void ran.push(Date.now()) }, { lease: 0.9 });
    await eventually(() => engine.client.exists(LOCK), { what: 'the lock' });
    const due = Date.now() + 300;
    await engine.client.hset('rq:job:from-python', {
      data: JSON.stringify(['note', null, [], {}]),
      origin: 'jobs',
      status: 'scheduled',
      created_at: new Date().toISOString(),
      timeout: '180',
    });
    await engine.client.zadd('rq:scheduled:jobs', (due / 1000).toFixed(3), 'from-python');

    // Two thirds of a lease between two looks; far below the 30 seconds of a blocking read.
    await eventually(() => ran.length === 1, { timeout: 9000, what: 'the job to run' });
    expect(ran[0]).toBeGreaterThanOrEqual(due);
  });
});
