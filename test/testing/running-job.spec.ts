import { Injectable } from '@nestjs/common';
import { Job, RqModule, type RunningJob } from 'nestjs-rq';
import { NOWHERE, closeApplicationsAfterEach, start } from './support/kit.js';

closeApplicationsAfterEach();

@Injectable()
class Walks {
  @Job({ queue: 'walks', retry: { max: 1, interval: '1m' } })
  async walk(data: { from: number }, job: RunningJob<{ from: number }>) {
    void job.log(`from ${data.from}`);
    job.heartbeat();
    await job.progress(data.from);
    await job.update({ from: data.from + 10 });
    void job.log('arrived');
    if (job.attempt === 1) throw new Error('tired');
    return data.from;
  }
}

const metadata = {
  imports: [RqModule.forRoot({ connection: NOWHERE }), RqModule.registerQueue('walks')],
  providers: [Walks],
};

it('a test sees what a handler told: log, progress, data for the next attempt', async () => {
  const { rq } = await start(metadata);
  const job = await rq.queue('walks').enqueue('walk', { from: 0 });
  await rq.drain();
  expect(await job.logs()).toEqual(['from 0', 'arrived']);
  expect(await job.refresh()).toMatchObject({ progress: 0, data: { from: 10 } });
  await rq.advance('1m');
  expect(await job.result()).toBe(10);
  expect(await job.logs()).toEqual(['from 0', 'arrived', 'from 10', 'arrived']);
});

it('sees it at once in inline mode', async () => {
  const { rq } = await start(metadata, { mode: 'inline' });
  const job = await rq.queue('walks').enqueue('walk', { from: 5 });
  expect(await job.logs()).toEqual(['from 5', 'arrived']);
});
