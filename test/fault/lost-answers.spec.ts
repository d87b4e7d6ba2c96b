import { beforeEach, describe, expect, it } from '@jest/globals';
import type { JobEvent } from '../../lib/index.js';
import { eventually } from '../support/wait.js';
import { useProxiedScene } from './proxied-scene.js';
import type { ActingWorker } from './scene.js';

/**
 * As many slots as it gets jobs: with a free one, it would wait at the queue. Redis would then move a job that goes on to
 * it, in an answer that is lost, and nobody else would get it before its lease is over.
 */
const BUSY = { connection: { commandTimeout: 500, connectTimeout: 2000 }, concurrency: 3 };
/** Longer than anything here takes: nobody's lease ends by itself. */
const LONG = 30;

describe('an outcome whose answer was lost is told as what became of it', () => {
  const place = useProxiedScene();
  let heard: JobEvent[];

  beforeEach(async () => {
    heard = [];
    await new Promise<void>((resolve) => {
      place.scene
        .queue()
        .events({ onListening: resolve })
        .subscribe((event) => heard.push(event));
    });
  });

  const heardOf = (type: string) =>
    heard.filter((event) => event.type === type).map(({ jobId }) => jobId);

  /**
   * Nothing of the worker is on its way. Its news of jobs that start travel like outcomes, and only two calls may be under
   * way: if answers were lost to both, no outcome would go out any more.
   */
  async function isQuiet(worker: ActingWorker, count: number): Promise<void> {
    await place.scene.when('run', { worker: worker.label, count });
    await eventually(() => heardOf('started').length === count, { what: 'news of all starts' });
    await worker.hasAnswers();
  }

  /** An event travels on a link of its own. */
  async function hasHeard(type: string, ids: readonly string[]): Promise<void> {
    const what = `${ids.length} events "${type}"`;
    await eventually(() => heardOf(type).length >= ids.length, { what });
    expect(heardOf(type).toSorted()).toEqual(ids);
  }

  /** Has all jobs of the first worker end in a network that fails. */
  async function endInVain(count: number): Promise<void> {
    await place.scene.when('end', { worker: 'far', count });
    await place.scene.when('problem', { worker: 'far' });
  }

  it('refused, when its lease ended on the way and another worker finished the job', async () => {
    const { scene, proxy } = place;
    const far = await scene.worker('far', { ...BUSY, url: proxy.url, lease: 1 });
    const queue = scene.queue();
    const ids = ['a', 'b', 'c'];
    for (const id of ids) {
      await queue.enqueue('act', { waits: true }, { id, retry: { max: 9 } });
    }
    await isQuiet(far, ids.length);
    proxy.fallSilent();
    far.go();
    await endInVain(ids.length);
    const near = await scene.worker('near', { lease: 1 });
    near.go();
    await scene.when('finished', { worker: 'near', count: ids.length });
    proxy.heal();

    await scene.when('lost', { worker: 'far', count: ids.length });
    expect(scene.journal.of('finished', { worker: 'far' })).toEqual([]);
    expect(scene.journal.ids('finished').toSorted()).toEqual(ids);
    await hasHeard('finished', ids);
    expect(await scene.audit(ids.map((id) => ({ id, retries: 9 })))).toEqual([]);
  });

  it('written, although the job has gone on since', async () => {
    const { scene, proxy } = place;
    const far = await scene.worker('far', { ...BUSY, url: proxy.url, lease: LONG });
    const queue = scene.queue();
    const failing = await queue.enqueue('act', { waits: true, fails: 1 }, { id: 'failing' });
    const finishing = await queue.enqueue('act', { waits: true }, { id: 'finishing' });
    await queue.enqueue('act', { waits: true }, { id: 'vanishing', resultTtl: 0 });
    await isQuiet(far, 3);
    proxy.loseAnswers();
    far.go();
    await endInVain(3);
    for (const [job, status] of [
      [failing, 'failed'],
      [finishing, 'finished'],
    ] as const) {
      await eventually(async () => (await job.status()) === status, {
        what: `a job to be ${status}`,
      });
    }
    await eventually(async () => (await queue.getJob('vanishing')) === undefined, {
      what: 'the third job to be gone',
    });
    await failing.requeue();
    await finishing.delete();
    await queue.enqueue('act', {}, { id: 'vanishing' });
    const near = await scene.worker('near', { lease: LONG });
    near.go();
    await scene.when('finished', { worker: 'near', count: 2 });
    proxy.heal();

    await scene.when('finished', { worker: 'far', count: 2 });
    await scene.when('failed', { worker: 'far' });
    const told = (event: 'finished' | 'failed') =>
      scene.journal.of(event).map(({ id, worker }) => `${id} ${worker}`);
    expect(told('finished').toSorted()).toEqual([
      'failing near',
      'finishing far',
      'vanishing far',
      'vanishing near',
    ]);
    expect(told('failed')).toEqual(['failing far']);
    expect(scene.journal.of('lost')).toEqual([]);
    expect(scene.journal.of('canceled')).toEqual([]);
    await hasHeard('finished', ['failing', 'finishing', 'vanishing', 'vanishing']);
    await hasHeard('failed', ['failing']);
  });
});
