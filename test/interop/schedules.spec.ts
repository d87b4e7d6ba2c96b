import { jest } from '@jest/globals';
import { Scheduler, type When } from '../../lib/index.js';
import { eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';

jest.setTimeout(90_000);

/** Schedules as RQ's tools see them: its cron jobs. RQ before 2.6 knows none, and must not mind ours. */
describeInterop('a schedule', () => {
  const sides = useBothSides();

  const knowsCron = () => !sides.python.version.startsWith('2.3');

  /** Has the schedules fired that are due, and RQ told of them. */
  async function fire(): Promise<void> {
    await sides.client.del('rq:nrq:schedules:tidied', 'rq:cron_scheduler:nestjs-rq');
    const scheduler = new Scheduler(sides.nest.store);
    await scheduler.start();
    await eventually(() => sides.client.exists('rq:cron_scheduler:nestjs-rq'), {
      what: 'the list',
    });
    await scheduler.stop();
  }

  /** What both of them tell, when no expression was due between one and the other. */
  async function withinOneMinute<Told>(look: () => Promise<Told>): Promise<Told> {
    const minute = () => Math.floor(Date.now() / 60_000);
    for (;;) {
      const before = minute();
      const told = await look();
      if (minute() === before) return told;
    }
  }

  it("is listed once by CronScheduler.all(), as RQ's own, whatever its time is", async () => {
    const queue = sides.nest.queue();
    const times: When[] = [
      '0 9 * * 1-5',
      '*/15 8-18/2 1,15 JAN-MAR MON,FRI',
      '30 0 9 * * *',
      '@daily',
      '@yearly',
      '0 0 L * *',
      '0 0 29 2 *',
      '0 0 * * 5#2',
      '* * * * *',
      '0 0 ? * *',
      '0 0 1 * ?',
      { every: '5m' },
      { every: 1.5 },
      { every: '90d' },
      { cron: '0 9 * * *', tz: 'Asia/Tokyo' },
      '1-59/7 0-23/5 1-31/2 1-12/3 0-6/2',
      '0 0 * * 7',
      '0,30 9,17 * * MON-FRI',
    ];
    // What only our own grid understands: one such entry would make RQ read none at all.
    const unreadable: When[] = ['0 0 15W * *', '0 0 * * 5L', '0 0 LW * *', '? * * * *'];
    const all = [...times, ...unreadable];
    for (const [index, when] of all.entries()) {
      const call = { args: [index, 'é"'], kwargs: { deep: { list: [1, null] } } };
      const options = { call, meta: { tenant: index }, retry: { max: 1 }, timeout: false } as const;
      await queue.schedule(`s${index}`, when, 'tasks.add', undefined, options);
    }
    const list = async () => {
      await fire();
      if (!knowsCron()) return [];
      return sides.python.run<Record<string, unknown>[]>(`
from rq.cron import CronScheduler
schedulers = CronScheduler.all(connection)
return [
    {'scheduler': one.name, 'name': job.name, 'func_name': job.func_name, 'queue': job.queue_name,
     'args': list(job.args), 'kwargs': job.kwargs, 'interval': job.interval, 'cron': job.cron,
     'next': job.next_enqueue_time.timestamp(), 'pid': one.pid}
    for one in schedulers for job in one.get_jobs()
]`);
    };
    const { seen, schedules } = await withinOneMinute(async () => ({
      seen: await list(),
      schedules: await queue.schedules(),
    }));
    if (!knowsCron()) return;
    expect(new Set(seen.map(({ name }) => name))).toEqual(
      new Set(times.map((_, index) => `s${index}`)),
    );
    expect(seen).toHaveLength(times.length);
    for (const { id, next, when } of schedules) {
      const one = seen.find(({ name }) => name === id);
      if (!one) continue;
      const index = Number(id.slice(1));
      expect(one).toMatchObject({
        scheduler: 'nestjs-rq',
        func_name: 'tasks.add',
        queue: 'shared',
        args: [index, 'é"'],
        kwargs: { deep: { list: [1, null] } },
        pid: process.pid,
        // That of so short an interval may have moved on since Python looked.
        next: when && 'every' in when && when.every < 60 ? one.next : (next?.getTime() ?? 0) / 1000,
      });
    }
    expect(seen.find(({ name }) => name === 's11')).toMatchObject({ interval: 300, cron: null });
    expect(seen.find(({ name }) => name === 's2')).toMatchObject({ cron: '0 9 * * * 30' });
  });

  it('has its jobs run by a Python worker, as JSON, and a history that RQ reads', async () => {
    const queue = sides.nest.queue();
    const call = { args: [1], kwargs: { b: 2 } };
    const schedule = await queue.schedule('adds', { every: '1h' }, 'tasks.add', undefined, {
      call,
    });
    const due = Math.floor((schedule.next?.getTime() ?? 0) / 1000) * 1000 - 3_600_000;
    await sides.client.zadd('rq:nrq:schedules', due, 'adds');
    await fire();
    const beside = await schedule.runNow();
    const ids = [`adds-${due}`, beside.id];
    const expected = { ids: ids.toReversed(), names: ['adds'] };
    const history = knowsCron()
      ? await sides.python.run(`
from rq.cron import get_cron_job_ids
from rq.cron_job_registry import get_names
return {'ids': get_cron_job_ids('adds', connection), 'names': get_names(connection)}`)
      : expected;
    expect(history).toEqual(expected);
    await sides.python.worker('shared', { burst: true });
    for (const id of ids) expect(await queue.job(id).status()).toBe('finished');
  });

  it('leaves what rq cron lists of its own as it is', async () => {
    if (!knowsCron()) return;
    await sides.python.run(`
from rq.cron import CronScheduler
import os
cron = CronScheduler(connection, name='python')
cron.register(os.getpid, 'shared', interval=60)
cron.register_birth()`);
    await sides.nest.queue().schedule('ours', '@daily', 'note');
    await fire();
    const names = await sides.python.run<string[]>(`
from rq.cron import CronScheduler
return sorted(job.name for one in CronScheduler.all(connection) for job in one.get_jobs())`);
    expect(names).toEqual(['ours', expect.stringContaining('getpid')]);
  });
});
