import { EARLINESS, LATENESS } from '../support/timing.js';
import { eventually, within } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();
const realNow = Date.now.bind(Date);
const RealDate = Date;

/** The clock of the host is set: `Date` says something else from now on. */
function step(milliseconds: number): void {
  globalThis.Date = class extends RealDate {
    constructor(...given: [] | [number | string]) {
      super(...((given.length === 0 ? [realNow() + milliseconds] : given) as [number]));
    }
  } as DateConstructor;
  Date.now = () => realNow() + milliseconds;
}

afterEach(() => {
  globalThis.Date = RealDate;
});

describe.each([
  ['back', -3_600_000],
  ['ahead', 3_600_000],
])('a host clock that is set an hour %s', (_, milliseconds) => {
  it('makes no duration negative, and none an hour long', async () => {
    const worker = await engine.work({
      f: async () => {
        step(milliseconds);
        await new Promise((resolve) => setImmediate(resolve));
      },
    });
    const job = await engine.queue().enqueue('f');
    await job.result({ timeout: 10 });
    const [finished] = await worker.events.waitFor('jobFinished');
    expect(finished?.duration).toBeGreaterThanOrEqual(0);
    expect(finished?.duration).toBeLessThan(5000);
    const { started_at: started, ended_at: ended } = await engine.fields(job.id);
    const times = [started, ended].map((text) => RealDate.parse(String(text)));
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(0);
    expect(Math.abs(times[1]! - realNow())).toBeLessThan(60_000);
  });

  it('makes no delayed job late or early', async () => {
    const ran = new Map<string, number>();
    await engine.work({ f: (name: unknown) => void ran.set(String(name), performance.now()) });
    const queue = engine.queue();
    await queue.enqueueIn(60, 'f', 'far');
    const enqueuedAt = performance.now();
    await queue.enqueueIn(0.5, 'f', 'before the step');
    step(milliseconds);
    await queue.enqueueIn(0.7, 'f', 'after the step');
    await eventually(() => ran.size === 2, { what: 'both jobs' });
    const after = (name: string) => (ran.get(name) ?? Infinity) - enqueuedAt;
    expect(after('before the step')).toBeGreaterThanOrEqual(500 - EARLINESS);
    expect(after('before the step')).toBeLessThan(500 + LATENESS);
    expect(after('after the step')).toBeGreaterThanOrEqual(700 - EARLINESS);
    expect(after('after the step')).toBeLessThan(700 + LATENESS);
  });

  it('makes no retry late, and no wait for a result end early', async () => {
    let attempts = 0;
    await engine.work({
      f: () => {
        attempts += 1;
        step(milliseconds);
        if (attempts === 1) throw new Error('declared failure');
        return 'done';
      },
    });
    const job = await engine.queue().enqueue('f', {}, { retry: { max: 1, interval: 0.3 } });
    const result = within(job.result({ timeout: 9 }), { what: 'the result', timeout: 10_000 });
    expect(await result).toBe('done');
  });
});
