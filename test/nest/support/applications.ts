import type { INestApplication, LoggerService, ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import type { RqModuleOptions } from 'nestjs-rq';
import { type RedisServer, startRedis } from '../../support/redis-server.js';

/** What was logged, as `level context: message`. */
export class LogLines implements LoggerService {
  readonly lines: string[] = [];
  readonly stacks: string[] = [];

  log(message: unknown, ...rest: unknown[]): void {
    this.add('log', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.add('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.add('error', message, rest);
    if (rest.length > 1) this.stacks.push(String(rest[0]));
  }

  /** The lines of this library. */
  get ours(): string[] {
    return this.lines.filter((line) => /^\w+ Rq/.test(line));
  }

  private add(level: string, message: unknown, rest: unknown[]): void {
    this.lines.push(`${level} ${String(rest.at(-1))}: ${String(message)}`);
  }
}

export interface Application {
  readonly app: INestApplication;
  readonly logs: LogLines;
}

/** What a file's tests share: a Redis of their own, emptied after each test, and the applications they start. */
export class Applications {
  redis!: RedisServer;
  private readonly open = new Set<INestApplication>();

  /** To be called at the top of a test file. */
  static forThisFile(): Applications {
    const applications = new Applications();
    beforeAll(async () => {
      applications.redis = await startRedis();
    });
    afterEach(async () => {
      await applications.closeAll();
      await applications.reset();
    });
    afterAll(() => applications.redis.stop());
    return applications;
  }

  /** Options of `forRoot` for this file's Redis. */
  root(options: Partial<RqModuleOptions> = {}): RqModuleOptions {
    return { connection: this.redis.url, ...options };
  }

  /** An application that is not started; it is closed after the test. */
  async create(
    metadata: ModuleMetadata,
    change: (builder: TestingModuleBuilder) => unknown = () => {},
  ): Promise<Application> {
    const builder = Test.createTestingModule(metadata);
    change(builder);
    const logs = new LogLines();
    const module = await builder.setLogger(logs).compile();
    const app = closedOnce(module.createNestApplication({ logger: logs }));
    this.open.add(app);
    return { app, logs };
  }

  /** A started application; it is closed after the test. */
  async start(
    metadata: ModuleMetadata,
    change?: (builder: TestingModuleBuilder) => unknown,
  ): Promise<Application> {
    const application = await this.create(metadata, change);
    await application.app.init();
    return application;
  }

  /** Connections that this library's part of all applications holds, by purpose. */
  async connections(): Promise<string[]> {
    const list = (await this.redis.client().client('LIST')) as string;
    return [...list.matchAll(/ name=nestjs-rq:(\S+)/g)].map(([, purpose]) => purpose!).toSorted();
  }

  private async reset(): Promise<void> {
    if (this.isDown) await this.redis.restart();
    const client = this.redis.client();
    await client.flushall();
    client.disconnect();
  }

  /** A test may have killed it. */
  private get isDown(): boolean {
    try {
      return this.redis.pid === undefined;
    } catch {
      return true;
    }
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.open].map((app) => app.close()));
    this.open.clear();
  }
}

/** Nest 11 runs all shutdown hooks again when an application is closed a second time. */
function closedOnce(app: INestApplication): INestApplication {
  const close = app.close.bind(app);
  let closed: Promise<void> | undefined;
  app.close = () => (closed ??= close());
  return app;
}
