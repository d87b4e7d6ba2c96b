import {
  type Context,
  type Counter,
  type Histogram,
  type Meter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  context,
  createContextKey,
  isSpanContextValid,
  metrics,
  propagation,
  trace,
} from '@opentelemetry/api';
import {
  type EnqueueCall,
  InvalidOptionError,
  type ProcessedBatch,
  type ProcessedJob,
  ReturnedRetry,
  type RqTelemetry,
  type TelemetryFigures,
} from '../index.js';
import {
  OUTCOME,
  SCHEMA_URL,
  batchAttributes,
  linkAttributes,
  metricAttributes,
  processAttributes,
  sendAttributes,
} from './attributes.js';
import { observeFigures } from './observed.js';
import { endOfBatch, failed, plannedOutcome } from './span-ends.js';

/** How jobs appear in traces. */
export interface OtelOptions {
  /**
   * `'link'` (default): each attempt is a trace of its own, with a link to the span that enqueued the job. A job may run
   * days later, and several times: one trace for all of it would never end. `'parent'`: attempts are children of that span;
   * those of batches, which have many, are linked all the same.
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
 * Spans: `enqueue QUEUE` (producer), `process QUEUE` (consumer), around guards and handler; of a batch one, with a link for
 * each job. The context travels in the
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
    const span = this.startProcess(job, sender);
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
      this.meters.consumed.add(1, attributes);
      this.meters.duration.record((performance.now() - begin) / 1000, attributes);
    }
  }

  async processBatch<Result>(batch: ProcessedBatch, run: () => Promise<Result>): Promise<Result> {
    const options = { kind: SpanKind.CONSUMER, attributes: batchAttributes(batch) };
    const links = batch.jobs.flatMap((job) => {
      const sent = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, job.headers));
      return sent ? [{ context: sent, attributes: linkAttributes(job) }] : [];
    });
    const name = `process ${batch.queue}`;
    const span = this.tracer.startSpan(name, { ...options, links, root: true }, ROOT_CONTEXT);
    const begin = performance.now();
    let thrown: { readonly error: unknown } | undefined;
    try {
      return await context.with(trace.setSpan(ROOT_CONTEXT, span), run);
    } catch (error) {
      thrown = { error };
      throw error;
    } finally {
      const types = endOfBatch(span, batch, thrown);
      span.end();
      for (const [type, count] of types) {
        this.meters.consumed.add(count, metricAttributes(batch, 'process', type));
      }
      const [errorType] = [...types.keys()].filter((type) => type !== undefined);
      const seconds = (performance.now() - begin) / 1000;
      this.meters.duration.record(seconds, metricAttributes(batch, 'process', errorType));
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

/** The SDK's own key, by which it makes no spans: keys of the same description are the same. */
const SUPPRESSED = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
