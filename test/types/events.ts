// What the compiler knows of events: which there are, and what each tells. This file only needs to compile.
import {
  type ExhaustedEvent,
  type JobEvent,
  type JobEventOf,
  Job,
  OnJob,
  OnAlert,
  type Queue,
  type RqAlert,
  type RqJob,
  currentJob,
} from 'nestjs-rq';
import type { Observable } from 'rxjs';

export class Listeners {
  @OnJob('exhausted', { queue: 'payments', name: 'charge', everywhere: true })
  async alert(event: ExhaustedEvent, job: RqJob): Promise<string> {
    return `${event.error.message} ${job.id}`;
  }

  @OnJob(['finished', 'failed'])
  tell(event: JobEventOf<'finished' | 'failed'>): void {
    if (event.type === 'finished') void event.duration;
    else void event.error.name;
    // @ts-expect-error -- a finished job has no error
    void event.error;
  }

  // @ts-expect-error -- there is no such event
  @OnJob('done')
  never(): void {}

  // @ts-expect-error -- there is no such option
  @OnJob('failed', { queues: ['payments'] })
  misspelt(): void {}

  @Job({ queue: 'payments', progress: true })
  watch(): Observable<number> {
    throw new Error('only compiled');
  }

  // @ts-expect-error -- it stands on a method
  @OnJob('failed')
  property = 1;
}

export function narrowed(event: JobEvent): string {
  switch (event.type) {
    case 'started':
    case 'lost':
      return event.jobId;
    case 'progress':
      return String(event.progress);
    case 'retrying':
      return `${event.delay} ${event.retriesLeft} ${event.error.message}`;
    case 'finished':
      return String(event.result);
    case 'exhausted':
    case 'failed':
      return event.error.name;
    case 'canceled':
      return event.reason;
  }
}

export async function heard(queue: Queue<Listeners>): Promise<void> {
  queue.events().subscribe((event) => narrowed(event));
  const job = await queue.enqueue('watch');
  job.events({ onListening: () => undefined }).subscribe((event) => event.at.getTime());
  const last: number = await job.result();
  void last;
  const current = currentJob();
  // @ts-expect-error -- there may be no job
  void current.id;
  void current?.attempt;
}

export class CallbackTaker {
  @OnJob(['failed', 'retrying'], { callback: 'tasks.alarm' })
  alarm(_event: JobEventOf<'failed' | 'retrying'>) {}

  // @ts-expect-error -- a callback is a name
  @OnJob('failed', { callback: () => 1 })
  wrong() {}
}

class Shop {
  declare readonly jobNames: { keep: 'keep' };

  @Job('shop')
  charge(_order: { id: string }): void {}

  @Job('shop')
  anything(_data: unknown): void {}

  /** Its class says that it is a job. */
  @Job('shop')
  keep(_event: JobEvent): void {}

  @OnJob('failed')
  one(_event: JobEventOf<'failed'>): void {}

  @OnJob(['failed', 'exhausted'])
  several(_event: JobEventOf<'failed' | 'exhausted'>, _job: RqJob): void {}

  @OnAlert()
  page({ sentence }: RqAlert): string {
    return sentence;
  }
}

/** What hears of jobs and alerts is no job. */
export async function jobsOnly(queue: Queue<Shop>, event: JobEventOf<'failed'>, alert: RqAlert) {
  const names: ('charge' | 'anything' | 'keep')[] = [];
  type Known = Parameters<typeof queue.enqueue>[0];
  const known: Known[] = names;
  const just: 'charge' | 'anything' | 'keep' = known[0] ?? 'charge';
  await queue.enqueue('charge', { id: '5' });
  // @ts-expect-error -- a listener
  await queue.enqueue('one', event);
  // @ts-expect-error -- a listener
  await queue.enqueue('several', event);
  // @ts-expect-error -- a listener of alerts
  await queue.enqueue('page', alert);
  return just;
}

export async function called(queue: Queue) {
  await queue.enqueueCall('tasks.f', {}, { onSuccess: 'tasks.g', timeout: '1m' });
  // @ts-expect-error -- a callback is a name
  await queue.enqueueCall('tasks.f', {}, { onSuccess: () => 1 });
  // @ts-expect-error -- callbacks are Python's: jobs of Nest have events
  await queue.enqueue('f', undefined, { onSuccess: 'tasks.g' });
}
