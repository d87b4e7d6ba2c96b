import {
  type CallHandler,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { Job, type RunningJob } from 'nestjs-rq';
import { EMPTY, map, of } from 'rxjs';
import { type Explored, explored, jobFor } from './support/explored.js';

@Injectable()
class Wrap implements NestInterceptor {
  intercept(_: unknown, next: CallHandler) {
    return next.handle().pipe(map((value: unknown) => ({ wrapped: value })));
  }
}

@Injectable()
class Jobs {
  closed = false;

  @Job('q')
  async promise() {
    return 7;
  }

  @Job('q')
  observable() {
    return of(1, 2, 3);
  }

  @Job('q')
  async promisedObservable() {
    return of(8, 9);
  }

  @UseInterceptors(Wrap)
  @Job('q')
  interceptedObservable() {
    return of(1, 2);
  }

  @Job('q')
  emptyObservable() {
    return EMPTY;
  }

  @Job('q')
  async *generator() {
    yield 1;
    yield 2;
  }

  @Job('q')
  async *emptyGenerator() {}

  @Job('q')
  async *failingGenerator() {
    yield 1;
    throw new Error('boom');
  }

  @Job('q')
  async *endless(_: unknown, job: RunningJob) {
    try {
      for (let i = 0; ; i++) yield `${job.id} ${i}`;
    } finally {
      this.closed = true;
    }
  }

  @Job('q')
  text() {
    return 'text';
  }

  @Job('q')
  nothing() {}
}

let jobs: Explored;
beforeAll(async () => {
  jobs = await explored({ providers: [Jobs] });
});
afterAll(() => jobs.close());

it.each([
  ['promise', 7],
  ['observable', 3],
  ['promisedObservable', 9],
  ['interceptedObservable', { wrapped: 2 }],
  ['generator', 2],
  ['emptyGenerator', undefined],
  ['text', 'text'],
  ['nothing', undefined],
])('the result of a handler that returns a %s is its last value', async (name, result) => {
  expect(await jobs.run(name)).toEqual(result);
});

it('an Observable that ends without a value fails the job', async () => {
  await expect(jobs.run('emptyObservable')).rejects.toMatchObject({ name: 'EmptyError' });
});

it('a generator that throws fails the job', async () => {
  await expect(jobs.run('failingGenerator')).rejects.toThrow('boom');
});

it('a generator is closed when its job is aborted', async () => {
  const controller = new AbortController();
  const job = Object.assign(jobFor({ name: 'endless', data: {} }), { signal: controller.signal });
  const result = jobs.handlers.find('q', 'endless')!.run({}, job);
  controller.abort(new Error('timed out'));
  await expect(result).rejects.toThrow('timed out');
  expect(jobs.app.get(Jobs).closed).toBe(true);
});
