// Whatever a user can hold may be returned by a controller or a handler, put into a job or written to a log: it shows
// no password, and is small.
import {
  ClassSerializerInterceptor,
  Controller,
  Get,
  Injectable,
  Post,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { instanceToPlain } from 'class-transformer';
import { Redis } from 'ioredis';
import {
  type BatchedJob,
  ClusterConnections,
  ClusterJobStore,
  Connections,
  type ConnectionOption,
  HandlerRegistry,
  InjectQueue,
  Job,
  type JobEvent,
  Queue,
  RedisJobStore,
  RqContext,
  RqHealth,
  RqInspector,
  RqModule,
  RqService,
  type RunningJob,
  Scheduler,
  Worker,
  connectInspector,
  getQueueToken,
} from 'nestjs-rq';
import * as library from 'nestjs-rq';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { getRootToken } from '../../lib/nest/tokens.js';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();
const PASSWORD = 'p4ssw0rd-of-redis';

beforeEach(async () => {
  const client = applications.redis.client();
  await client.acl('SETUSER', 'app', 'on', `>${PASSWORD}`, '~*', '&*', '+@all');
  client.disconnect();
});

const port = () => Number(new URL(applications.redis.url).port);
const options = () => ({ host: '127.0.0.1', port: port(), username: 'app', password: PASSWORD });

let instance: Redis | undefined;
afterEach(() => {
  instance?.disconnect();
  instance = undefined;
});

/** The password in each form in which a connection can be given. */
const FORMS: [string, () => ConnectionOption][] = [
  ['a URL', () => `redis://app:${PASSWORD}@127.0.0.1:${port()}`],
  ['options', options],
  ['an instance', () => (instance = new Redis({ ...options(), lazyConnect: true }))],
];

@Injectable()
class Jobs {
  held: RunningJob | undefined;
  heldBatch: BatchedJob[] = [];

  constructor(
    @InjectQueue('work') readonly queue: Queue,
    readonly rq: RqService,
  ) {}

  @Job('work')
  itself(_: unknown, job: RunningJob) {
    this.held = job;
    // All that a run makes when it is asked for.
    return [job, job.meta, job.signal.aborted, job.data].slice(0, 1);
  }

  @Job({ queue: 'work', retry: { max: 3 } })
  async followUp() {
    return this.queue.enqueue('nothing', { parent: await this.queue.enqueue('nothing') });
  }

  @Job({ queue: 'work' })
  async everything(_: unknown, job: RunningJob) {
    await job.progress({ queue: this.queue, rq: this.rq, job });
    return { queue: this.queue, rq: this.rq, job };
  }

  @Job({ queue: 'work', batch: { size: 2 } })
  together(_: unknown[], jobs: BatchedJob[]) {
    this.heldBatch = jobs;
    return jobs;
  }

  @Job('work')
  nothing() {}
}

@Controller()
class Pages {
  constructor(@InjectQueue('work') private readonly queue: Queue) {}

  @Post('plain')
  plain() {
    return this.queue.enqueue('nothing');
  }

  @Get('serialized')
  @UseInterceptors(new ClassSerializerInterceptor(new Reflector()))
  async serialized() {
    return { job: await this.queue.enqueue('nothing'), queue: this.queue };
  }
}

const start = async (connection: ConnectionOption) => {
  const { app, logs } = await applications.start({
    imports: [RqModule.forRoot({ connection }), RqModule.registerQueue('work')],
    providers: [Jobs],
    controllers: [Pages],
  });
  return { app, logs, work: app.get<Queue>(getQueueToken('work')), jobs: app.get(Jobs) };
};

/** Every field that can be listed, as deep as it goes: what serializers without respect for `toJSON` see. */
function walk(value: unknown, seen = new Set<unknown>()): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (seen.has(value)) return '';
  seen.add(value);
  const inner = Object.entries(value).map(([key, field]) => `${key}=${walk(field, seen)}`);
  const entries = value instanceof Map || value instanceof Set ? [...value] : [];
  return [...inner, ...entries.map((one) => walk(one, seen))].join(' ');
}

/** All the ways in which an object becomes text. */
const shown = (object: object): Record<string, string> => ({
  json: JSON.stringify(object) ?? '',
  nested: JSON.stringify({ deep: [{ object }] }),
  inspect: inspect(object, { depth: 10, showHidden: true, getters: true }),
  hidden: inspect({ object }, { depth: 10, showHidden: true }),
  plain: inspect(instanceToPlain(object), { depth: 20 }),
  walk: walk(object),
  text: inspect(cloned(object), { depth: 20, showHidden: true }),
});

/** As it would travel to another thread, unless it cannot. */
function cloned(object: object): unknown {
  try {
    return structuredClone(object);
  } catch {
    return undefined;
  }
}

/** What was found in answers of applications had 43 KB. */
function expectHarmless(what: string, object: object, longest = 1500): void {
  for (const [way, text] of Object.entries(shown(object))) {
    expect({ what, way, secret: text.includes(PASSWORD) }).toEqual({ what, way, secret: false });
    expect({ what, way, isSmall: text.length < longest }).toEqual({ what, way, isSmall: true });
  }
}

describe.each(FORMS)('with a password in %s', (_, connection) => {
  it('no object that a user can hold shows it', async () => {
    const { app, work, jobs } = await start(connection());
    const job = await work.enqueue('itself', { some: 'data' });
    await job.result();
    await (await work.enqueue('together', { some: 'data' })).result();
    await work.requeue({ in: 'failed' });
    const connections = new Connections(connection());
    await connections.connect();
    connections.messages();
    const store = new RedisJobStore(connections);
    const queue = new Queue('other', store, { defaultJobOptions: { timeout: 5 } });
    const handlers = new HandlerRegistry();
    handlers.register({ queue: 'other', name: 'job', owner: 'Tests.job', run: () => store });
    const worker = new Worker(store, handlers);
    try {
      await worker.start();
      await (await queue.enqueue('job')).result();
      const running = jobs.held!;
      const context = RqContext.of({
        getType: () => 'rq',
        getArgByIndex: (index: number) => [{ some: 'data' }, running][index],
      } as never);
      const service = app.get(RqService);
      const inspector = app.get(RqInspector);
      const nodes = new ClusterConnections({
        cluster: { nodes: [`redis://:${PASSWORD}@127.0.0.1:7000`] },
      });
      const connected = await connectInspector(connection());
      await connected.close();
      const held = {
        job,
        running,
        batched: jobs.heldBatch[0]!,
        context,
        work,
        queue,
        service,
        inspector,
        desk: inspector.desk,
        audit: inspector.desk.audit,
        operations: inspector.desk.operations,
        health: app.get(RqHealth),
        nodes,
        tags: new ClusterJobStore(nodes).forQueue('a'),
        allTags: new ClusterJobStore(nodes),
        connected,
        operation: inspector.requeue('work', { in: 'failed' }),
        found: inspector.search({ in: 'failed' }),
        group: service.group('g'),
        ownWorker: service.worker(),
        root: app.get<object>(getRootToken('default'), { strict: false }),
        worker,
        handlers,
        store,
        connections,
        snapshot: await job.refresh(),
        attempts: await job.results(),
        prepared: queue.prepare('job', { some: 'data' }),
        schedule: await queue.schedule('nightly', '0 3 * * *', 'job'),
        scheduler: new Scheduler(store),
      };
      for (const [what, object] of Object.entries(held)) expectHarmless(what, object);
      // Each public class was looked at, and a new one must be.
      const classes = (Object.values(library) as unknown[]).filter(isClass);
      const looked = new Set<unknown>(Object.values(held).map((one) => one.constructor));
      const further = classes.filter((one) => !looked.has(one) && !isWord(one));
      expect(further.map(({ name }) => name)).toEqual(['RqModule']);
    } finally {
      await worker.stop();
      await connections.close();
    }
  });

  it('what handlers return, tell and enqueue is small', async () => {
    const { work, jobs } = await start(connection());
    const events: JobEvent[] = [];
    const listening = new Promise<void>((onListening) => {
      work.events({ onListening }).subscribe((event) => events.push(event));
    });
    await listening;

    const itself = await work.enqueue('itself');
    expect(await itself.result()).toEqual([
      { queue: 'work', id: itself.id, name: 'itself', attempt: 1 },
    ]);
    const followed = await (await work.enqueue('followUp')).result();
    expect(followed).toEqual({ queue: 'work', id: expect.any(String) });
    const { data } = await jobs.queue.job((followed as { id: string }).id).refresh();
    expect(data).toEqual({ parent: { queue: 'work', id: expect.any(String) } });
    const all = await work.enqueue('everything', undefined, { meta: { queue: work, job: itself } });
    await all.result();
    expect((await all.refresh()).progress).toMatchObject({ queue: { name: 'work' } });

    await eventually(
      () => events.some(({ jobId, type }) => jobId === all.id && type === 'finished'),
      {
        what: 'the last event',
      },
    );
    expectHarmless('events', events.map((event) => ({ ...event, at: undefined })).slice(-3));
    const client = applications.redis.client();
    for (const key of await client.keys('rq:job:*')) {
      expect(JSON.stringify(await client.hgetall(key))).not.toContain(PASSWORD);
    }
    client.disconnect();
  });

  it('a controller may answer with a job', async () => {
    const { app } = await start(connection());
    await app.listen(0, '127.0.0.1');
    const { port: web } = app.getHttpServer().address() as AddressInfo;
    const plain = await fetch(`http://127.0.0.1:${web}/plain`, { method: 'POST' });
    expect(await plain.json()).toEqual({ queue: 'work', id: expect.any(String) });
    const serialized = await fetch(`http://127.0.0.1:${web}/serialized`);
    expect(await serialized.json()).toEqual({
      job: { queue: 'work', id: expect.any(String) },
      queue: { name: 'work' },
    });
  });

  it('no error shows it', async () => {
    const { app, work, logs } = await start(connection());
    const job = await work.enqueue('unknown', {});
    const failures: unknown[] = [];
    const fails = (failing: Promise<unknown>) => failing.catch((error) => failures.push(error));
    await fails(job.result());
    await fails(job.stop());
    await fails(work.enqueue('x', { work, self: circular() }));
    await fails(work.enqueue('x', {}, { retry: { max: work as never } }));
    await fails(work.enqueue('x', 'x'.repeat(11 * 1024 * 1024)));
    await fails(work.job('gone').refresh());
    await applications.redis.kill();
    await fails(work.enqueue('x'));
    await applications.redis.restart();
    await app.close();
    expect(failures).toHaveLength(7);
    for (const error of failures) expectHarmless('error', error as Error, 5000);
    const text = JSON.stringify(failures[0]);
    expect(JSON.parse(text)).toMatchObject({
      name: 'JobFailedError',
      code: 'RQ_JOB_FAILED',
      message: expect.stringContaining('UnknownJobError'),
    });
    expect(logs.lines.join('\n') + logs.stacks.join('\n')).not.toContain(PASSWORD);
  });
});

it('what is shown says what it is', async () => {
  const { app, work, jobs } = await start(options());
  const job = await work.enqueue('itself');
  await job.result();
  expect(inspect(job)).toBe(`RqJob { queue: 'work', id: '${job.id}' }`);
  expect(inspect({ work })).toBe(`{ work: Queue { name: 'work' } }`);
  expect(inspect(app.get(RqService))).toBe(`RqService { root: 'default' }`);
  expect(inspect(jobs.held)).toMatch(/^RunningJob {\s+queue: 'work',\s+id: .*attempt: 1\s+}$/s);
  expect(inspect([[[[work]]]])).toBe('[ [ [ [Array] ] ] ]');
  expect(inspect([[[work]]])).toBe('[ [ [ [Queue] ] ] ]');
});

function circular(): object {
  const object: { self?: object } = {};
  object.self = object;
  return object;
}

type Class = { readonly prototype: unknown; readonly name: string };

function isClass(value: unknown): value is Class {
  return (
    typeof value === 'function' && Function.prototype.toString.call(value).startsWith('class ')
  );
}

/** Errors, and what handlers throw or return: they hold nothing of a connection. */
function isWord(type: Class): boolean {
  return type.prototype instanceof Error || type.name === 'ReturnedRetry';
}
