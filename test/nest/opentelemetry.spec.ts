// Traces and metrics by OpenTelemetry: a trace per attempt, linked to the creation; loops outside of any span.
import { jest } from '@jest/globals';
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
import { Redis } from 'ioredis';
import { BEAT } from '../../lib/store/scripts/beat.js';
import { OVERVIEW } from '../../lib/store/scripts/overview.js';
import { RECOVER } from '../../lib/store/scripts/recover.js';
import { eventually } from '../support/wait.js';
import { Applications, type LogLines } from './support/applications.js';

const applications = Applications.forThisFile();
const spans = new InMemorySpanExporter();
const counted = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter: counted, exportIntervalMillis: 1e8 });
const provider = new MeterProvider({ readers: [reader] });
const tracer = trace.getTracer('test');

beforeAll(async () => {
  // As @opentelemetry/core has it, without a package more.
  const { W3CTraceContextPropagator } = await import('@opentelemetry/core');
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const processors = [new SimpleSpanProcessor(spans)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: processors }));
  metrics.setGlobalMeterProvider(provider);
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

  @Job({ queue: 'mail', batch: { size: 3, wait: '10s' } })
  index(_data: unknown[], jobs: BatchedJob[]) {
    jobs[1]?.fail(new RangeError('this one'));
  }

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
    return numbers.length;
  }
}

let service: RqService;

let logs: LogLines;

async function start(
  options?: Parameters<typeof otel>[0],
  rootOptions: Parameters<Applications['root']>[0] = {},
) {
  const root = applications.root({ telemetry: otel(options), ...rootOptions });
  const started = await applications.start({
    imports: [RqModule.forRoot(root)],
    providers: [Jobs],
  });
  logs = started.logs;
  service = started.app.get(RqService);
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
        'messaging.rq.wait': expect.any(Number) as number,
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

  it('names its trace in the lines about those of its jobs that failed', async () => {
    const mail = await start({}, { log: 'fields' });
    const lines: object[] = [];
    jest.spyOn(logs, 'error').mockImplementation((line) => void lines.push(Object(line) as object));
    await mail.enqueueMany([{ name: 'index' }, { name: 'index' }, { name: 'index' }]);
    const [span] = await ended(1);
    await eventually(() => lines.some((line) => 'jobId' in line), {
      what: 'the line of the failure',
    });
    expect(lines.find((line) => 'jobId' in line)).toMatchObject({ traceId: traceOf(span) });
  });
});

it('messages are counted, and runs are timed', async () => {
  const mail = await start();
  await mail.enqueue('fine');
  await mail.enqueueMany([1, 2].map((data) => ({ name: 'several', data })));
  await ended(2);
  const { values } = await collected();
  expect(values('messaging.client.sent.messages').length).toBeGreaterThan(0);
  expect(values('messaging.client.consumed.messages')).toContainEqual(
    expect.objectContaining({
      attributes: expect.objectContaining({ 'messaging.rq.job': 'fine' }) as object,
    }),
  );
  expect(values('messaging.process.duration').length).toBeGreaterThan(0);
});

/** What a collection finds now. */
async function collected(by = reader, into = counted) {
  into.reset();
  await by.forceFlush();
  const [found] = into.getMetrics();
  const all = found?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
  const one = (name: string) => all.find(({ descriptor }) => descriptor.name === name);
  const names = all.filter(({ dataPoints }) => dataPoints.length > 0);
  return {
    names: names.map(({ descriptor }) => descriptor.name),
    unit: (name: string) => one(name)?.descriptor.unit,
    values: (name: string) => one(name)?.dataPoints ?? [],
  };
}

it('how queues stand and what the process has done is observed at each collection', async () => {
  await start();
  await service.queue('lonely').enqueue('fine');
  const { names, unit, values } = await collected();
  const queue = { 'messaging.destination.name': 'lonely' };
  expect(values('messaging.rq.jobs')).toContainEqual(
    expect.objectContaining({
      value: 1,
      attributes: { ...queue, 'messaging.rq.status': 'queued' },
    }),
  );
  expect(values('messaging.rq.queue_workers')).toContainEqual(
    expect.objectContaining({ value: 0, attributes: queue }),
  );
  expect(unit('messaging.rq.queue_oldest_job_age')).toBe('s');
  const ours = names.filter((name) => name.startsWith('messaging.rq.'));
  expect(ours).toEqual(
    expect.arrayContaining([
      'messaging.rq.retrying_jobs',
      'messaging.rq.scheduled_overdue',
      'messaging.rq.worker_slots',
      'messaging.rq.redis_errors',
    ]),
  );
  // OpenTelemetry's own counters and histograms have these.
  expect(ours.filter((name) => /attempts|enqueued|duration|wait|build/.test(name))).toEqual([]);
});

it('what all processes show alike may be left to one of them, and ends with the application', async () => {
  // Each collection has only what was observed for it.
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const own = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e8 });
  metrics.disable();
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [own] }));
  try {
    await start({ fleet: false });
    const { names } = await collected(own, exporter);
    expect(names).toContain('messaging.rq.worker_slots');
    expect(names).not.toContain('messaging.rq.jobs');
    await applications.closeAll();
    const after = await collected(own, exporter);
    expect(after.names).not.toContain('messaging.rq.worker_slots');
  } finally {
    await own.shutdown();
    metrics.disable();
    metrics.setGlobalMeterProvider(provider);
  }
  expect(() => otel({ fleet: 1 as never })).toThrow('fleet');
});

it('lines of the log about failures name the trace, the worker and the times', async () => {
  const mail = await start({}, { log: 'fields' });
  const lines: object[] = [];
  for (const level of ['warn', 'error'] as const) {
    jest.spyOn(logs, level).mockImplementation((line) => void lines.push(Object(line) as object));
  }
  await mail.enqueue('flaky', { card: 'secret data' });
  const [first, second] = await ended(2);
  const told = await eventually(
    () => {
      const found = lines.filter((line) => 'jobId' in line);
      return found.length >= 2 && found;
    },
    { what: 'two lines' },
  );
  const times = { durationMs: expect.any(Number) as number, waitMs: expect.any(Number) as number };
  const worker = expect.stringContaining('') as string;
  expect(told).toEqual([
    expect.objectContaining({ event: 'job.retrying', traceId: traceOf(first), worker, ...times }),
    expect.objectContaining({ event: 'job.failed', traceId: traceOf(second), worker, ...times }),
  ]);
});

it('an idle application makes no span, whatever its loops ask of Redis', async () => {
  const loops = [BEAT, RECOVER, OVERVIEW].map((script) => jest.spyOn(script, 'run'));
  // oxlint-disable-next-line typescript/unbound-method -- it is called with the client that sends
  const send = Redis.prototype.sendCommand;
  // As an instrumentation of ioredis does it: a span for each command, in the context of whoever sends it.
  const instrumented = jest.spyOn(Redis.prototype, 'sendCommand').mockImplementation(function (
    this: Redis,
    ...sent
  ) {
    const span = tracer.startSpan(`redis ${sent[0].name}`);
    try {
      return send.apply(this, sent);
    } finally {
      span.end();
    }
  });
  try {
    await tracer.startActiveSpan('start', async (span) => {
      const mail = await start({}, { worker: { lease: 1 }, alerts: { every: '100ms' } });
      await mail.enqueue('fine');
      span.end();
    });
    await ended(1);
    expect(spans.getFinishedSpans().some(({ name }) => name.startsWith('redis'))).toBe(true);
    spans.reset();
    for (const loop of loops) loop.mockClear();
    // A worker shows itself every ten seconds: the only thing here that is not quicker.
    await eventually(() => loops.every(({ mock }) => mock.calls.length > 0), {
      what: 'beat, recovery and alerts to come round',
      timeout: 30_000,
    });
    expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual([]);
  } finally {
    for (const spy of [instrumented, ...loops]) spy.mockRestore();
  }
}, 90_000);
