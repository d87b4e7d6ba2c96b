// A link that is cut at one command of all: before Redis has got it, or when it has been carried out and the answer is on
// its way. Each kind of command that a process sends is tried, scripts by their names.
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Connections,
  type Queue,
  RedisJobStore,
  RqConnectionError,
  RqInspector,
  type RqJob,
} from '../../lib/index.js';
import { LATENESS } from '../support/timing.js';
import { eventually, within } from '../support/wait.js';
import { type Caught, type Command, CommandProxy, type Moment } from './command-proxy.js';
import { type Act, type ActingWorker, Scene } from './scene.js';

const MOMENTS: readonly Moment[] = ['before it arrives', 'before its answer arrives'];
/** Seconds: longer than it takes a busy machine to cut a link whose command is held. */
const LEASE = 2;
const connection = { commandTimeout: 1000, connectTimeout: 2000 };
/** Of producers: what fails at once does not fail for this. */
const patient = { ...connection, commandTimeout: 20_000 };

let scene: Scene;
let worker: ActingWorker;
let proxy: CommandProxy;
let url: string;
/** The way of producers, which no worker uses: what is held there is theirs. */
let apart: CommandProxy;
let urlApart: string;
/** Links that do not lead through the proxy. */
let direct: Queue;
const acknowledged: { id: string; retries: number }[] = [];

beforeAll(async () => {
  scene = await Scene.open();
  proxy = await CommandProxy.start(scene.redis);
  apart = await CommandProxy.start(scene.redis);
  await scene.client.acl('SETUSER', 'rq', 'on', '>password', '~*', '&*', '+@all');
  // All that a link says at its beginning.
  url = `redis://rq:password@127.0.0.1:${proxy.port}/3`;
  urlApart = `redis://rq:password@127.0.0.1:${apart.port}/3`;
  await scene.client.select(3);
  direct = scene.queue('work', { url: `${scene.redis.url}/3` });
  worker = await scene.worker('worker', { url, connection, lease: LEASE });
});

afterAll(async () => {
  await scene.close();
  await proxy.close();
  await apart.close();
});

/** What the handler returns. */
const RESULT = { worker: 'worker', attempt: 1 };
const cleanUp: (() => void)[] = [];
let number = 0;

async function enqueue(act: Act = {}): Promise<RqJob> {
  const id = `job-${++number}-`;
  const job = await direct.enqueue('act', act, { id, retry: { max: 9, interval: 0 } });
  acknowledged.push({ id, retries: 9 });
  return job;
}

const caughtIn = (caught: Promise<Caught>, what: string) =>
  within(caught, { what: `${what} to come by`, timeout: 20_000 });

describe("a worker's link that is cut", () => {
  const outcomeOf = (id: string) => (command: Command) =>
    command.name === 'exchange' &&
    command.words.some((word) => word === 'one' || word === 'finished') &&
    command.words.some((word) => word === id || word.startsWith(`${id}\n`));
  const named = (name: string, link?: string) => (command: Command) =>
    command.name === name && (link === undefined || command.link === `nestjs-rq:${link}`);
  const leaseEnd = async () =>
    Number((await scene.client.zrange('rq:wip:work', '0', '0', 'WITHSCORES'))[1]);
  /** Gives what lets the job go on, when its lease was renewed once more. */
  const running = async (how: 'holds' | 'blocks') => {
    const word = scene.file(`word-${number}`);
    const { id } = await enqueue(how === 'holds' ? { holds: true } : { blocksUntil: word });
    await scene.when('run', { id });
    return async () => {
      const end = await leaseEnd();
      await eventually(async () => (await leaseEnd()) > end, { what: 'the lease to be renewed' });
      if (how === 'holds') worker.go(id);
      else writeFileSync(word, '');
    };
  };

  /** What is cut, and what makes the worker send it. */
  const KINDS: readonly [
    what: string,
    matches: (command: Command) => boolean,
    provoke: () => Promise<unknown>,
  ][] = [
    ['exchange that claims', named('exchange'), () => enqueue()],
    ['blmove', named('blmove'), () => enqueue().then(() => enqueue())],
    ['renew', named('renew'), () => running('holds')],
    ['recover', named('recover'), () => Promise.resolve()],
    ['beat', named('beat'), () => running('holds')],
    // The handler cannot know that it has told: it runs again.
    ['tell', named('tell'), () => enqueue({ updates: {} })],
    ['extend of the guard', named('extend'), () => running('blocks')],
    ...['hello', 'select', 'client|setname', 'info', 'client|id'].map(
      (name) => [name, named(name), () => scene.cutLinks('normal')] as (typeof KINDS)[number],
    ),
    ['auth of the guard', named('auth'), () => running('blocks')],
    ['subscribe', named('subscribe'), () => scene.cutLinks('pubsub')],
  ];

  it.each(KINDS.flatMap((kind) => MOMENTS.map((moment) => [kind[0], moment, kind] as const)))(
    'at %s, %s, serves on',
    async (what, moment, [, matches, provoke]) => {
      const trap = proxy.hold(moment, matches);
      const goOn = await provoke();
      const { cut } = await caughtIn(trap, what);
      cut();
      if (typeof goOn === 'function') await goOn();

      await scene.drained();
      const next = await enqueue();
      await next.result({ timeout: 20 });
      expect(scene.journal.of('lost')).toEqual([]);
    },
  );

  it.each(
    (
      [
        ['finished', {}, [1]],
        ['retrying', { fails: 1 }, [1, 2]],
        ['failed', { fails: 99 }, [1, 2]],
        ['snoozed', { snoozesOn: 'worker' }, [1]],
        ['canceled', { cancels: true }, [1]],
      ] satisfies [string, Act, number[]][]
    ).flatMap(([outcome, act, attempts]) =>
      MOMENTS.map((moment) => [outcome, moment, act, attempts] as const),
    ),
  )(
    'at an exchange with an outcome (%s), %s, settles it once',
    async (outcome, moment, act, attempts) => {
      const other = scene.queue('work', { url: `${scene.redis.url}/3` });
      const retry =
        outcome === 'failed' || outcome === 'retrying' ? { max: 1, interval: 0 } : undefined;
      const id = `job-${++number}-`;
      const trap = proxy.hold(moment, outcomeOf(id));
      const job = await other.enqueue('act', act, { id, retry });
      acknowledged.push({ id, retries: 1 });
      const { cut } = await caughtIn(trap, outcome);
      cut();

      // One that is put off comes again and again.
      const ended =
        outcome === 'snoozed' ? 'returned' : outcome === 'canceled' ? 'canceled' : outcome;
      await scene.when(ended as 'finished', { id, count: ended === 'returned' ? 2 : 1 });
      if (outcome === 'snoozed') {
        await eventually(() => job.cancel().then(() => true), { what: 'the job to be canceled' });
        return;
      }
      await scene.drained();
      expect(scene.journal.of('run', { id }).map(({ attempt }) => attempt)).toEqual(attempts);
      expect(scene.journal.of('lost')).toEqual([]);
    },
  );

  it.each(MOMENTS.map((moment) => [moment] as const))(
    'at the search for what a lost answer brought, %s, gives it back in the end',
    async (moment) => {
      const claims = proxy.hold('before its answer arrives', named('exchange'));
      const search = proxy.hold(moment, named('zrange'));
      const { id } = await enqueue();
      (await caughtIn(claims, 'a claim')).cut();
      (await caughtIn(search, 'a search')).cut();
      await scene.drained();
      expect(scene.journal.of('requeued', { id })).toEqual([]);
    },
  );

  it.each(
    ['client|unblock', 'get', 'exec'].flatMap((name) =>
      MOMENTS.map((moment) => [name, moment] as const),
    ),
  )('at its end, at %s, %s, ends all the same', async (name, moment) => {
    const label = `${name}-${moment}`;
    const ending = await scene.worker(label, { url, connection, lease: LEASE });
    await eventually(
      async () => String(await scene.client.client('LIST')).match(/cmd=blmove/g)?.length === 2,
      { what: 'both workers to wait for jobs' },
    );
    const trap = proxy.hold(moment, named(name));
    const stopped = ending.stop();
    (await caughtIn(trap, name)).cut();
    expect(await stopped).toBeLessThan(5000 + LATENESS);
  });
});

describe("a producer's link that is cut", () => {
  let queue: Queue;

  beforeAll(async () => {
    queue = scene.queue('apart', { ...patient, url: urlApart });
    await queue.enqueue('act', {}, { id: 'kept' });
    settled = await enqueue();
    await settled.result({ timeout: 20 });
    settled = anew().job(settled.id);
    const connections = new Connections(urlApart, patient);
    cleanUp.push(() => void connections.close());
    inspector = new RqInspector(new RedisJobStore(connections));
    const canceled = await fresh();
    await canceled.cancel();
    const deletion = inspector.delete('apart', { in: 'canceled' });
    await deletion.report();
    deleted = deletion.undoId ?? '';
  });

  afterAll(() => cleanUp.forEach((step) => step()));

  const kept = () => queue.job('kept');
  const fresh = async () => {
    const id = `apart-${++number}`;
    await queue.enqueue('act', {}, { id });
    return queue.job(id);
  };
  const anew = () => scene.queue('work', { ...patient, url: urlApart });
  const listen = (to: Queue) =>
    new Promise((resolve, reject) => {
      const listening = to
        .events({ onListening: () => resolve(undefined) })
        .subscribe({ error: reject });
      cleanUp.push(() => listening.unsubscribe());
    });
  let made: RqJob;
  let settled: RqJob;
  let inspector: RqInspector;
  let deleted: string;

  /** Each call, and whether it can be made again and again with the same end. */
  const CALLS: readonly [command: string, call: () => Promise<unknown>, expected?: unknown][] = [
    ['enqueue', () => queue.enqueue('act', {}, { id: 'new' }).then(({ id }) => id), 'new'],
    ['control', () => made.cancel()],
    ['control', () => queue.requeue([made.id])],
    ['list', () => queue.jobs('canceled').then((jobs) => jobs.map(({ id }) => id))],
    ['hgetall', () => kept().status(), 'queued'],
    ['exec', () => kept().position(), 0],
    ['xrange', () => kept().results(), []],
    ['overview', () => queue.counts()],
    ['set', () => queue.pause()],
    ['exists', () => queue.isPaused(), true],
    ['exec', () => queue.resume()],
    ['watch', () => settled.result(), RESULT],
    ['subscribe', () => anew().job(settled.id).result({ timeout: 20 }), RESULT],
    ['subscribe', () => listen(anew())],
    ['publish', () => listen(anew())],
    ['group', () => queue.group('nobody').status()],
    ['undelete', () => inspector.undoDelete('apart', deleted)],
    ['empty', () => queue.empty()],
  ];

  it.each(
    CALLS.flatMap(([name, ...call]) => MOMENTS.map((moment) => [name, moment, call] as const)),
  )(
    'at %s, %s, has the call fail at once, and it can be made again',
    async (name, moment, [call, expected]) => {
      made = await fresh();
      const trap = apart.hold(moment, (command) => command.name === name);
      const outcome = call().then(
        () => 'done',
        (error: unknown) => error,
      );
      (await caughtIn(trap, name)).cut();
      const error = await within(outcome, { what: 'an error', timeout: LATENESS });

      expect(error).toBeInstanceOf(RqConnectionError);
      // Nobody can know on this side of the link.
      expect(error).toMatchObject({ uncertain: true });
      const again: unknown = await call();
      expect(again).toEqual(expected ?? again);
      expect(await scene.audit([], { queues: ['apart'], atRest: false })).toEqual([]);
    },
  );
});

it('leaves everything in its place', async () => {
  expect(await scene.audit(acknowledged, { queues: ['work', 'apart'] })).toEqual([]);
});
