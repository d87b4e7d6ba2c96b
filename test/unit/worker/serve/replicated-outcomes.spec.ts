import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NotReplicatedError, RqConnectionError } from '../../../../lib/job/index.js';
import { JobReporter } from '../../../../lib/worker/report/job-reporter.js';
import { OutcomeQueue } from '../../../../lib/worker/serve/outcome-queue.js';
import { claimedJob } from '../../support/claimed-job.js';

const tooFew = new NotReplicatedError({ action: 'ask', replicas: 1, reached: 0, timeout: 300 });

/** Replicas that answer as the test says: with what is known of each call, or an error. */
class Scene {
  answers: (boolean | Error)[] = [];
  /** Slots of the calls that were asked for. */
  readonly asked: number[][] = [];
  readonly told: string[] = [];
  private readonly reporter = new JobReporter({
    jobFinished: ({ jobId }) => this.told.push(`finished ${jobId}`),
    jobLost: ({ jobId }) => this.told.push(`lost ${jobId}`),
    problem: ({ message }) => this.told.push(message),
    problemSolved: ({ message }) => this.told.push(message),
  });
  readonly queue = new OutcomeQueue(this.reporter, () => undefined, {
    queue: 'q',
    ask: (calls) => {
      this.asked.push(calls.map(({ slot }) => slot));
      const answer = this.answers.shift() ?? true;
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve(calls.map(() => answer));
    },
    told: ({ job }) => this.told.push(`others hear of ${job.id}`),
    allTold: () => this.told.push('all told'),
  });

  /** One that Redis has written down. */
  settle(id: string): void {
    const outcome = { type: 'finished', result: undefined } as const;
    const job = claimedJob({ data: '' }, id);
    this.queue.add({ job, name: 'f', verdict: { outcome }, outcome, startedAt: 0, endedAt: 1 });
    this.queue.conclude(this.queue.removeFirst(10), []);
  }
}

describe('outcomes that replicas must have before they are told', () => {
  let scene: Scene;
  beforeEach(() => {
    jest.useFakeTimers();
    scene = new Scene();
  });
  afterEach(() => void jest.useRealTimers());
  const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);

  it('are told when replicas have them, and keep their leases and their slot until then', async () => {
    scene.settle('a');
    expect(scene.told).toEqual([]);
    expect(scene.queue.isEmpty).toBe(false);
    expect([...scene.queue.jobs()].map(({ id }) => id)).toEqual(['a']);
    await pass(0);
    expect(scene.told).toEqual(['finished a', 'others hear of a', 'all told']);
    expect(scene.queue.isEmpty).toBe(true);
    expect([...scene.queue.jobs()]).toEqual([]);
  });

  it('are asked for together while a question is under way', async () => {
    scene.settle('a');
    scene.settle('b');
    scene.settle('c');
    await pass(0);
    expect(scene.asked).toEqual([[0], [1, 2]]);
  });

  it('are asked for again where replicas are slow, or Redis is away', async () => {
    const away = new RqConnectionError({ action: 'ask', reason: new Error('away') });
    scene.answers = [tooFew, away];
    scene.settle('a');
    await pass(150);
    expect(scene.told).toEqual([]);
    await pass(100);
    expect(scene.told).toContain('finished a');
    expect(scene.asked).toHaveLength(3);
  });

  it('are sent again, as the same call, to a server that does not know them', async () => {
    scene.answers = [false];
    scene.settle('a');
    await pass(0);
    expect(scene.told).toEqual([]);
    const again = scene.queue.removeFirst(10);
    expect(again.call).toMatchObject({ slot: 0, number: 0, isRepeated: true });
    scene.queue.conclude(again, [{ index: 0, status: 'started' }]);
    expect(scene.told).toEqual(['lost a']);
    expect(scene.queue.isEmpty).toBe(true);
  });

  it('are told after fifteen seconds all the same; the next ones at the first refusal, until replicas are back', async () => {
    scene.answers = Array(1000).fill(tooFew);
    scene.settle('a');
    await pass(14_900);
    expect(scene.told).toEqual([]);
    await pass(200);
    const problem =
      'outcomes of queue "q" are told although too few replicas have them (durability)';
    expect(scene.told).toEqual([problem, 'finished a', 'others hear of a', 'all told']);
    scene.told.length = 0;
    scene.settle('b');
    await pass(0);
    expect(scene.told).toContain('finished b');
    scene.answers = [];
    scene.told.length = 0;
    scene.settle('c');
    await pass(0);
    expect(scene.told).toEqual([
      'outcomes of queue "q" are told when replicas have them again',
      'finished c',
      'others hear of c',
      'all told',
    ]);
    scene.answers = [tooFew];
    scene.told.length = 0;
    scene.settle('d');
    await pass(50);
    expect(scene.told).toEqual([]);
    await pass(100);
    expect(scene.told).toContain('finished d');
  });

  it('are told when the worker stops', async () => {
    scene.answers = Array(1000).fill(tooFew);
    scene.settle('a');
    await pass(500);
    scene.queue.giveUpOnReplicas();
    expect(scene.told).toEqual(['finished a', 'others hear of a', 'all told']);
    await pass(500);
    expect(scene.told).toHaveLength(3);
  });
});
