// Traces and metrics by OpenTelemetry: a trace per attempt, linked to the creation; loops outside of any span.
import { Injectable, ParseIntPipe } from '@nestjs/common';
import { SpanKind, SpanStatusCode, context, metrics, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { type BatchedJob, Job, JobData, RqModule, RqService, SnoozeJob } from 'nestjs-rq';
import { otel } from 'nestjs-rq/opentelemetry';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();
const spans = new InMemorySpanExporter();
const counted = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter: counted, exportIntervalMillis: 1e8 });
const tracer = trace.getTracer('test');

beforeAll(async () => {
  // As @opentelemetry/core has it, without a package more.
  const { W3CTraceContextPropagator } = await import('@opentelemetry/core');
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const processors = [new SimpleSpanProcessor(spans)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: processors }));
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
});
beforeEach(() => spans.reset());
afterAll(async () => {
  await reader.shutdown();
  trace.disable();
  context.disable();
  propagation.disable();
  metrics.disable();
});

@Injectable()
class Jobs {
  @Job({ queue: 'mail', retry: { max: 1, interval: 0 } })
  flaky() {
    tracer.startSpan('inside').end();
    throw new RangeError('secret data');
  }

  @Job('mail')
  fine() {}

  @Job('mail')
  snoozing(data: { readonly snooze?: boolean }) {
    if (data.snooze) throw new SnoozeJob({ for: '1h' });
  }

  @Job({ queue: 'mail', batch: { size: 10 } })
  several(numbers: number[], jobs: BatchedJob[]) {
    tracer.startSpan('inside').end();
    jobs[0]?.finish();
    if (numbers[1] === 2) jobs[1]?.fail(new RangeError('secret data'));
    if (numbers[2] === 3) throw new SnoozeJob({ for: '1h' });
  }

  @Job({ queue: 'mail', batch: { size: 10 } })
  piped(@JobData(ParseIntPipe) numbers: number[]) {
    return numbers;
  }
}

let service: RqService;

async function start(options?: Parameters<typeof otel>[0]) {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root({ telemetry: otel(options) }))],
    providers: [Jobs],
  });
  service = app.get(RqService);
  return service.queue('mail');
}

const named = (name: string) => spans.getFinishedSpans().filter((span) => span.name === name);
const ended = (count: number) =>
  eventually(() => named('process mail').length >= count && named('process mail'), {
    what: `${count} attempts`,
  });
const traceOf = (span: ReadableSpan | undefined) => span?.spanContext().traceId;

it('each attempt is a trace of its own, linked to the span that enqueued the job', async () => {
  const mail = await start();
  await tracer.startActiveSpan('request', async (request) => {
    await mail.enqueue('flaky', { card: 'secret data' });
    request.end();
  });
  const [first, second] = await ended(2);
  const [enqueued] = named('enqueue mail');
  expect(enqueued).toMatchObject({
    kind: SpanKind.PRODUCER,
    attributes: {
      'messaging.system': 'rq',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'mail',
      'messaging.rq.job': 'flaky',
    },
  });
  expect(traceOf(enqueued)).toBe(traceOf(named('request')[0]));
  for (const [index, span] of [first, second].entries()) {
    expect(span).toMatchObject({
      kind: SpanKind.CONSUMER,
      status: { code: SpanStatusCode.ERROR },
      attributes: {
        'messaging.operation.type': 'process',
        'messaging.rq.attempt': index + 1,
        'messaging.rq.outcome': 'failed',
        'error.type': 'RangeError',
      },
      parentSpanContext: undefined,
      links: [{ context: { spanId: enqueued?.spanContext().spanId } }],
    });
  }
  const traces = [enqueued, first, second].map(traceOf);
  expect(new Set(traces).size).toBe(3);
  expect(named('inside').map(traceOf)).toEqual([traceOf(first), traceOf(second)]);
  const attributes = JSON.stringify(spans.getFinishedSpans().map((span) => span.attributes));
  expect(attributes).not.toContain('secret');
});

it('attempts may be children of it instead', async () => {
  const mail = await start({ link: 'parent' });
  await mail.enqueue('fine');
  const [span] = await ended(1);
  const [enqueued] = named('enqueue mail');
  expect(traceOf(span)).toBe(traceOf(enqueued));
  expect(span?.parentSpanContext?.spanId).toBe(enqueued?.spanContext().spanId);
  expect(span?.attributes['messaging.rq.outcome']).toBe('finished');
  expect(() => otel({ link: 'child' as never })).toThrow('link');
});

it('jobs that Python has enqueued with a W3C header are linked, others have a trace of their own', async () => {
  const mail = await start();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await mail.enqueue('fine', {}, { meta: { headers: { traceparent } } });
  const [span] = await ended(1);
  expect(span?.links[0]?.context.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
});

it('a job that is put off has not failed', async () => {
  const mail = await start();
  await mail.enqueue('snoozing', { snooze: true });
  const [span] = await ended(1);
  expect(span?.attributes['messaging.rq.outcome']).toBe('snoozed');
  expect(span?.status.code).toBe(SpanStatusCode.UNSET);
});

it('prepared jobs of several queues are one span', async () => {
  const mail = await start();
  await service.enqueueMany([mail.prepare('fine'), mail.prepare('fine')]);
  await ended(2);
  expect(named('enqueue mail')).toHaveLength(1);
});

it('many jobs are one span, and what workers do by themselves is in none', async () => {
  const mail = await tracer.startActiveSpan('start', async (span) => {
    const queue = await start();
    // Whatever the loops begin now would be in this trace.
    await queue.enqueueMany([{ name: 'fine' }, { name: 'fine' }, { name: 'fine' }]);
    span.end();
    return queue;
  });
  await ended(3);
  expect(named('enqueue mail')).toHaveLength(1);
  expect(named('enqueue mail')[0]?.attributes['messaging.batch.message_count']).toBe(3);
  await mail.enqueue('fine');
  const processed = await ended(4);
  const names = new Set(spans.getFinishedSpans().map(({ name }) => name));
  expect([...names].toSorted()).toEqual(['enqueue mail', 'process mail', 'start']);
  expect(new Set(processed.map(traceOf)).size).toBe(4);
});

describe('a batch', () => {
  /** Jobs that are there together, each enqueued in a call of its own. */
  async function together(name: string, data: readonly unknown[], options = {}) {
    const mail = await start(options);
    await mail.pause();
    const jobs = [];
    for (const one of data) jobs.push(await mail.enqueue(name, one));
    await mail.resume();
    return jobs.map(({ id }) => id);
  }

  it.each(['link', 'parent'] as const)(
    'is one trace, linked to each span that enqueued one of its jobs (%s)',
    async (link) => {
      const ids = await together('several', [1, 5], { link });
      const [span] = await ended(1);
      expect(span).toMatchObject({
        kind: SpanKind.CONSUMER,
        parentSpanContext: undefined,
        status: { code: SpanStatusCode.UNSET },
        attributes: {
          'messaging.batch.message_count': 2,
          'messaging.rq.job': 'several',
          'messaging.rq.outcome': 'finished',
        },
        links: named('enqueue mail').map((sent, index) => ({
          context: { spanId: sent.spanContext().spanId },
          attributes: { 'messaging.message.id': ids[index], 'messaging.rq.attempt': 1 },
        })),
      });
      expect(span?.links).toHaveLength(2);
      expect(named('inside').map(traceOf)).toEqual([traceOf(span)]);
    },
  );

  it('says how many of its jobs have failed; those that are put off have not', async () => {
    await together('several', [1, 2, 3]);
    const [span] = await ended(1);
    expect(span).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: {
        'messaging.rq.outcome': 'failed',
        'messaging.rq.failed_count': 1,
        'error.type': 'RangeError',
      },
    });
    expect(span?.events.filter(({ name }) => name === 'exception')).toHaveLength(1);
    await together('several', [1, 5, 3]);
    expect((await ended(2))[1]).toMatchObject({
      status: { code: SpanStatusCode.UNSET },
      attributes: { 'messaging.rq.outcome': 'snoozed' },
    });
  });

  it('a job that its pipes refuse has a span of its own', async () => {
    const [, refused] = await together('piped', ['1', 'x', '3']);
    const [alone, rest] = await ended(2);
    expect(alone).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'messaging.message.id': refused },
      links: [{ context: { spanId: named('enqueue mail')[1]?.spanContext().spanId } }],
    });
    expect(rest?.attributes['messaging.batch.message_count']).toBe(2);
  });
});

it('messages are counted, and runs are timed', async () => {
  const mail = await start();
  await mail.enqueue('fine');
  await mail.enqueueMany([1, 2].map((data) => ({ name: 'several', data })));
  await ended(2);
  await reader.forceFlush();
  const all =
    counted
      .getMetrics()
      .at(-1)
      ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
  const values = (name: string) =>
    all.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
  expect(values('messaging.client.sent.messages').length).toBeGreaterThan(0);
  expect(values('messaging.client.consumed.messages')).toContainEqual(
    expect.objectContaining({
      attributes: expect.objectContaining({ 'messaging.rq.job': 'fine' }) as object,
    }),
  );
  expect(values('messaging.process.duration').length).toBeGreaterThan(0);
});
