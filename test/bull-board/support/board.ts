// A bull-board in a Nest application: a queue of nestjs-rq beside one of BullMQ, and the board's own HTTP API.
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { type INestApplication, Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Queue as BullQueue } from 'bullmq';
import {
  CancelJob,
  Job,
  type Queue,
  RqInspector,
  RqModule,
  type RunningJob,
  Schedule,
  getQueueToken,
} from 'nestjs-rq';
import { RqAdapter } from 'nestjs-rq/bull-board';
import type { AddressInfo } from 'node:net';
import { send } from '../../dashboard/support/requests.js';
import { type RedisServer, startRedis } from '../../support/redis-server.js';
import { eventually } from '../../support/wait.js';

@Injectable()
export class ImageJobs {
  @Job('images')
  async resize(image: { path: string }, job: RunningJob) {
    await job.log(`reads ${image.path} with token=s3cr3t-t0k3n`);
    await job.progress(40);
    return { thumbnail: `${image.path}.small`, apiKey: 'k-123' };
  }

  @Job({ queue: 'images', retry: { max: 1, interval: 0 } })
  scan({ path }: { path: string; password?: string }): never {
    throw new TypeError(`no such file: ${path}, password=hunter2`);
  }

  @Job('images')
  drop(): never {
    throw new CancelJob('not wanted');
  }

  @Job('images')
  render(_: unknown, job: RunningJob): Promise<void> {
    return new Promise((resolve) => job.signal.addEventListener('abort', () => resolve()));
  }

  @Schedule('0 6 * * *', { tz: 'Europe/Berlin', missed: 'skip' })
  @Job('images')
  nightly() {}
}

interface BoardJobAnswer {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  readonly returnValue: unknown;
  readonly opts: Record<string, unknown>;
  readonly attempts: number;
  readonly failedReason: string;
  readonly stacktrace: string[];
  readonly isFailed: boolean;
  readonly progress: unknown;
  readonly timestamp: number;
  readonly delay?: number;
}

export interface QueueAnswer {
  readonly name: string;
  readonly counts: Record<string, number>;
  readonly jobs: BoardJobAnswer[];
  readonly pagination: { pageCount: number };
  readonly isPaused: boolean;
  readonly readOnlyMode: boolean;
  readonly globalConcurrency: number | null;
  readonly hasWorkers: boolean | null;
  readonly jobSchedulerCount: number;
}

/** One for a file: it starts before the tests, and has no jobs when one begins. */
export class Board {
  app!: INestApplication;
  mails!: BullQueue;
  images!: Queue<ImageJobs>;
  origin!: string;
  redis!: RedisServer;

  static forThisFile(): Board {
    const board = new Board();
    beforeAll(() => board.start(), 60_000);
    afterAll(() => board.stop());
    beforeEach(() => board.empty());
    return board;
  }

  get api(): string {
    return `${this.origin}/queues/api/queues`;
  }

  /** What the list of queues shows, of this one with its jobs. */
  async shown(name = 'images', status = 'latest', page = 1): Promise<QueueAnswer> {
    const query = `activeQueue=${encodeURIComponent(name)}&status=${status}&page=${page}&jobsPerPage=10`;
    const answer = await send(`${this.api}?${query}`);
    if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`);
    const { queues } = answer.json<{ queues: QueueAnswer[] }>();
    return queues.find((queue) => queue.name === name)!;
  }

  async jobOf(id: string) {
    const answer = await send(`${this.api}/images/${id}`);
    if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`);
    return answer.json<{ job: BoardJobAnswer; status: string }>();
  }

  put(path: string, body: object = {}, method = 'PUT') {
    return send(`${this.api}/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  ended(id: string, status: string): Promise<unknown> {
    return eventually(async () => (await this.images.job(id).status()) === status, {
      what: `job ${id} to be ${status}`,
    });
  }

  private async start(): Promise<void> {
    this.redis = await startRedis();
    const { url } = this.redis;
    const module = await Test.createTestingModule({
      imports: [
        RqModule.forRoot({
          connection: url,
          shutdownTimeout: '100ms',
          worker: { name: 'web-1', concurrency: 4 },
        }),
        RqModule.registerQueue('images'),
      ],
      providers: [ImageJobs],
    })
      .setLogger(false as never)
      .compile();
    this.app = module.createNestApplication({ logger: false });
    this.mails = new BullQueue('mails', { connection: { url } as never });
    this.images = this.app.get<Queue<ImageJobs>>(getQueueToken('images'), { strict: false });
    const inspector = this.app.get(RqInspector);
    const serverAdapter = new ExpressAdapter().setBasePath('/queues');
    createBullBoard({
      serverAdapter,
      queues: [
        new BullMQAdapter(this.mails),
        new RqAdapter(this.images, {
          inspector,
          redact: ['data.iban'],
          description: 'by nestjs-rq',
        }),
        new RqAdapter(inspector.queue('mails'), { prefix: 'rq:', readOnlyMode: true }),
      ],
      options: { validateResponses: true },
    });
    this.app.use('/queues', serverAdapter.getRouter());
    await this.app.listen(0, '127.0.0.1');
    const { port } = this.app.getHttpServer().address() as AddressInfo;
    this.origin = `http://127.0.0.1:${port}`;
  }

  private async stop(): Promise<void> {
    await this.mails?.close();
    await this.app?.close();
    await this.redis?.stop();
  }

  private async empty(): Promise<void> {
    const { images, mails } = this;
    await images.cancel({ in: 'started' });
    for (const place of PLACES) await images.delete({ in: place });
    await Promise.all([images.resume(), images.setLimits({}), mails.obliterate({ force: true })]);
  }
}

const PLACES = [
  'started',
  'queued',
  'scheduled',
  'deferred',
  'finished',
  'failed',
  'canceled',
] as const;
