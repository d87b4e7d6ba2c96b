import { jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { propagation, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { InjectQueue, Job, Queue, RqModule, RunningJob } from 'nestjs-rq';
import { otel } from 'nestjs-rq/opentelemetry';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';
import { eventually } from '../support/wait.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

@Injectable()
class MailJobs {
  declare readonly jobNames: { 'tasks.add': 'add' };

  constructor(@InjectQueue('images') private readonly images: Queue) {}

  @Job({ queue: 'mail' })
  sendMail(data: unknown, job: RunningJob) {
    return { data, args: job.args, kwargs: job.kwargs };
  }

  @Job({ queue: 'mail', retry: { max: 2, interval: '20ms' } })
  flaky(_data: unknown, job: RunningJob) {
    if (job.attempt <= 2) throw new Error(`attempt ${job.attempt} fails`);
    return job.attempt;
  }

  @Job({ queue: 'mail', name: 'tasks.add' })
  add([a, b]: [number, number]) {
    return a + b;
  }

  resize(path: string) {
    return this.images.enqueueCall('tasks.echo', { args: [path], kwargs: { width: 10 } });
  }
}

/** The first thing that a user of both languages does: a Nest application and a Python program on one Redis. */
describeInterop('a Nest application and Python', () => {
  const sides = useBothSides();
  let app: TestingModule;

  beforeEach(async () => {
    app = await Test.createTestingModule({
      imports: [
        RqModule.forRoot({ connection: sides.redis.url, telemetry: otel() }),
        RqModule.registerQueue('images'),
      ],
      providers: [MailJobs],
    }).compile();
    app.useLogger(false);
    await app.init();
  });

  afterEach(() => app.close());

  const enqueue = (call: string) =>
    sides.python.run<string>(`return queue("mail").enqueue(${call}).id`);

  it.each([
    ['"sendMail", to="x"', { to: 'x' }],
    ['"sendMail", {"to": "x"}', { to: 'x' }],
    ['"sendMail", "x"', 'x'],
    ['"sendMail", 1, 2', [1, 2]],
    ['"sendMail", 1, 2, to="x"', [1, 2]],
  ])('enqueue(%s) runs in a @Job method', async (call, data) => {
    const view = await lookWhen(sides.python, await enqueue(call), 'finished');
    expect(view.return_value).toMatchObject({ data });
  });

  it('a method under the name of a Python function', async () => {
    const view = await lookWhen(sides.python, await enqueue('"tasks.add", 2, 3'), 'finished');
    expect(view.return_value).toBe(5);
  });

  it('a W3C header in the meta links the trace of the attempt to that of Python', async () => {
    const spans = new InMemorySpanExporter();
    const spanProcessors = [new SimpleSpanProcessor(spans)];
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    try {
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      await enqueue(`"sendMail", {"to": "x"}, meta={"headers": {"traceparent": "${traceparent}"}}`);
      const [span] = await eventually(
        () => spans.getFinishedSpans().length > 0 && spans.getFinishedSpans(),
        { what: 'the span of the attempt' },
      );
      expect(span?.name).toBe('process mail');
      expect(span?.links[0]?.context).toMatchObject({
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: 'b7ad6b7169203331',
      });
    } finally {
      trace.disable();
      propagation.disable();
    }
  });

  it("a job without a policy of its own takes the method's", async () => {
    const id = await enqueue('"flaky"');
    const view = await lookWhen(sides.python, id, 'finished');
    expect(view).toMatchObject({ return_value: 3, retries_left: 0, retry_intervals: [0.02] });
  });

  it("Python's Retry wins over the method's", async () => {
    const view = await lookWhen(
      sides.python,
      await enqueue('"flaky", retry=Retry(max=1)'),
      'failed',
    );
    expect(view.exc_string).toContain('attempt 2 fails');
  });

  it('a service sends a job to a Python worker', async () => {
    const job = await app.get(MailJobs).resize('cat.png');
    await sides.python.worker('images');
    expect(await job.result({ timeout: '10s' })).toEqual({
      args: ['cat.png'],
      kwargs: { width: 10 },
    });
    expect((await look(sides.python, job.id)).origin).toBe('images');
  });
});
