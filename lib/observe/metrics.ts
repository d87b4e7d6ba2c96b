import { RqConnectionError, ShortForm } from '../job/index.js';
import { within } from '../time/within.js';
import { compatSamples, fleetSamples } from './fleet-samples.js';
import type { RqInspector } from './inspector.js';
import { METRICS, type MetricDefinition, type Sample, type Samples } from './metric-list.js';
import { type ProcessFigures, processSamples } from './process-samples.js';

/**
 * Figures for Prometheus. They are put into any registry of prom-client, by their shape, so that this library needs none;
 * or they are given as text.
 */
export class RqMetrics extends ShortForm {
  readonly #sources: MetricSources;
  #fleet: { readonly at: number; readonly samples: Promise<Samples> } | undefined;

  /** @internal */
  constructor(sources: MetricSources) {
    super();
    this.#sources = sources;
  }

  /** What `text()` is: the value of its `Content-Type`. */
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';

  /**
   * Puts all metrics into a registry of prom-client; its own default labels and its OpenMetrics form apply.
   * @returns takes them out again
   * @throws what the registry throws when it has a metric of such a name already
   */
  register(registry: MetricRegistry): () => void {
    const metrics = this.definitions.map((definition) => new RegistryMetric(definition, this));
    const names = metrics.map(({ name }) => name);
    for (const metric of metrics) registry.registerMetric(metric);
    return () => {
      for (const [index, name] of names.entries()) {
        if (registry.getSingleMetric?.(name) === metrics[index])
          registry.removeSingleMetric?.(name);
      }
    };
  }

  /**
   * All metrics in the text format of Prometheus. While Redis is away, or takes longer than 3 seconds, those of this
   * process alone; a comment says so.
   * @throws RqConnectionError when Redis does not answer, and this process has no figures of its own to tell
   */
  async text(): Promise<string> {
    const lines: string[] = [];
    const { definitions } = this;
    const told = await Promise.all(definitions.map((definition) => this.toldOf(definition)));
    if (told.includes(undefined)) lines.push('# Redis does not answer: what it says is left out.');
    for (const [index, { name, help, type }] of definitions.entries()) {
      const samples = told[index];
      if (!samples) continue;
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const { labels, value, suffix = '' } of samples) {
        lines.push(`${name}${suffix}${labelText(labels)} ${numberText(value)}`);
      }
    }
    return `${lines.join('\n')}\n`;
  }

  /** What JSON and logs show of it. */
  toJSON(): object {
    return {};
  }

  /** @internal */
  async samplesOf({ name, scope }: MetricDefinition): Promise<readonly Sample[]> {
    const { figures, jobLabel } = this.#sources;
    const samples =
      scope === 'process'
        ? figures && processSamples(figures(), jobLabel)
        : await this.fleetSamples();
    return samples?.get(name) ?? [];
  }

  /**
   * What is exported of a metric; undefined: Redis does not answer. What the process knows by itself is needed then more
   * than ever, so nothing of that fails or waits.
   * @internal
   */
  async toldOf(definition: MetricDefinition): Promise<readonly Sample[] | undefined> {
    const samples = this.samplesOf(definition);
    if (!this.#sources.figures) return samples;
    if (!(await within(PATIENCE_MS, samples))) return undefined;
    return samples.catch((error: unknown) => {
      if (error instanceof RqConnectionError) return undefined;
      throw error;
    });
  }

  private get definitions(): readonly MetricDefinition[] {
    const { inspector, figures, isCompatible } = this.#sources;
    const scopes = [
      ...(inspector ? ['fleet'] : []),
      ...(inspector && isCompatible ? ['compat'] : []),
      ...(figures ? ['process'] : []),
    ];
    return METRICS.filter(({ scope }) => scopes.includes(scope));
  }

  /** One look for all metrics, and for all who ask within five seconds. */
  private fleetSamples(): Promise<Samples> {
    const now = performance.now();
    if (this.#fleet && now - this.#fleet.at < STANDS_MS) return this.#fleet.samples;
    const samples = this.look();
    this.#fleet = { at: now, samples };
    // What went wrong is not kept for the next who asks.
    samples.catch(() => (this.#fleet = undefined));
    return samples;
  }

  private async look(): Promise<Samples> {
    const { inspector, isCompatible } = this.#sources;
    if (!inspector) return new Map();
    const [overview, alerts] = await Promise.all([inspector.overview(), inspector.alerts()]);
    const samples = fleetSamples(overview, alerts);
    if (!isCompatible) return samples;
    return new Map([...samples, ...compatSamples(overview.workers)]);
  }
}

/** Where the figures come from. */
export interface MetricSources {
  /** Of all queues; undefined: what Redis says is left out. */
  readonly inspector: RqInspector | undefined;
  /** Of this process; undefined: it is not one that enqueues or works. */
  readonly figures: (() => ProcessFigures) | undefined;
  readonly jobLabel: boolean;
  /** Workers are told as rq-exporter does, too. */
  readonly isCompatible: boolean;
}

/** What is needed of a `Registry` of prom-client. */
export interface MetricRegistry {
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever its own type of a metric is
  registerMetric(metric: any): void;
  getSingleMetric?(name: string): unknown;
  removeSingleMetric?(name: string): void;
}

/** A metric as a registry of prom-client asks for it. */
class RegistryMetric {
  /** In the OpenMetrics form the registry takes `_total` off by writing it, and adds that itself. */
  name: string;
  readonly help: string;
  readonly type: MetricDefinition['type'];
  readonly aggregator: 'max' | 'sum';
  readonly labelNames: readonly string[];

  constructor(
    private readonly definition: MetricDefinition,
    private readonly metrics: RqMetrics,
  ) {
    this.name = definition.name;
    this.help = definition.help;
    this.type = definition.type;
    this.labelNames = definition.labels;
    // Each process of a cluster shows the same of Redis.
    this.aggregator = definition.scope === 'process' ? 'sum' : 'max';
  }

  async get() {
    const { name, help, type, aggregator } = this;
    const samples = (await this.metrics.toldOf(this.definition)) ?? [];
    const values = samples.map(({ labels, value, suffix }) => ({
      labels,
      value,
      ...(suffix === undefined ? {} : { metricName: name + suffix }),
    }));
    return { name, help, type, aggregator, values };
  }

  /** They are counts of what is so: nothing forgets them. */
  reset(): void {}
}

function labelText(labels: Sample['labels']): string {
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(String(value))}"`,
  );
  return parts.length > 0 ? `{${parts.join(',')}}` : '';
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}

function numberText(value: number): string {
  return value === Infinity ? '+Inf' : String(value);
}

const STANDS_MS = 5000;
/** Who asks waits for ten seconds, if nothing else is said. */
const PATIENCE_MS = 3000;
