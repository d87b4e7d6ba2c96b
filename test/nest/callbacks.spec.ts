import { Injectable } from '@nestjs/common';
import {
  type FailedEvent,
  type FinishedEvent,
  Job,
  type JobEvent,
  OnJob,
  type Queue,
  type RqJob,
  RqModule,
  getQueueToken,
} from 'nestjs-rq';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

@Injectable()
class Tasks {
  declare readonly jobNames: { 'tasks.good': 'good'; 'tasks.bad': 'bad' };

  @Job({ queue: 'q', name: 'tasks.good' })
  good() {
    return 1;
  }

  @Job({ queue: 'q', name: 'tasks.bad', retry: { max: 1, interval: 0 } })
  bad(): never {
    throw new RangeError('too far');
  }
}

let heard: string[] = [];
beforeEach(() => (heard = []));

@Injectable()
class Takers {
  @OnJob('finished', { callback: 'tasks.report' })
  report(event: FinishedEvent, job: RqJob) {
    heard.push(`report ${event.name} ${job.id === event.jobId}`);
  }

  @OnJob('failed', { callback: 'tasks.alarm' })
  alarm(event: FailedEvent) {
    heard.push(`alarm ${event.error.message}`);
  }

  @OnJob(['failed', 'retrying'], { callback: 'tasks.note', name: 'tasks.bad' })
  note(event: JobEvent) {
    heard.push(`note ${event.type}`);
  }

  @OnJob('finished')
  every(event: FinishedEvent) {
    heard.push(`every ${event.name}`);
  }
}

async function start(...providers: (new () => object)[]) {
  const imports = [RqModule.forRoot(applications.root()), RqModule.registerQueue('q')];
  const started = await applications.start({ imports, providers });
  return { ...started, queue: started.app.get<Queue>(getQueueToken('q')) };
}

const warnings = (lines: readonly string[]) =>
  lines.filter((line) => line.startsWith('warn') && line.includes('callback'));

it('a method takes over the name of a callback, and hears only its jobs', async () => {
  const { queue, logs } = await start(Tasks, Takers);
  await queue.enqueueCall('tasks.good', {}, { onSuccess: 'tasks.report' });
  await queue.enqueueCall('tasks.good');
  await queue.enqueueCall('tasks.bad', {}, { onFailure: 'tasks.alarm' });
  await queue.enqueueCall('tasks.bad', {}, { onFailure: 'tasks.note' });
  await eventually(() => heard.length >= 6, { what: 'all callbacks' });
  expect(heard.toSorted()).toEqual([
    'alarm too far',
    'every tasks.good',
    'every tasks.good',
    'note failed',
    'note retrying',
    'report tasks.good true',
  ]);
  expect(warnings(logs.ours)).toEqual([]);
  expect(logs.ours).toContain(
    'log RqExplorer: Mapped {all queues, callback tasks.report: finished} to @OnJob on Takers.report in RootTestModule',
  );
});

it('a name that nobody takes is one warning, and a number at the end', async () => {
  const { app, queue, logs } = await start(Tasks, Takers);
  const jobs = await Promise.all(
    Array.from({ length: 3 }, () =>
      queue.enqueueCall('tasks.good', {}, { onSuccess: 'os.system', onFailure: 'os.exit' }),
    ),
  );
  await Promise.all(jobs.map((job) => job.result()));
  // A name that is taken, for another moment.
  const other = await queue.enqueueCall('tasks.good', {}, { onSuccess: 'tasks.alarm' });
  await other.result();
  await eventually(() => warnings(logs.ours).length === 2, { what: 'two warnings' });
  const [first, second] = warnings(logs.ours);
  expect(first).toMatch(
    /^warn RqModule: Job \S+ \(queue q\) has the Python callback os\.system \(on_success\), which no method here takes over: .*@OnJob\('finished', \{ callback: '...' \}\)/,
  );
  expect(second).toMatch(/the Python callback tasks\.alarm \(on_success\)/);
  await app.close();
  expect(warnings(logs.ours).slice(2)).toEqual([
    'warn RqModule: The Python callback os.system (on_success) was due for 2 more jobs, and no method here takes it over',
  ]);
});

it.each([
  [{ callback: 'report' }, 'callback must be the dotted name of a Python function'],
  [{ callback: 'a.b', everywhere: true }, 'callback and everywhere exclude each other'],
])('an impossible callback stops the start: %j', async (options, message) => {
  @Injectable()
  class Wrong {
    @OnJob('finished', options)
    hear() {}
  }
  await expect(start(Tasks, Wrong)).rejects.toThrow(message);
});

it('an event for which RQ has no callback is refused where it is written', () => {
  expect(() => {
    class Wrong {
      @OnJob(['finished', 'progress'], { callback: 'a.b' })
      hear() {}
    }
    return Wrong;
  }).toThrow('RQ has no callback for the event "progress"');
});
