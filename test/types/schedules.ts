import { Job, JobsOf, Queue, type RqSchedule, type RunningJob, Schedule } from 'nestjs-rq';

/** Compiled by `npm run typecheck`, never run. A line under `@ts-expect-error` must not compile. */

@JobsOf('reports')
class Reports {
  @Job()
  @Schedule('0 9 * * 1-5', { tz: 'Europe/Berlin' })
  daily(_: void, job: RunningJob): void {
    const at: Date | undefined = job.tick?.at;
    void at;
  }

  @Job()
  @Schedule({ every: '5m' }, { data: { full: false }, missed: 'skip', overlap: false })
  refresh(data: { full: boolean }): void {
    void data;
  }

  @Job()
  @Schedule({ cron: '@daily', tz: 'UTC' }, { immediately: true })
  nothing(): void {}

  @Job()
  @Schedule('@daily', { data: { mode: 'fast', ids: [1, 2] } })
  literal(data: { mode: 'fast' | 'slow'; ids: number[] }): void {
    void data;
  }

  @Job()
  // @ts-expect-error the data is missing
  @Schedule('0 9 * * *')
  needs(data: { full: boolean }): void {
    void data;
  }

  @Job()
  // @ts-expect-error the data is another
  @Schedule('0 9 * * *', { data: { full: 'yes' } })
  wrong(data: { full: boolean }): void {
    void data;
  }

  @Job()
  // @ts-expect-error there is no such rule
  @Schedule('0 9 * * *', { missed: 'never' })
  rule(): void {}

  // @ts-expect-error not on a property
  @Schedule('0 9 * * *')
  property = 1;
}

async function atRunTime(queue: Queue<Reports>): Promise<void> {
  const schedule: RqSchedule = await queue.schedule('a', '@daily', 'daily');
  await queue.schedule('b', { every: 60 }, 'refresh', { full: true }, { overlap: false });
  await queue.schedule('c', { cron: '@daily', tz: 'UTC' }, 'daily', undefined, {
    retry: { max: 1 },
  });
  const removed: boolean = await queue.unschedule('a');
  const all: RqSchedule[] = await queue.schedules();
  void [schedule, removed, all];
  // @ts-expect-error the data is missing
  await queue.schedule('d', '@daily', 'refresh');
  // @ts-expect-error the data is another
  await queue.schedule('d', '@daily', 'refresh', { full: 1 });
  // @ts-expect-error there is no such job
  await queue.schedule('d', '@daily', 'refersh', { full: true });
  // @ts-expect-error an id is the schedule's, not the job's
  await queue.schedule('d', '@daily', 'daily', undefined, { id: 'x' });
  // @ts-expect-error a time is a text or an object
  await queue.schedule('d', 5, 'daily');
}

void atRunTime;
