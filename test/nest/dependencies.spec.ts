// Graphs of jobs over several queues, as an application enqueues them and its handlers see them.
import { Injectable } from '@nestjs/common';
import {
  DuplicateJobError,
  FailJob,
  InjectQueue,
  InvalidOptionError,
  Job,
  JobCanceledError,
  ParentResultError,
  type Queue,
  type RqJob,
  RqModule,
  RqService,
  type RunningJob,
} from 'nestjs-rq';
import { deferred, eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

@Injectable()
class Images {
  readonly ran: string[] = [];
  isBroken = false;
  gate = deferred<string>();

  @Job('images')
  async resize(path: string) {
    this.ran.push(`resize ${path}`);
    if (this.isBroken) throw new FailJob('the disk is full');
    return { path: `${path}.small`, at: new Date(0) };
  }

  @Job('images')
  scan(path: string): boolean {
    this.ran.push(`scan ${path}`);
    return !path.includes('virus');
  }

  @Job('images')
  large(size: number): string {
    return 'x'.repeat(size);
  }

  @Job('images')
  hold(): Promise<string> {
    return this.gate.promise;
  }
}

type Resized = { path: string; at: Date };

@Injectable()
class Mail {
  readonly sent: unknown[] = [];

  @Job('mail')
  async notify(to: string, job: RunningJob<string, unknown[], [Resized, boolean]>) {
    const results = await job.parentResults();
    this.sent.push([to, ...results]);
    return results;
  }

  @Job('mail')
  async looked(_data: undefined, job: RunningJob) {
    const parents = await job.parents();
    return Promise.all(
      parents.map(async (parent) => `${parent.queue} ${parent.id} ${await parent.status()}`),
    );
  }

  @Job('mail')
  async results(_data: unknown, job: RunningJob) {
    return (await job.parentResults()).map((result) => JSON.stringify(result)?.length);
  }

  @Job('mail')
  plain() {
    this.sent.push('plain');
    return 'plain';
  }
}

async function startShop(worker: object | false = {}) {
  const { app } = await applications.start({
    imports: [
      RqModule.forRoot(applications.root({ worker })),
      RqModule.registerQueue('images', 'mail'),
    ],
    providers: [Images, Mail, Queues],
  });
  const { images, mail } = app.get(Queues);
  return { app, rq: app.get(RqService), images, mail, jobs: app.get(Images), sent: app.get(Mail) };
}

@Injectable()
class Queues {
  constructor(
    @InjectQueue('images') readonly images: Queue<Images>,
    @InjectQueue('mail') readonly mail: Queue<Mail>,
  ) {}
}

const statusIs = (job: RqJob, status: string) =>
  eventually(async () => (await job.status()) === status, { what: `${job.id} to be ${status}` });

describe('a graph of jobs', () => {
  it('is enqueued in one step, and a job finds the results of those that it waited for', async () => {
    const { rq, images, mail, sent } = await startShop();
    const resize = images.prepare('resize', 'a');
    const scan = images.prepare('scan', 'a');
    const notify = mail.prepare('notify', 'ann', { dependsOn: [resize, scan] });
    const [, , job] = await rq.enqueueMany([resize, scan, notify]);

    const at = '1970-01-01T00:00:00.000Z';
    expect(await job.result({ timeout: '10s' })).toEqual([{ path: 'a.small', at }, true]);
    expect(sent.sent).toEqual([['ann', { path: 'a.small', at }, true]]);
  });

  it('is stored as a whole or not at all', async () => {
    const { rq, images, mail } = await startShop(false);
    await images.enqueue('scan', 'a', { id: 'taken' });
    const taken = images.prepare('scan', 'a', { id: 'taken' });
    const other = images.prepare('scan', 'b', { id: 'other' });
    const child = mail.prepare('plain', undefined, { id: 'child', dependsOn: [other, taken] });

    await expect(rq.enqueueMany([other, taken, child])).rejects.toBeInstanceOf(DuplicateJobError);
    expect(await images.getJob('other')).toBeUndefined();
    expect(await mail.getJob('child')).toBeUndefined();
    expect((await images.counts()).queued).toBe(1);
    expect(await images.job('taken').dependents()).toEqual([]);

    // A job of this id that nobody of the call waits for is left alone, as always.
    await rq.enqueueMany([images.prepare('scan', 'a', { id: 'taken' }), other]);
    expect((await images.counts()).queued).toBe(2);
  });

  it('that was stored by a call whose answer was lost may be enqueued again', async () => {
    const { images, mail } = await startShop(false);
    const graph = [
      { name: 'scan', data: 'a', options: { id: 'parent' } },
      { name: 'plain', options: { id: 'child', dependsOn: 'parent' } },
    ] as const;
    const queue = images as unknown as Queue;
    await queue.enqueueMany(graph);
    await queue.enqueueMany(graph);
    expect(await images.counts()).toMatchObject({ queued: 1, deferred: 1 });
    expect((await mail.counts()).deferred).toBe(0);
  });

  it('refuses prepared jobs of another root', async () => {
    const { rq, images } = await startShop(false);
    const other = await startShop(false);
    const prepared = other.images.prepare('scan', 'a');
    await expect(rq.enqueueMany([prepared])).rejects.toBeInstanceOf(InvalidOptionError);
    const options = { dependsOn: other.images.job('x') };
    await expect(images.enqueue('scan', 'a', options)).rejects.toThrow(/another root/);
  });

  it('of 1000 jobs and one that waits for them all', async () => {
    const { rq, images, mail } = await startShop({ concurrency: 100 });
    const parents = Array.from({ length: 999 }, (_, index) => images.prepare('scan', `${index}`));
    const child = mail.prepare('results', 0, { dependsOn: parents });
    const handles: readonly RqJob[] = await rq.enqueueMany([...parents, child]);
    expect(await handles.at(-1)!.result({ timeout: '20s' })).toHaveLength(999);
  });
});

describe('a job that waits', () => {
  it('is deferred, and shows for whom; they show that it waits', async () => {
    const { images, mail } = await startShop(false);
    const first = await images.enqueue('resize', 'a');
    const second = await images.enqueue('scan', 'a');
    const dependsOn = { jobs: [first, second], ifFailed: 'run' as const };
    const job = await mail.enqueue('plain', undefined, { dependsOn });

    const waitsFor = { jobs: [first.id, second.id], ifFailed: 'run' };
    expect(await job.status()).toBe('deferred');
    expect(await job.refresh()).toMatchObject({ status: 'deferred', waitsFor });
    expect(await mail.counts()).toMatchObject({ queued: 0, deferred: 1 });
    expect(await mail.jobs('deferred')).toMatchObject([{ id: job.id, name: 'plain', waitsFor }]);
    const dependents = await first.dependents();
    expect(dependents.map(({ id, queue }) => ({ id, queue }))).toEqual([
      { id: job.id, queue: 'mail' },
    ]);
  });

  it('shows the first of very many in a list, and all by itself', async () => {
    const { rq, images, mail } = await startShop(false);
    const parents = Array.from({ length: 60 }, () => images.prepare('scan', 'a'));
    const child = mail.prepare('plain', undefined, { dependsOn: parents });
    await rq.enqueueMany([...parents, child]);
    const ids = parents.map(({ id }) => id);
    expect((await child.handle().refresh()).waitsFor?.jobs).toEqual(ids);
    const [summary] = await mail.jobs('deferred');
    const shown = summary?.waitsFor?.jobs ?? [];
    expect(shown.length).toBeGreaterThan(10);
    expect(shown).toEqual(ids.slice(0, shown.length));
  });

  it('has its delay from its release on, and goes to the head of its queue', async () => {
    const { images, mail, jobs, sent } = await startShop();
    const parent = await images.enqueue('hold');
    const delayed = await mail.enqueue('plain', undefined, { dependsOn: parent, delay: '1h' });
    const soon = await mail.enqueueIn('0.1s', 'plain', undefined, { dependsOn: parent });
    expect(await delayed.status()).toBe('deferred');
    jobs.gate.resolve('done');
    await statusIs(delayed, 'scheduled');
    const [{ dueAt } = { dueAt: undefined }] = (await mail.jobs('scheduled')).slice(-1);
    expect(dueAt!.getTime() - Date.now()).toBeGreaterThan(3_500_000);
    expect(await soon.result({ timeout: '10s' })).toBe('plain');
    expect(sent.sent).toEqual(['plain']);
  });
});

describe('results of parents', () => {
  it('are there when the parent is gone, and when the job runs again much later', async () => {
    const { images, mail } = await startShop();
    const parent = await images.enqueue('large', 10, { delay: '1h', resultTtl: 0 });
    const child = await mail.enqueue('results', 0, { dependsOn: parent });
    await parent.promote();
    expect(await child.result({ timeout: '10s' })).toEqual([12]);
    expect(await images.getJob(parent.id)).toBeUndefined();
  });

  it('above 64 KB are read from the parent, and missed when it is gone', async () => {
    const { images, mail } = await startShop();
    const kept = await images.enqueue('large', 100_000, { delay: '1h' });
    const gone = await images.enqueue('large', 100_000, { delay: '1h', resultTtl: 0 });
    const finds = await mail.enqueue('results', 0, { dependsOn: kept });
    const misses = await mail.enqueue('results', 0, { dependsOn: gone });
    await images.promote({ in: 'scheduled' });
    expect(await finds.result({ timeout: '10s' })).toEqual([100_002]);
    await expect(misses.result({ timeout: '10s' })).rejects.toThrow(
      `No result of job "${gone.id}", which this job waited for: it is gone.`,
    );
  });

  it('of one that failed are an error; its handle tells', async () => {
    const { images, mail, jobs } = await startShop();
    jobs.isBroken = true;
    const resize = await images.enqueue('resize', 'a', { id: 'resize', delay: '1h' });
    const dependsOn = { jobs: [resize], ifFailed: 'run' as const };
    const misses = await mail.enqueue('results', 0, { dependsOn });
    const looks = await mail.enqueue('looked', undefined, { dependsOn });
    await resize.promote();
    expect(await looks.result({ timeout: '10s' })).toEqual(['images resize failed']);
    const message = new ParentResultError({ jobId: 'resize', status: 'failed' }).message;
    await expect(misses.result({ timeout: '10s' })).rejects.toThrow(message);
  });
});

describe('when a parent fails', () => {
  it('what waits for it is canceled, names it, and waits again when it is requeued', async () => {
    const { rq, images, mail, jobs } = await startShop();
    jobs.isBroken = true;
    const resize = images.prepare('resize', 'a');
    const scan = images.prepare('scan', 'a');
    const notify = mail.prepare('notify', 'ann', { dependsOn: [resize, scan] });
    const after = mail.prepare('plain', undefined, { dependsOn: notify });
    await rq.enqueueMany([resize, scan, notify, after]);

    const canceled = notify.handle().result({ timeout: '10s' });
    await expect(canceled).rejects.toBeInstanceOf(JobCanceledError);
    await expect(canceled).rejects.toThrow(resize.id);
    await expect(after.handle().result({ timeout: '10s' })).rejects.toThrow(notify.id);
    expect(await notify.handle().refresh()).toMatchObject({
      status: 'canceled',
      reason: expect.stringContaining(resize.id),
    });

    jobs.isBroken = false;
    await resize.handle().requeue();
    expect(await after.handle().result({ timeout: '10s' })).toBe('plain');
    expect(await notify.handle().result({ timeout: '10s' })).toMatchObject([
      { path: 'a.small' },
      true,
    ]);
    expect(jobs.ran.filter((run) => run.startsWith('scan'))).toHaveLength(1);
  });

  it('requeue of all that failed brings back what was canceled because of it', async () => {
    const { images, mail, jobs } = await startShop();
    jobs.isBroken = true;
    const parent = await images.enqueue('resize', 'a', { delay: '1h' });
    const child = await mail.enqueue('plain', undefined, { dependsOn: parent });
    await parent.promote();
    await statusIs(child, 'canceled');
    jobs.isBroken = false;
    expect(await images.requeue({ in: 'failed' })).toMatchObject({ done: 1 });
    expect(await child.result({ timeout: '10s' })).toBe('plain');
  });

  it('a job that was canceled by hand stays canceled', async () => {
    const { images, mail, jobs } = await startShop();
    jobs.isBroken = true;
    const parent = await images.enqueue('resize', 'a', { delay: '1h' });
    const child = await mail.enqueue('plain', undefined, { dependsOn: parent });
    await child.cancel();
    await parent.promote();
    await statusIs(parent, 'failed');
    jobs.isBroken = false;
    await parent.requeue();
    await parent.result({ timeout: '10s' });
    expect(await child.status()).toBe('canceled');
  });
});

describe('what is said of those that wait', () => {
  it("cancel({ dependents: 'release' }) runs them", async () => {
    const { images, mail } = await startShop();
    const parent = await images.enqueue('scan', 'a', { delay: '1h' });
    const child = await mail.enqueue('plain', undefined, { dependsOn: parent });
    await parent.cancel({ dependents: 'release' });
    expect(await child.result({ timeout: '10s' })).toBe('plain');
  });

  it("delete({ dependents: 'delete' }) deletes them, and those that wait for them", async () => {
    const { images, mail } = await startShop();
    const parent = await images.enqueue('scan', 'a', { delay: '1h' });
    const child = await mail.enqueue('plain', undefined, { dependsOn: parent });
    const grandchild = await mail.enqueue('plain', undefined, { dependsOn: child });
    await parent.delete({ dependents: 'delete' });
    expect(await mail.getJob(child.id)).toBeUndefined();
    expect(await mail.getJob(grandchild.id)).toBeUndefined();
    expect((await mail.counts()).deferred).toBe(0);
  });

  it.each([{ dependents: 'end' }, { dependents: true }, { dependants: 'release' }])(
    'is checked: %j',
    async (options) => {
      const { images } = await startShop(false);
      const job = images.job('any');
      await expect(job.cancel(options as object)).rejects.toBeInstanceOf(InvalidOptionError);
      await expect(job.delete(options as object)).rejects.toBeInstanceOf(InvalidOptionError);
    },
  );
});
