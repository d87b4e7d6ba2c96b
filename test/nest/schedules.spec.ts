import { Injectable, Module } from '@nestjs/common';
import {
  InvalidOptionError,
  Job,
  JobsOf,
  RqModule,
  RqService,
  type RunningJob,
  Schedule,
} from 'nestjs-rq';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

/** An application with one class of handlers, in a module of a name of its own. */
function withHandlers(Handlers: new (...args: never[]) => object, options: object = {}) {
  @Module({ providers: [Handlers] })
  class ReportsModule {}
  return { imports: [RqModule.forRoot({ ...applications.root(), ...options }), ReportsModule] };
}

describe('@Schedule', () => {
  it('has its method run at each tick, and the log lists it', async () => {
    const ticks: RunningJob['tick'][] = [];

    @Injectable()
    @JobsOf('reports')
    class Reports {
      @Job()
      @Schedule({ every: 1 }, { data: { full: false } })
      refresh(data: { full: boolean }, job: RunningJob) {
        if (!data.full) ticks.push(job.tick);
      }

      @Job()
      @Schedule('0 9 * * 1-5', { tz: 'Europe/Berlin', id: 'weekdays' })
      daily(): void {}
    }

    const { app, logs } = await applications.start(withHandlers(Reports));
    const times = () => ticks.map((tick) => tick?.at.getTime() ?? 0);
    // Those that come while a busy machine stands still are one.
    const inTurn = () => times().findIndex((at, index) => at - (times()[index - 1] ?? 0) === 1000);
    await eventually(() => inTurn() > 0, { what: 'two ticks, a second apart' });
    expect(times().filter((at) => (at - (times()[0] ?? 0)) % 1000 !== 0)).toEqual([]);
    expect(ticks[0]?.schedule).toBe('reports-refresh');
    const schedules = await app.get(RqService).queue('reports').schedules();
    expect(schedules).toMatchObject([
      { id: 'reports-refresh', name: 'refresh', when: { every: 1 }, from: 'code' },
      { id: 'weekdays', name: 'daily', when: { cron: '0 9 * * 1-5' }, tz: 'Europe/Berlin' },
    ]);
    expect(logs.ours).toContain(
      'log RqExplorer: Scheduled {reports, refresh} as reports-refresh: every 1s',
    );
    expect(logs.ours).toContain(
      'log RqExplorer: Scheduled {reports, daily} as weekdays: 0 9 * * 1-5 (Europe/Berlin)',
    );
  });

  it('schedules: false: this process fires none, and says so', async () => {
    @Injectable()
    class Reports {
      @Job('reports')
      @Schedule({ every: 1 })
      refresh(): void {}
    }
    const { app, logs } = await applications.start(withHandlers(Reports, { schedules: false }));
    expect(await app.get(RqService).queue('reports').schedules()).toEqual([]);
    expect(logs.ours).toContain(
      'log RqExplorer: Scheduled {reports, refresh} as reports-refresh: every 1s; this process does not fire it (schedules: false)',
    );
  });

  it('is fired without a worker, too', async () => {
    @Injectable()
    class Reports {
      @Job('reports')
      @Schedule({ every: 1 })
      refresh(): void {}
    }
    const { app } = await applications.start(withHandlers(Reports, { worker: false }));
    const queue = app.get(RqService).queue('reports');
    await eventually(async () => (await queue.count()) > 0, { what: 'a tick' });
  });

  it('has the defaults of its queue', async () => {
    @Injectable()
    class Reports {
      @Job('reports')
      @Schedule('@yearly', { immediately: true, retry: { max: 2, interval: 0 } })
      yearly(): void {
        throw new Error('not well');
      }
    }
    const registered = { name: 'reports', defaultJobOptions: { failureTtl: '1h' } };
    const metadata = withHandlers(Reports);
    metadata.imports.push(RqModule.registerQueue(registered));
    const { app } = await applications.start(metadata);
    const queue = app.get(RqService).queue('reports');
    await eventually(async () => (await queue.counts()).failed === 1, { what: 'the failed job' });
    const [job] = await queue.jobs('failed');
    expect(job).toMatchObject({ name: 'yearly', attempts: 3 });
    expect(await applications.redis.client().hget(`rq:job:${job?.id}`, 'failure_ttl')).toBe('3600');
  });

  it('several on one method, each with an id', async () => {
    @Injectable()
    class Reports {
      @Job('reports')
      @Schedule('0 9 * * *', { id: 'morning', data: 'morning' })
      @Schedule('0 18 * * *', { id: 'evening', data: 'evening' })
      send(_time: string): void {}
    }
    const { app } = await applications.start(withHandlers(Reports));
    const schedules = await app.get(RqService).queue('reports').schedules();
    expect(schedules.map(({ id }) => id).toSorted()).toEqual(['evening', 'morning']);
  });
});

describe('at bootstrap, an error names the method and the module', () => {
  async function problemOf(Handlers: new (...args: never[]) => object): Promise<Error> {
    const error: unknown = await applications.start(withHandlers(Handlers)).then(
      () => new Error('it started'),
      (problem: unknown) => problem,
    );
    expect(error).toBeInstanceOf(InvalidOptionError);
    return error as Error;
  }

  it.each<[string, Parameters<typeof Schedule>[0], object, string]>([
    ['bad expression', '61 9 * * *', {}, 'when is not a cron expression that can be read'],
    ['unknown zone', '0 9 * * *', { tz: 'Mars/Olympus' }, 'tz must be a time zone'],
    ['a date that never comes', '0 0 30 2 *', {}, 'when never comes'],
    ['an impossible option', '@daily', { missed: 'some' }, "missed must be one of 'once'"],
    ['a misspelt option', '@daily', { dta: 1 }, 'dta is not an option here'],
    ['an impossible id', '@daily', { id: 'a b' }, 'id must be 1 to 200 letters'],
    ['data that JSON cannot hold', '@daily', { data: 1n }, 'data cannot be stored'],
  ])('%s', async (_, when, options, problem) => {
    @Injectable()
    class Reports {
      @Job('reports')
      @Schedule(when, options)
      daily(): void {}
    }
    const { message } = await problemOf(Reports);
    expect(message).toContain(problem);
    expect(message).toContain('@Schedule on Reports.daily in ReportsModule');
  });

  it('the same id twice', async () => {
    @Injectable()
    class Reports {
      @Job('reports')
      @Schedule('0 9 * * *')
      @Schedule('0 18 * * *')
      daily(): void {}
    }
    expect((await problemOf(Reports)).message).toBe(
      '@Schedule on Reports.daily in ReportsModule: id "reports-daily" is the id of the schedule on ' +
        'Reports.daily in ReportsModule, too: give one of them another id',
    );
  });

  it('a method without @Job', async () => {
    @Injectable()
    class Reports {
      @Job('reports')
      other(): void {}

      @Schedule('0 9 * * *')
      daily(): void {}
    }
    expect((await problemOf(Reports)).message).toContain(
      '@Schedule on Reports.daily in ReportsModule: @Job is missing: @Schedule stands beside @Job',
    );
  });
});

describe('written wrongly', () => {
  it('is refused where it stands', () => {
    const decorate = Schedule as unknown as MethodDecorator;
    expect(() => {
      class Reports {
        @decorate
        daily(): void {}
      }
      return Reports;
    }).toThrow("@Schedule needs parentheses: write @Schedule('0 9 * * *')");
    expect(() => {
      class Reports {
        @(Schedule('@daily') as unknown as MethodDecorator)
        static daily(): void {}
      }
      return Reports;
    }).toThrow('@Schedule on Reports.daily: it belongs on an instance method');
  });
});
