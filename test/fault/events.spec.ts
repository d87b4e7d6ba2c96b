import type { Subscription } from 'rxjs';
import type { JobEvent } from '../../lib/index.js';
import { deferred, eventually } from '../support/wait.js';
import { Scene } from './scene.js';

describe('the events of jobs that other processes run', () => {
  let scene: Scene;
  let subscription: Subscription;
  let heard: JobEvent[];

  beforeEach(async () => {
    scene = await Scene.open();
    heard = [];
    const listening = deferred();
    subscription = scene
      .queue()
      .events({ onListening: listening.resolve })
      .subscribe((event) => heard.push(event));
    await listening.promise;
  });

  afterEach(async () => {
    subscription.unsubscribe();
    await scene.close();
  });

  it('tell of a worker that is killed, and of the one that goes on', async () => {
    const doomed = await scene.worker('doomed', { lease: 2 });
    await scene
      .queue()
      .enqueue('act', { waits: true }, { id: 'job', retry: { max: 1, interval: 0 } });
    await scene.when('run', { count: 1 });
    const survivor = await scene.worker('survivor', { lease: 2 });
    survivor.go();
    await doomed.kill();

    await eventually(() => heard.some(({ type }) => type === 'finished'), {
      what: 'the end of the job',
      timeout: 20_000,
    });
    expect(heard.map(({ type, attempt }) => `${type} ${attempt}`)).toEqual([
      'started 1',
      'lost 1',
      'started 2',
      'finished 2',
    ]);
    expect(heard.every(({ jobId, name }) => jobId === 'job' && name === 'act')).toBe(true);
  });
});
