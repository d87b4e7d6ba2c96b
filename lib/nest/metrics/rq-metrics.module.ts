import {
  Controller,
  type DynamicModule,
  Get,
  type InjectionToken,
  Module,
  type OnModuleDestroy,
  type OnModuleInit,
  type Provider,
  Res,
  type Type,
  VERSION_NEUTRAL,
  Inject,
} from '@nestjs/common';
import {
  InvalidOptionError,
  flag,
  isObject,
  optionTable,
  optional,
  otherwise,
  readOptions,
  text,
} from '../../job/index.js';
import { type MetricRegistry, RqInspector, RqMetrics } from '../../observe/index.js';
import type { RqRoot } from '../root/rq-root.js';
import { DEFAULT_ROOT, getRootToken } from '../tokens.js';

export { type MetricRegistry, RqMetrics };

/** How figures reach Prometheus: by a registry of prom-client, by a route of our own, or both. */
export interface RqMetricsOptions {
  /** A `Registry` of prom-client, for example its `register`: whoever exports that exports ours, too. */
  registry?: MetricRegistry;
  /** A route that answers with all of it, for example `'metrics'`; as open as other routes of the application are. */
  path?: string;
  /** Attempts and durations are told by job name; default `true`. */
  jobLabel?: boolean;
  /**
   * What Redis says of all queues is exported by this process; default `true`. Every process shows the same: let one do it,
   * or take `max by (queue, status)`.
   */
  fleet?: boolean;
  /** The `name` of the `RqModule.forRoot`; default: the one without a name. */
  root?: string;
}

/**
 * Exports what this process and its Redis do to Prometheus.
 *
 * @example
 * RqMetricsModule.forRoot({ registry: register }) // prom-client's: its /metrics shows ours too
 * RqMetricsModule.forRoot({ path: 'metrics' })    // without prom-client
 */
@Module({})
export class RqMetricsModule {
  /** @throws InvalidOptionError naming the key */
  static forRoot(options: RqMetricsOptions): DynamicModule {
    const where = 'RqMetricsModule.forRoot';
    const { registry, path, jobLabel, fleet, root } = readOptions(options, OPTIONS, where);
    if (!registry && path === undefined) {
      const problem = "or path is needed: { registry: register } or { path: 'metrics' }";
      throw new InvalidOptionError({ option: 'registry', problem, where });
    }
    const token = getRqMetricsToken(root);
    const metrics: Provider = {
      provide: token,
      inject: [getRootToken(root)],
      useFactory: (rqRoot: RqRoot) =>
        new RqMetrics({
          inspector: fleet ? new RqInspector(rqRoot.store) : undefined,
          figures: () => rqRoot.figures(),
          jobLabel,
          isCompatible: false,
        }),
    };
    const registration: Provider = {
      provide: Symbol(`registration of ${String(token)}`),
      inject: [token],
      useFactory: (made: RqMetrics) => new Registration(made, registry),
    };
    return {
      module: RqMetricsModule,
      controllers: path === undefined ? [] : [controllerAt(path, token)],
      providers: [metrics, registration],
      exports: [token],
    };
  }
}

/** The metrics are in the registry for as long as the application lives. */
class Registration implements OnModuleInit, OnModuleDestroy {
  private takeOut: (() => void) | undefined;

  constructor(
    private readonly metrics: RqMetrics,
    private readonly registry: MetricRegistry | undefined,
  ) {}

  onModuleInit(): void {
    if (this.registry) this.takeOut = this.metrics.register(this.registry);
  }

  onModuleDestroy(): void {
    this.takeOut?.();
  }
}

/** What Express and Fastify have in common. */
interface Response {
  header(name: string, value: string): unknown;
  send(body: string): unknown;
}

/** It answers by itself: what the application does to other answers would make them unreadable. */
function controllerAt(path: string, token: InjectionToken): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  class RqMetricsController {
    constructor(@Inject(token) private readonly metrics: RqMetrics) {}

    @Get()
    async read(@Res() response: Response): Promise<void> {
      const body = await this.metrics.text();
      response.header('Content-Type', this.metrics.contentType);
      response.send(body);
    }
  }
  return RqMetricsController;
}

const OPTIONS = optionTable<RqMetricsOptions>()({
  registry: optional(readRegistry),
  path: optional(text(/^[^\s?#]+$/, "must be a path such as 'metrics'")),
  jobLabel: otherwise(true, flag),
  fleet: otherwise(true, flag),
  root: otherwise(DEFAULT_ROOT, text(/^[A-Za-z0-9_-]+$/, 'must be the name of a root')),
});

function readRegistry(value: unknown, option: string, where: string | undefined): MetricRegistry {
  if (isObject(value) && typeof value['registerMetric'] === 'function') {
    return value as unknown as MetricRegistry;
  }
  throw new InvalidOptionError({ option, problem: 'must be a Registry of prom-client', where });
}

/**
 * The token under which a root's `RqMetrics` is injected: the class itself for the root without a name.
 *
 * @param root the `name` given to `RqModule.forRoot`
 */
export function getRqMetricsToken(root: string = DEFAULT_ROOT): InjectionToken<RqMetrics> {
  return root === DEFAULT_ROOT ? RqMetrics : `RqMetrics:${root}`;
}
