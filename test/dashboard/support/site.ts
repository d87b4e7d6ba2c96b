// A Nest application with a dashboard on a free port, on Express or Fastify, and jobs that end as a test wants them to.
import { type DynamicModule, type INestApplication, Injectable, type Type } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Job, JobsOf, type RunningJob, RqInspector, RqModule } from 'nestjs-rq';
import { RqDashboardModule, type RqDashboardOptions } from 'nestjs-rq/dashboard';
import type { AddressInfo } from 'node:net';

export interface SiteOptions {
  readonly platform?: 'express' | 'fastify';
  readonly prefix?: string;
  readonly dashboard?: RqDashboardOptions<never>;
  /** Runs the jobs below; default true. */
  readonly worker?: boolean;
  readonly providers?: readonly Type[];
  prepare?(app: INestApplication): void;
}

export interface Site {
  readonly app: INestApplication;
  readonly inspector: RqInspector;
  /** `http://127.0.0.1:1234/rq`, without a slash at its end. */
  readonly url: string;
  readonly origin: string;
  close(): Promise<void>;
}

export class ConnectTimeoutError extends Error {
  override readonly name = 'ConnectTimeoutError';
}

const STACK = `
    at StripeClient.charge (src/stripe.client.ts:88:11)
    at async PaymentJobs.chargeCard (src/payment.jobs.ts:31:5)
    at async callTogether (node_modules/undici/lib/api.js:61:9)
    at async Pool.dispatch (node_modules/undici/lib/pool.js:90:3)
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)`;

@Injectable()
@JobsOf('payments')
export class PaymentJobs {
  @Job({ retry: { max: 1, interval: 0 } })
  chargeCard({ port = 443 }: { port?: number }): never {
    const error = new ConnectTimeoutError(`connect ETIMEDOUT 10.2.0.14:${port}`);
    error.stack = `ConnectTimeoutError: ${error.message}${STACK}`;
    throw error;
  }

  @Job()
  refund({ order }: { order: string }): string {
    return `refunded ${order}`;
  }

  @Job()
  syncUser({ text }: { text: string }): never {
    throw new TypeError(`Cannot read properties of undefined (reading 'id') ${text}`);
  }

  @Job()
  settle(_data: unknown, job: RunningJob): Promise<void> {
    return new Promise((resolve) => job.signal.addEventListener('abort', () => resolve()));
  }
}

/** Starts an application; `close()` ends it. */
export async function startSite(redisUrl: string, options: SiteOptions = {}): Promise<Site> {
  const { platform = 'express', prefix, dashboard, worker = true, providers = [] } = options;
  const imports: DynamicModule[] = [
    RqModule.forRoot({
      connection: redisUrl,
      commandTimeout: '1s',
      shutdownTimeout: '100ms',
      // Tests write alerts as they want them: nobody shall find out that there is no reason for one.
      alerts: false,
      worker: worker ? { name: 'web-1', concurrency: 8 } : false,
    }),
    RqDashboardModule.forRoot(dashboard ?? { allowAnonymous: true }),
  ];
  const builder = Test.createTestingModule({
    imports,
    providers: [...(worker ? [PaymentJobs] : []), ...providers],
  });
  const module = await builder.setLogger(false as never).compile();
  const app =
    platform === 'fastify'
      ? module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
          logger: false,
        })
      : module.createNestApplication({ logger: false });
  options.prepare?.(app);
  if (prefix !== undefined) app.setGlobalPrefix(prefix);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const path = dashboard?.path ?? 'rq';
  return {
    app,
    inspector: app.get(RqInspector),
    origin,
    url: [origin, prefix, path].filter(Boolean).join('/'),
    close: () => app.close(),
  };
}
