import { type Batch, type BatchedJob, Job, Queue, type RunningJob } from 'nestjs-rq';

/**
 * Compiled by `npm run typecheck`, never run. A line under `@ts-expect-error` must not compile: what a user gets wrong of a
 * handler of batches is found before the program runs.
 */

interface Event {
  readonly name: string;
  readonly size: number;
}

const size: number = Number('100');

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

  // @ts-expect-error -- also where the size is not written out
  @Job({ queue: 'events', batch: { size } })
  alone(_event: Event) {}

  @Job({ queue: 'events', batch: { size }, key: (event: { name: string }) => event.name })
  byName(_events: Event[], _jobs: BatchedJob<Event>[]) {}

  // @ts-expect-error -- a key is of one job
  @Job({ queue: 'events', batch: { size: 100 }, key: (events: Event[]) => events[0]?.name })
  byFirst(_events: Batch<Event>) {}
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
