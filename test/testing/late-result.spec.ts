// Whoever waits for a result in a test is told what the test has to do, not to look for a worker.
import { Controller, Get, Injectable } from '@nestjs/common';
import { InjectQueue, Job, Queue, ResultTimeoutError, RqModule } from 'nestjs-rq';
import { NOWHERE, closeApplicationsAfterEach, start } from './support/kit.js';

closeApplicationsAfterEach();

@Injectable()
class Sums {
  @Job('sums')
  add(numbers: number[]) {
    return numbers.reduce((sum, number) => sum + number, 0);
  }
}

/** An endpoint that awaits a result. */
@Controller('sum')
class SumController {
  constructor(@InjectQueue('sums') readonly sums: Queue<Sums>) {}

  @Get()
  async sum() {
    const job = await this.sums.enqueue('add', [1, 2]);
    return job.result({ timeout: '200ms' });
  }

  async sumTomorrow() {
    const job = await this.sums.enqueueIn('1d', 'add', [1, 2]);
    return job.result({ timeout: '200ms' });
  }
}

const metadata = {
  imports: [RqModule.forRoot({ connection: NOWHERE }), RqModule.registerQueue('sums')],
  controllers: [SumController],
  providers: [Sums],
};

async function lateError(result: Promise<unknown>): Promise<Error> {
  const error = await result.then(
    () => new Error('it came'),
    (reason: Error) => reason,
  );
  expect(error).toBeInstanceOf(ResultTimeoutError);
  return error;
}

describe('a result that does not come in time', () => {
  it('in manual mode: the error says to call drain()', async () => {
    const { app } = await start(metadata, { mode: 'manual' });
    const { message } = await lateError(app.get(SumController).sum());
    expect(message).toContain('(it is queued)');
    expect(message).toContain('call drain() while the result is awaited');
    expect(message).toContain("mode: 'inline'");
    expect(message).not.toContain('check that a worker serves its queue');
  });

  it('does come when the test drains meanwhile', async () => {
    const { app, rq } = await start(metadata, { mode: 'manual' });
    const { sums } = app.get(SumController);
    const job = await sums.enqueue('add', [1, 2]);
    const result = job.result({ timeout: '20s' });
    await rq.drain();
    expect(await result).toBe(3);
  });

  it.each(['manual', 'inline'] as const)(
    'in %s mode, of a scheduled job: the error says to call advance()',
    async (mode) => {
      const { app } = await start(metadata, { mode });
      const { message } = await lateError(app.get(SumController).sumTomorrow());
      expect(message).toContain('(it is scheduled)');
      expect(message).toContain('call advance()');
      expect(message).not.toContain('check that a worker serves its queue');
    },
  );

  it('a line says so before the test is over, once', async () => {
    const { app, logs } = await start(metadata, { mode: 'manual' });
    const job = await app.get(SumController).sums.enqueue('add', [1, 2]);
    await lateError(job.result({ timeout: '4s' }));
    const lines = logs.lines.filter((line) => line.includes('call drain()'));
    expect(lines).toEqual([expect.stringContaining(`The result of job ${job.id} is awaited`)]);
  });
});
