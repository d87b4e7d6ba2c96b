// Slots are neither lost nor made up, whatever happens in whatever order: random stories, told again by their seed.
import { ConsumerScene, turns } from './support/consumer-scene.js';

/** Numbers from 0 to 1 that are the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One random event; jobs get names that were never used before. */
class Story {
  private jobs = 0;

  constructor(
    private readonly scene: ConsumerScene,
    private readonly random: () => number,
  ) {}

  async next(): Promise<void> {
    const { scene } = this;
    const { consumer } = scene;
    const exchange = this.oneOf(scene.underWay);
    const run = this.oneOf(scene.runs);
    const draw = this.random();
    if (draw < 0.4) await exchange?.answer(this.newJobs(this.upTo(exchange.want)), this.parts());
    else if (draw < 0.5) await exchange?.fail(this.random() < 0.5 ? 'certain' : 'uncertain');
    else if (draw < 0.75 && run !== undefined) await scene.finish(run);
    else if (draw < 0.8) await scene.pop.bring(this.newJobs(1)[0] as string);
    else if (draw < 0.85) await this.endSearch();
    else if (draw < 0.9) consumer.reconnected();
    else if (draw < 0.93) consumer.dueIn(0);
    else if (draw < 0.96) await scene.hear();
    else if (draw < 0.98 && run !== undefined) scene.runner.cancel(run);
    else consumer.slotsFreed();
    await turns();
  }

  private newJobs(count: number): string[] {
    return Array.from({ length: count }, () => `job-${(this.jobs += 1)}`);
  }

  private parts() {
    return { more: this.random() < 0.3, paused: this.random() < 0.1 };
  }

  private async endSearch(): Promise<void> {
    const [search] = this.scene.searches;
    if (this.random() < 0.5) {
      await this.scene.found(...this.newJobs(this.upTo(2)));
    } else if (search) {
      this.scene.searches.shift();
      search.reject(new Error('cut'));
    }
  }

  private upTo(most: number): number {
    return Math.floor(this.random() * (most + 1));
  }

  private oneOf<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.random() * list.length)];
  }
}

const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);

describe.each([
  { concurrency: 1, prefetch: 0 },
  { concurrency: 4, prefetch: 0 },
  { concurrency: 3, prefetch: 5 },
  { concurrency: 4, prefetch: 3 },
])('with %j', ({ concurrency, ...options }) => {
  it.each(SEEDS)(
    'a slot in use is a job that runs or a job that is asked for (seed %d)',
    async (seed) => {
      const scene = new ConsumerScene(concurrency, options);
      const random = numbers(seed);
      const story = new Story(scene, random);
      const expectSlots = () => {
        const { used } = scene.slots;
        const asked = scene.underWay.reduce((sum, { want }) => sum + want, 0);
        const running = scene.runner.count;
        const most = Math.min(concurrency, running + asked);
        // Without prefetch every job that is asked for has a slot.
        const least = options.prefetch === 0 ? running + asked : running;
        // Not by `expect`: 48,000 calls of it would take most of the time.
        if (used > most || used < least) {
          throw new Error(`${used} slots are in use, and not ${least} to ${most}`);
        }
      };

      await scene.start();
      for (let event = 0; event < 150; event += 1) {
        await story.next();
        expectSlots();
      }
      const stopped = scene.consumer.stopClaiming();
      for (let event = 0; event < 50; event += 1) {
        await story.next();
        expectSlots();
      }
      await stopped;

      // All ends well: then nothing is running, nothing is asked for, and nobody holds a lease.
      scene.runner.abortAll(() => new Error('the story is over'));
      let isSettled = false;
      void scene.consumer.settled().then(() => (isSettled = true));
      for (let round = 0; round < 100 && !isSettled; round += 1) {
        scene.consumer.reconnected();
        await scene.answerAll();
        while (scene.searches.length > 0) await scene.found();
        await turns();
        if (!isSettled && scene.underWay.length === 0)
          await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(isSettled).toBe(true);
      expect(scene.slots.used).toBe(0);
      expect(scene.consumer.leases()).toEqual([]);
      scene.end();
    },
  );
});
