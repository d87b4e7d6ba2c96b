import { type Batch, type BatchedJob, Job, Queue, type RunningJob } from 'nestjs-rq';

/**
 * Compiled by `npm run typecheck`, never run. A line under `@ts-expect-error` must not compile: what a user gets wrong of a
 * handler of batches is found before the program runs.
 */

interface Event {
  readonly name: string;
  readonly size: number;
}

class EventJobs {
  @Job({ queue: 'events', batch: { size: 100, wait: '1s' } })
  async index(events: Event[], jobs: BatchedJob<Event, number>[]) {
    jobs[0]?.fail(new Error('bad'));
    jobs[1]?.finish(5);
    // @ts-expect-error -- the result of a job is a number
    jobs[1]?.finish('five');
    return events.map(({ size }) => size);
  }

  @Job({ queue: 'events', batch: { size: 100 } })
  count(_events: Batch<Event>) {}

  /** One job whose data is a list. */
  @Job('events')
  list(_events: Event[], _job: RunningJob) {
    return [1];
  }

  // @ts-expect-error -- a batch comes as a list
  @Job({ queue: 'events', batch: { size: 100 } })
  single(_event: Event) {}
}

export async function linked(queue: Queue<EventJobs>) {
  const event = { name: 'a', size: 1 };
  const result: number = await (await queue.enqueue('index', event)).result();
  const nothing: null = await (await queue.enqueue('count', event)).result();
  const list: number[] = await (await queue.enqueue('list', [event])).result();
  await queue.enqueueMany([{ name: 'index', data: event }]);
  // @ts-expect-error -- a job has the data of one
  await queue.enqueue('index', [event]);
  // @ts-expect-error -- a job has the data of one
  await queue.enqueue('count', [event]);
  // @ts-expect-error -- the data has another type
  await queue.enqueue('index', { name: 'a' });
  return [result, nothing, list];
}
