import {
  type Context,
  type Counter,
  type Histogram,
  type Meter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  context,
  createContextKey,
  isSpanContextValid,
  metrics,
  propagation,
  trace,
} from '@opentelemetry/api';
import {
  CancelJob,
  type EnqueueCall,
  InvalidOptionError,
  type ProcessedJob,
  ReturnedRetry,
  RetryJob,
  type RqTelemetry,
  SnoozeJob,
  type TelemetryFigures,
} from '../index.js';
import {
  OUTCOME,
  SCHEMA_URL,
  batchAttributes,
  errorTypeOf,
  metricAttributes,
  processAttributes,
  sendAttributes,
} from './attributes.js';
import { observeFigures } from './observed.js';

/** How jobs appear in traces. */
export interface OtelOptions {
  /**
   * `'link'` (default): each attempt is a trace of its own, with a link to the span that enqueued the job. A job may run
   * days later, and several times: one trace for all of it would never end. `'parent'`: attempts are children of that span.
   */
  link?: 'link' | 'parent';
  /**
   * How queues stand is observed by this process, with a call or two for each collection; default `true`. Every process
   * shows the same: one is enough.
   */
  fleet?: boolean;
}

/**
 * Traces and metrics of jobs by OpenTelemetry, with whatever SDK the application has set up:
 *
 * ```ts
 * RqModule.forRoot({ connection, telemetry: otel() })
 * ```
 *
 * Spans: `enqueue QUEUE` (producer), `process QUEUE` (consumer), around guards and handler. The context travels in the
 * job's `meta.headers`, as W3C Trace Context: Python may write it there, too. Metrics:
 * `messaging.client.sent.messages`, `messaging.client.consumed.messages`, `messaging.process.duration`; and what is
 * observed at each collection, such as `messaging.rq.jobs`, `messaging.rq.retrying_jobs`. Set the SDK up before the
 * application starts.
 *
 * @throws InvalidOptionError
 */
export function otel(options: OtelOptions = {}): RqTelemetry {
  const { link = 'link', fleet = true, ...rest } = options;
  const [unknown] = Object.keys(rest);
  const where = 'otel';
  if (unknown !== undefined) {
    throw new InvalidOptionError({
      option: unknown,
      problem: 'is not an option here. Known: link, fleet',
      where,
    });
  }
  if (link !== 'link' && link !== 'parent') {
    const problem = "must be 'link' or 'parent'";
    throw new InvalidOptionError({ option: 'link', problem, value: link, where });
  }
  if (typeof fleet !== 'boolean') {
    const problem = 'must be true or false';
    throw new InvalidOptionError({ option: 'fleet', problem, value: fleet, where });
  }
  return new Otel(link, fleet);
}

class Otel implements RqTelemetry {
  private instruments: Instruments | undefined;

  constructor(
    private readonly link: 'link' | 'parent',
    private readonly fleet: boolean,
  ) {}

  async enqueue<Result>(call: EnqueueCall, run: () => Promise<Result>): Promise<Result> {
    const options = { kind: SpanKind.PRODUCER, attributes: sendAttributes(call) };
    const span = this.tracer.startSpan(`enqueue ${call.queue}`, options);
    let errorType: string | undefined;
    try {
      return await context.with(trace.setSpan(context.active(), span), run);
    } catch (error) {
      errorType = failed(span, error);
      throw error;
    } finally {
      span.end();
      this.meters.sent.add(call.count, metricAttributes(call, 'enqueue', errorType));
    }
  }

  inject(headers: Record<string, string | undefined>): void {
    propagation.inject(context.active(), headers);
  }

  async process<Result>(job: ProcessedJob, run: () => Promise<Result>): Promise<Result> {
    const sender = propagation.extract(ROOT_CONTEXT, job.headers);
    return this.follow(this.startProcess(job, sender), sender, job, 1, run);
  }

  /** Of several senders none can be the parent: it is linked to all. */
  async processBatch<Result>(
    jobs: readonly ProcessedJob[],
    run: () => Promise<Result>,
  ): Promise<Result> {
    const [first] = jobs;
    if (!first) return run();
    const senders = jobs.map(({ headers }) => {
      return trace.getSpanContext(propagation.extract(ROOT_CONTEXT, headers));
    });
    const bySpan = new Map(senders.map((sender) => [sender?.spanId, sender]));
    const links = [...bySpan.values()].flatMap((sender) => (sender ? [{ context: sender }] : []));
    const attributes = batchAttributes(first, jobs.length);
    const options = { kind: SpanKind.CONSUMER, attributes, links, root: true };
    const span = this.tracer.startSpan(`process ${first.queue}`, options, ROOT_CONTEXT);
    return this.follow(span, ROOT_CONTEXT, first, jobs.length, run);
  }

  private async follow<Result>(
    span: Span,
    sender: Context,
    job: ProcessedJob,
    count: number,
    run: () => Promise<Result>,
  ): Promise<Result> {
    const begin = performance.now();
    let errorType: string | undefined;
    try {
      const result = await context.with(trace.setSpan(sender, span), run);
      span.setAttribute(OUTCOME, result instanceof ReturnedRetry ? 'retrying' : 'finished');
      return result;
    } catch (error) {
      const outcome = plannedOutcome(error);
      if (outcome === undefined) errorType = failed(span, error);
      span.setAttribute(OUTCOME, outcome ?? 'failed');
      throw error;
    } finally {
      span.end();
      const attributes = metricAttributes(job, 'process', errorType);
      this.meters.consumed.add(count, attributes);
      this.meters.duration.record((performance.now() - begin) / 1000, attributes);
    }
  }

  outside<Result>(run: () => Result): Result {
    return context.with(ROOT_CONTEXT.setValue(SUPPRESSED, true), run);
  }

  traceId(): string | undefined {
    const span = trace.getActiveSpan()?.spanContext();
    return span && isSpanContextValid(span) ? span.traceId : undefined;
  }

  observe(figures: TelemetryFigures): () => void {
    const definitions = figures.definitions.filter(({ scope }) => this.fleet || scope !== 'fleet');
    const read = (name: string) => this.outside(() => figures.read(name));
    return observeFigures(meter(), definitions, read);
  }

  private startProcess(job: ProcessedJob, sender: Context): Span {
    const options = { kind: SpanKind.CONSUMER, attributes: processAttributes(job) };
    const name = `process ${job.queue}`;
    if (this.link === 'parent') return this.tracer.startSpan(name, options, sender);
    const sent = trace.getSpanContext(sender);
    const links = sent ? [{ context: sent }] : [];
    return this.tracer.startSpan(name, { ...options, links, root: true }, sender);
  }

  private get tracer() {
    const provider = trace.getTracerProvider();
    return provider.getTracer('nestjs-rq', undefined, { schemaUrl: SCHEMA_URL });
  }

  /** Made when they are needed: the SDK may be set up after the modules. */
  private get meters(): Instruments {
    this.instruments ??= makeInstruments();
    return this.instruments;
  }
}

interface Instruments {
  readonly sent: Counter;
  readonly consumed: Counter;
  readonly duration: Histogram;
}

function meter(): Meter {
  return metrics.getMeter('nestjs-rq', undefined, { schemaUrl: SCHEMA_URL });
}

function makeInstruments(): Instruments {
  const own = meter();
  return {
    sent: own.createCounter('messaging.client.sent.messages', {
      description: 'Jobs that were enqueued.',
      unit: '{message}',
    }),
    consumed: own.createCounter('messaging.client.consumed.messages', {
      description: 'Attempts at jobs.',
      unit: '{message}',
    }),
    duration: own.createHistogram('messaging.process.duration', {
      description: 'How long handlers ran.',
      unit: 's',
      advice: { explicitBucketBoundaries: BOUNDS },
    }),
  };
}

/** Seconds; jobs run for longer than requests. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

/** What a handler wants to become of its job, where that is no failure. */
function plannedOutcome(error: unknown): string | undefined {
  if (error instanceof SnoozeJob) return 'snoozed';
  if (error instanceof CancelJob) return 'canceled';
  return error instanceof RetryJob ? 'retrying' : undefined;
}

function failed(span: Span, error: unknown): string {
  const type = errorTypeOf(error);
  span.setAttribute('error.type', type);
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
  return type;
}

/** The SDK's own key, by which it makes no spans: keys of the same description are the same. */
const SUPPRESSED = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
