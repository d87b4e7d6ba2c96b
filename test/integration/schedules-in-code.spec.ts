// Definitions in code (`@Schedule`) under deploys. A process is a store with connections of its own and what fires on it;
// that nobody was there for a while is said by what the record holds of it.
import type { GivenSchedule } from '../../lib/queue/index.js';
import { type OwnDefinition, Scheduler } from '../../lib/worker/index.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();
const open = new Set<Scheduler>();
const HOUR = 3_600_000;

afterEach(async () => {
  await Promise.all([...open].map((scheduler) => scheduler.stop()));
  open.clear();
});

/** A process whose code has these definitions; it does what a test tells it to. */
async function deploy(own: readonly OwnDefinition[], problems: string[] = []): Promise<Scheduler> {
  const store = await engine.openStore();
  const scheduler = new Scheduler(store, own, { problem: ({ message }) => problems.push(message) });
  open.add(scheduler);
  await scheduler.catchUp();
  return scheduler;
}

function schedule(given: Partial<GivenSchedule> = {}): OwnDefinition {
  const all = { id: 'tidy', when: { every: '1h' }, name: 'note', data: 'a', options: undefined };
  const where = '@Schedule on Tests.note in TestsModule';
  return engine.queue().scheduleInCode({ ...all, ...given }, where);
}

const field = (name: string) => engine.client.hget('rq:nrq:schedule:tidy', name);
const due = async () => Number(await engine.client.zscore('rq:nrq:schedules:code', 'tidy'));
const setDue = (moment: number) => engine.client.zadd('rq:nrq:schedules:code', moment, 'tidy');
const ids = () => engine.client.lrange('rq:queue:jobs', '0', '-1');
const datas = async () =>
  Promise.all((await ids()).map((id) => engine.client.hget(`rq:job:${id}`, 'data')));
const redisNow = async () => {
  const [seconds, microseconds] = await engine.client.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
};
/** Ticks are compared with the hour at which a test began: none begins right before a new one. */
beforeEach(async () => {
  const isFarFromTick = async () => 1_800_000 - ((await redisNow()) % 1_800_000) > 5000;
  await eventually(isFarFromTick, { what: 'the next half hour', every: 100 });
});

/** So many seconds ago somebody with the definition was there last. */
const unseenFor = async (seconds: number) =>
  engine.client.hset('rq:nrq:schedule:tidy', 'seen', (await redisNow()) - seconds * 1000);

describe('a schedule in code', () => {
  it('first start: waits for the next tick of its grid', async () => {
    await deploy([schedule()]);
    const now = await redisNow();
    expect(await due()).toBe(Math.floor(now / HOUR) * HOUR + HOUR);
    expect(await ids()).toEqual([]);
    expect(await engine.queue().schedules()).toMatchObject([{ id: 'tidy', from: 'code' }]);
  });

  it('restart, same code: the tick that it waits for stays, and what fell into the gap is made up for', async () => {
    const before = await deploy([schedule()]);
    await before.stop();
    const missed = Math.floor((await redisNow()) / HOUR) * HOUR;
    await setDue(missed);
    await unseenFor(600);
    await deploy([schedule()]);
    expect(await ids()).toEqual([`tidy-${missed}`]);
    expect(await due()).toBe(missed + HOUR);
  });

  it('rolling deploy: another definition takes over at once, and the old processes are silent', async () => {
    const old = await deploy([schedule({ data: 'old' })]);
    const next = await deploy([schedule({ data: 'new', when: { every: '2h' } })]);
    expect(await due()).toBe(Math.floor((await redisNow()) / (2 * HOUR)) * 2 * HOUR + 2 * HOUR);
    await setDue((await redisNow()) - 1);
    await old.catchUp();
    expect(await ids()).toEqual([]);
    await next.catchUp();
    expect(await datas()).toEqual(['["note",null,["new"],{}]']);
    // It does not come back while somebody with the new one is there.
    await unseenFor(80);
    await old.catchUp();
    expect(await field('data')).toContain('new');
  });

  it('rolling deploy: with other data only, the tick that it waits for stays', async () => {
    await deploy([schedule({ data: 'old' })]);
    await setDue((await redisNow()) + 5000);
    const before = await due();
    await deploy([schedule({ data: 'new' })]);
    expect(await due()).toBe(before);
  });

  it('rollback: the old one is back 90 seconds after the last sign of the new one, and no tick is lost', async () => {
    const old = await deploy([schedule({ data: 'old', when: { every: '20s' } })]);
    const next = await deploy([schedule({ data: 'new' })]);
    await next.stop();
    await unseenFor(100);
    const seen = Number(await field('seen'));
    await old.catchUp();
    expect(await field('data')).toContain('old');
    // Of the ticks since, the latest runs (`once`).
    const [id = ''] = await ids();
    expect(Number(id.slice('tidy-'.length))).toBeGreaterThan(seen);
    expect(await datas()).toEqual(['["note",null,["old"],{}]']);
    expect(Number(await field('missed_ticks'))).toBeGreaterThanOrEqual(4);
  });

  it('a process that fires shows that it is there, as does one that looks', async () => {
    const scheduler = await deploy([schedule()]);
    await unseenFor(80);
    await scheduler.catchUp();
    expect(Number(await field('seen'))).toBeGreaterThan((await redisNow()) - 5000);
  });

  it('removed from code: fires never again, and its record is deleted after a week', async () => {
    const old = await deploy([schedule()]);
    await old.stop();
    await setDue((await redisNow()) - 8 * 86_400_000);
    await unseenFor(6 * 86_400);
    const other = await deploy([schedule({ id: 'other' })]);
    await other.stop();
    expect(await ids()).toEqual([]);
    await unseenFor(8 * 86_400);
    await engine.client.del('rq:nrq:schedules:tidied');
    await deploy([schedule({ id: 'other' })]);
    await eventually(async () => (await field('rev')) === null, { what: 'the record to go' });
    expect(await engine.client.zrange('rq:nrq:schedules:code', '0', '-1')).toEqual(['other']);
    expect(await ids()).toEqual([]);
  });

  it('after a week without any process it is still there for those who have it', async () => {
    const old = await deploy([schedule()]);
    await old.stop();
    const missed = Math.floor((await redisNow()) / HOUR) * HOUR - 240 * HOUR;
    await setDue(missed);
    await unseenFor(10 * 86_400);
    await deploy([schedule()]);
    expect(await ids()).toHaveLength(1);
    expect(await due()).toBe(Math.floor((await redisNow()) / HOUR) * HOUR + HOUR);
  });

  it('is not to be changed by calls while somebody has it', async () => {
    await deploy([schedule()]);
    const queue = engine.queue();
    await expect(queue.schedule('tidy', '@daily', 'note')).rejects.toThrow('stands in code');
    await expect(queue.unschedule('tidy')).rejects.toThrow('stands in code');
    await unseenFor(100);
    expect(await queue.unschedule('tidy')).toBe(true);
    expect(await queue.schedules()).toEqual([]);
  });

  it('does not take the place of one that was made at run time, and says so', async () => {
    const problems: string[] = [];
    await engine.queue().schedule('tidy', '@daily', 'note', 'at run time');
    await deploy([schedule()], problems);
    expect(problems).toEqual([
      expect.stringContaining('@Schedule "tidy" is not fired: queue.schedule() has made one'),
    ]);
    expect(await field('data')).toContain('at run time');
  });
});

describe("Redis's clock", () => {
  it('set back, nothing is due again: the next tick waits', async () => {
    const scheduler = await deploy([schedule()]);
    const fired = Math.floor((await redisNow()) / HOUR) * HOUR;
    await setDue(fired);
    await scheduler.catchUp();
    // As after a jump of the clock: the last tick lies in the future.
    const future = fired + 48 * HOUR;
    await engine.client.hset('rq:nrq:schedule:tidy', 'last', future);
    await setDue(future + HOUR);
    await scheduler.catchUp();
    expect(await ids()).toEqual([`tidy-${fired}`]);
    await deploy([schedule({ when: { every: '30m' } })]);
    expect(await due()).toBe(future + HOUR / 2);
  });
});

describe('while Redis is away', () => {
  it('nothing is lost: the tick is made up for when it is back', async () => {
    const problems: string[] = [];
    const store = await engine.openStore();
    // All: a busy machine may be late by more than one.
    const given = { when: { every: 1 }, options: { missed: 'all' } } as const;
    const scheduler = new Scheduler(store, [schedule(given)], {
      problem: ({ message }) => problems.push(message),
      problemSolved: ({ message }) => problems.push(message),
    });
    open.add(scheduler);
    await scheduler.start();
    await eventually(async () => (await ids()).length > 0, { what: 'a tick' });
    await engine.client.client('PAUSE', 100, 'ALL');
    await engine.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await engine.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const before = (await ids()).length;
    await eventually(async () => (await ids()).length > before + 1, { what: 'further ticks' });
    const ticks = (await ids()).map((id) => Number(id.slice('tidy-'.length)));
    expect(ticks).toEqual(ticks.map((_, index) => (ticks[0] ?? 0) + index * 1000));
  });
});
