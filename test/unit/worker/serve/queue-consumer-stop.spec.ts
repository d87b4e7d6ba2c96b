// How a consumer stops: nothing comes in any more, everything that is here goes back or is settled.
import {
  type Exchange,
  expectSlotsOfRunsOnly,
  scenesOfThisFile,
  turns,
} from './support/consumer-scene.js';

const scene = scenesOfThisFile();

const HOW = ['certain', 'uncertain'] as const;

describe('a consumer that stops', () => {
  it('claims nothing, lets run what runs, and sends its outcome', async () => {
    const one = scene(2);
    await one.startWith('a');
    await one.consumer.stopClaiming();
    await turns();
    await one.answerAll();
    await one.finish('a');
    expect([one.exchange.want, one.exchange.outcomes]).toEqual([0, ['a finished']]);
    const settled = one.consumer.settled();
    await one.exchange.answer();
    await settled;
    expectSlotsOfRunsOnly(one);
  });

  it('gives back what was prefetched, in its order', async () => {
    const one = scene(1, { prefetch: 2 });
    await one.start();
    await one.exchange.answer(['a', 'b', 'c']);
    await one.answerAll();
    await one.consumer.stopClaiming();
    await turns();
    expect(one.exchange.outcomes).toEqual(['c released', 'b released']);
  });

  it('gives back the jobs that arrive meanwhile, after the last claim is answered', async () => {
    const one = scene(4);
    await one.start();
    const [first, second] = one.underWay as [Exchange, Exchange];
    await one.consumer.stopClaiming();
    await turns();
    await first.answer(['a', 'b']);
    expect(one.runs).toEqual([]);
    expect(one.underWay.flatMap(({ outcomes }) => outcomes)).toEqual([]);
    await second.answer(['c']);
    await turns();
    expect(one.underWay.flatMap(({ outcomes }) => outcomes)).toEqual([
      'c released',
      'b released',
      'a released',
    ]);
    await one.answerAll();
    expectSlotsOfRunsOnly(one);
  });

  it('sends back the id that the blocking read brought at the last moment', async () => {
    const one = scene(1);
    await one.startWith();
    one.pop.bringsAtTheEnd = 'late';
    await one.consumer.stopClaiming();
    await turns();
    expect([one.exchange.request.woken, one.exchange.want]).toEqual([['late'], 0]);
    const settled = one.consumer.settled();
    await one.exchange.answer();
    await settled;
    expect(one.runs).toEqual([]);
  });

  it.each(HOW)(
    'sends its outcome again when the exchange fails (%s), and is settled only then',
    async (how) => {
      const one = scene(2);
      await one.startWith('a');
      await one.consumer.stopClaiming();
      await one.answerAll();
      await one.finish('a');
      let isSettled = false;
      void one.consumer.settled().then(() => (isSettled = true));
      await one.exchange.fail(how);
      expect(isSettled).toBe(false);
      if (how === 'uncertain') {
        await one.afterBackOff('search');
        await one.found('a');
      } else {
        await one.afterBackOff('exchange');
      }
      expect([one.exchange.want, one.exchange.outcomes]).toEqual([0, ['a finished']]);
      await one.exchange.answer();
      expect(isSettled).toBe(true);
      expectSlotsOfRunsOnly(one);
    },
  );

  it.each(HOW)('while a claim fails (%s), gives back what was prefetched', async (how) => {
    const one = scene(2, { prefetch: 2 });
    await one.start();
    const [first, second] = one.underWay as [Exchange, Exchange];
    await first.answer(['a', 'b', 'c']);
    await one.consumer.stopClaiming();
    await second.fail(how);
    await one.failAll(how);
    expectSlotsOfRunsOnly(one);
    // At once: after a while they would go back in any case, since they do not move.
    one.consumer.reconnected();
    await turns();
    if (how === 'uncertain') await one.found('a', 'b', 'c');
    expect(one.runs).toEqual(['a']);
    expect(one.exchange.outcomes).toEqual(['c released', 'b released']);
  });

  it('stays stopped when its start ends only after that', async () => {
    const one = scene(1, { isSlowToStart: true });
    const started = one.start();
    await one.consumer.stopClaiming();
    await started;
    expect(one.underWay.map(({ want }) => want).filter((want) => want > 0)).toEqual([]);
    expect(one.pop.current).toBeUndefined();
  });

  it('is settled at once when there is nothing to settle', async () => {
    const one = scene(1);
    await one.startWith();
    await expect(one.consumer.settled()).resolves.toBeUndefined();
  });
});

describe('a consumer that is closed', () => {
  it.each(['backing off', 'serving', 'stopping'] as const)(
    'while %s sends nothing any more',
    async (mode) => {
      const one = scene(2);
      await one.startWith('a');
      if (mode === 'stopping') await one.consumer.stopClaiming();
      await one.answerAll();
      await one.finish('a');
      if (mode === 'backing off') await one.exchange.fail('certain');
      else await one.exchange.answer();
      await one.answerAll();
      const { exchanges } = one;
      one.consumer.close();
      one.consumer.reconnected();
      one.consumer.dueIn(0);
      one.consumer.slotsFreed();
      await one.hear();
      expect(one.exchanges).toBe(exchanges);
    },
  );

  it.each(HOW)('does not try again when its last exchange fails (%s)', async (how) => {
    const one = scene(1);
    await one.start();
    one.consumer.close();
    await one.exchange.fail(how);
    one.consumer.reconnected();
    await turns();
    expect([one.underWay.length, one.searches.length]).toEqual([0, 0]);
    expect(one.slots.used).toBe(0);
  });
});
