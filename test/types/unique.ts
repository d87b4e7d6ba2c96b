import type {
  FinishedEvent,
  JobSnapshot,
  Queue,
  RepeatOptions,
  RunningJob,
  UniqueOptions,
} from 'nestjs-rq';

/** Compiled by `npm run typecheck`, never run. A line under `@ts-expect-error` must not compile. */
export async function unique(
  queue: Queue,
  job: RunningJob,
  event: FinishedEvent,
  seen: JobSnapshot,
) {
  const handle = await queue.enqueue('f', 1, { unique: { by: 'a', for: '1m', else: 'error' } });
  const isNew: boolean = handle.isNew;
  const options: UniqueOptions = { by: 'a', replace: true, until: 'started' };
  await queue.enqueue('f', 1, { unique: options, delay: '5s' });
  await queue.enqueue('f', 1, { unique: {} });
  await queue.enqueue('f', 1, { unique: true, id: 'a' });
  // @ts-expect-error it is `by`
  await queue.enqueue('f', 1, { unique: { key: 'a' } });
  // @ts-expect-error a text
  await queue.enqueue('f', 1, { unique: { by: 17 } });
  // @ts-expect-error 'ended' or 'started'
  await queue.enqueue('f', 1, { unique: { until: 'finished' } });
  // @ts-expect-error the one thing that may happen beside giving the handle
  await queue.enqueue('f', 1, { unique: { else: 'ignore' } });
  // @ts-expect-error it is told, not set
  handle.isNew = true;

  const repeat: RepeatOptions = { times: 3, interval: ['1s', 60] };
  await queue.enqueue('f', 1, { repeat });
  // @ts-expect-error how often?
  await queue.enqueue('f', 1, { repeat: { interval: 1 } });
  // @ts-expect-error times and interval
  await queue.enqueue('f', 1, { repeat: 3 });
  const left: number | undefined = job.repeatsLeft;
  const following: number = event.repeatsLeft;
  return [isNew, left, following, seen.repeatsLeft];
}
