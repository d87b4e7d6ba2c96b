// A job begins in no asynchronous context: neither in the one in which the application started, nor in what
// another job has left.
import { Injectable } from '@nestjs/common';
import { AsyncLocalStorage } from 'node:async_hooks';
import { Job, OnJob, type Queue, RqModule, type RunningJob, getQueueToken } from 'nestjs-rq';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

const tenants = new AsyncLocalStorage<string>();

@Injectable()
class Jobs {
  readonly seen: (string | undefined)[] = [];
  readonly heard: (string | undefined)[] = [];

  @Job('work')
  atOnce(tenant: string) {
    this.seen.push(tenants.getStore());
    tenants.enterWith(tenant);
    return tenants.getStore();
  }

  @Job('work')
  async later(tenant: string, job: RunningJob) {
    this.seen.push(tenants.getStore());
    tenants.enterWith(tenant);
    await job.progress(1);
    await new Promise((resolve) => setImmediate(resolve));
    return tenants.getStore();
  }

  @Job('work')
  async *generated(tenant: string) {
    this.seen.push(tenants.getStore());
    tenants.enterWith(tenant);
    yield 1;
    yield tenants.getStore();
  }

  @OnJob(['started', 'finished'])
  hear() {
    this.heard.push(tenants.getStore());
    tenants.enterWith('a listener');
  }
}

it.each([{ currentJob: true }, { currentJob: false }])(
  'jobs and listeners begin in none, with %p',
  async (options) => {
    const { app } = await tenants.run('bootstrap', () =>
      applications.start({
        imports: [
          RqModule.forRoot(applications.root({ ...options, worker: { concurrency: 3 } })),
          RqModule.registerQueue('work'),
        ],
        providers: [Jobs],
      }),
    );
    const work = app.get<Queue>(getQueueToken('work'));
    const jobs = app.get(Jobs);
    const names = ['atOnce', 'later', 'generated'].flatMap((name) => Array(20).fill(name));
    const items = names.map((name: string, index) => ({ name, data: `tenant ${index}` }));
    const handles = await tenants.run('producer', () => work.enqueueMany(items));
    const results = await Promise.all(handles.map((handle) => handle.result()));

    // Each run keeps what it has entered to itself.
    expect(results).toEqual(items.map(({ data }) => data));
    expect(jobs.seen).toEqual(Array(60).fill(undefined));
    await eventually(() => jobs.heard.length === 120, { what: 'all events to be heard' });
    expect(jobs.heard).toEqual(Array(120).fill(undefined));
  },
);
