import {
  type Exchange,
  ConsumerScene,
  expectSlotsOfRunsOnly,
  scenesOfThisFile,
  turns,
} from './support/consumer-scene.js';

const scene = scenesOfThisFile();

const HOW = ['certain', 'uncertain'] as const;

describe('a consumer that serves', () => {
  it('claims at most half of its slots at once, in at most two exchanges at a time', async () => {
    const one = scene(10);
    await one.start();
    expect(one.underWay.map(({ want }) => want)).toEqual([5, 5]);
    await one.exchange.answer(['a', 'b', 'c', 'd', 'e']);
    expect(one.runs).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('starts jobs at once and sends the outcome with the next claim', async () => {
    const one = scene(1);
    await one.startWith('a');
    expect(one.runs).toEqual(['a']);
    await one.finish('a');
    expect(one.exchange.outcomes).toEqual(['a finished']);
    expect(one.exchange.want).toBe(1);
    expect(one.told).toEqual([]);

    await one.exchange.answer(['b']);
    expect(one.told).toEqual(['finished a']);
    expect(one.runs).toEqual(['b']);
  });

  it('starts jobs in the order in which Redis gave them, when two answers come together', async () => {
    const one = scene(4);
    await one.start();
    const [first, second] = one.underWay;
    await Promise.all([
      first?.answer(['a', 'b'], { lane: 'job\tkey' }),
      second?.answer(['c', 'd']),
    ]);
    expect(one.runs).toEqual(['a', 'b', 'c', 'd']);
  });

  it('waits at the empty queue without asking again', async () => {
    const one = scene(4);
    await one.startWith();
    expect(one.exchanges).toBe(2);
    expect(one.pop.current).toBeDefined();
    await turns();
    expect(one.exchanges).toBe(2);
    expectSlotsOfRunsOnly(one);
  });

  it('tells Redis of a job that the blocking read brought, and claims it', async () => {
    const one = scene(1);
    await one.startWith();
    await one.pop.bring('a');
    expect(one.exchange.request.woken).toEqual(['a']);
    expect(one.exchange.want).toBe(1);
    await one.exchange.answer(['a']);
    expect(one.runs).toEqual(['a']);
  });

  it('asks again at once while there are more, and waits when there are none', async () => {
    const one = scene(2);
    await one.start();
    await one.exchange.answer([], { more: true });
    await one.exchange.answer([], { more: true });
    expect(one.underWay.length).toBeGreaterThan(0);
    expect(one.pop.current).toBeUndefined();
    await one.answerAll();
    expect(one.pop.current).toBeDefined();
  });

  it('prefetches beyond its slots, starts those in order, and counts what is under way', async () => {
    const one = scene(2, { prefetch: 3 });
    await one.start();
    expect(one.underWay.map(({ want }) => want)).toEqual([4, 1]);
    await one.exchange.answer(['a', 'b', 'c', 'd']);
    expect(one.runs).toEqual(['a']);
    expect(one.consumer.leases().map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
    await one.finish('a');
    expect(one.runs).toEqual(['b']);
  });

  it('gives back prefetched jobs that do not move', async () => {
    const one = scene(1, { prefetch: 2 });
    await one.start();
    await one.exchange.answer(['a', 'b', 'c']);
    await one.answerAll();
    await one.afterBackOff('exchange');
    expect(one.exchange.outcomes).toEqual(['c released', 'b released']);
    expect(one.exchange.want).toBe(0);
    expect(one.runs).toEqual(['a']);
  });

  it('removes a prefetched job that must not start', async () => {
    const one = scene(1, { prefetch: 2 });
    await one.start();
    await one.exchange.answer(['a', 'b', 'c']);
    expect(one.consumer.removePrefetched(({ id }) => id === 'b')?.id).toBe('b');
    await one.answerAll();
    await one.finish('a');
    expect(one.runs).toEqual(['c']);
  });
});

describe('a paused queue', () => {
  it('is not claimed from, but outcomes go to it; when it is resumed jobs come at once', async () => {
    const one = scene(2);
    await one.startWith('a');
    await one.finish('a');
    await one.exchange.answer([], { paused: true });
    await one.answerAll({ paused: true });
    expect(one.consumer.isHeldUp).toBe(true);
    expect(one.consumer.mayHaveJobs).toBe(false);
    expectSlotsOfRunsOnly(one);

    await one.hear();
    expect(one.consumer.isHeldUp).toBe(false);
    expect(one.exchange.want).toBe(1);
    await one.exchange.answer(['b']);
    expect(one.runs).toEqual(['b']);
  });

  it('is asked again by itself: the message may have been lost', async () => {
    const one = scene(1);
    await one.start();
    await one.exchange.answer([], { paused: true });
    await one.answerAll();
    await one.afterBackOff('exchange');
    await one.exchange.answer(['a']);
    expect(one.runs).toEqual(['a']);
  });

  it('still takes the outcomes of jobs that were running', async () => {
    const one = scene(2);
    await one.start();
    await one.exchange.answer(['a']);
    await one.answerAll({ paused: true });
    await one.finish('a');
    expect(one.exchange.outcomes).toEqual(['a finished']);
    expect(one.exchange.want).toBe(0);
  });
});

describe('an outcome', () => {
  /** The exchange that takes along the outcome of job `a`. */
  async function sent(one: ConsumerScene): Promise<Exchange> {
    await one.startWith('a');
    await one.finish('a');
    return one.exchange;
  }

  it('that is refused is not sent again, and what is told depends on the status', async () => {
    const one = scene(1);
    await (await sent(one)).answer([], { refused: [{ index: 0, status: 'canceled' }] });
    expect(one.told).toEqual(['canceled a']);
    await one.answerAll();
    expect(one.consumer.leases()).toEqual([]);
  });

  it('that is refused for a lease that somebody else has is told as lost', async () => {
    const one = scene(1);
    await (await sent(one)).answer([], { refused: [{ index: 0, status: 'started' }] });
    expect(one.told).toEqual(['lost a']);
  });

  it('that cannot be stored keeps its lease and is sent again', async () => {
    const one = scene(1);
    const error = 'error OOM command not allowed';
    await (await sent(one)).answer([], { refused: [{ index: 0, status: error }] });
    await one.answerAll();
    expect(one.told).toEqual(['problem: outcomes of queue "q" cannot be stored']);
    expect(one.consumer.leases().map(({ id }) => id)).toEqual(['a']);

    await one.afterBackOff('exchange');
    expect(one.exchange.outcomes).toEqual(['a finished']);
    await one.exchange.answer();
    expect(one.told.slice(1)).toEqual([
      'finished a',
      'solved: outcomes of queue "q" are stored again',
    ]);
  });

  it('whose answer was lost is sent again in the same call, and told by its answer', async () => {
    const one = scene(1);
    const lost = await sent(one);
    const { call } = lost.request;
    await lost.fail('uncertain');
    await one.afterBackOff('search');
    await one.found();
    const [again] = one.underWay;
    expect(again?.outcomes).toEqual(['a finished']);
    expect(again?.request.call).toEqual({ ...call, isRepeated: true });
    expect(one.consumer.leases().map(({ id }) => id)).toEqual(['a']);
    await again?.answer();
    expect(one.told.filter((line) => line.endsWith(' a'))).toEqual(['finished a']);
  });

  it('that certainly was not sent is not taken for written', async () => {
    const one = scene(1);
    await (await sent(one)).fail('certain');
    await one.afterBackOff('exchange');
    await one.exchange.answer([], { refused: [{ index: 0, status: 'finished' }] });
    expect(one.told.filter((line) => line.endsWith(' a'))).toEqual(['lost a']);
  });
});

describe('an exchange that fails', () => {
  it.each(HOW)(
    'while serving (%s): slots are free again, outcomes and woken jobs travel again',
    async (how) => {
      const one = scene(3);
      await one.startWith('a');
      await one.finish('a');
      await one.answerAll();
      await one.pop.bring('b');
      const { exchange } = one;
      expect(exchange.request.woken).toEqual(['b']);
      await exchange.fail(how);
      await one.failAll('certain');
      expectSlotsOfRunsOnly(one);
      expect(one.consumer.mayHaveJobs).toBe(false);
      expect(one.told.at(-1)).toBe('problem: queue "q" cannot be served');

      if (how === 'uncertain') {
        await one.afterBackOff('search');
        await one.found();
      } else {
        await one.afterBackOff('exchange');
      }
      expect(one.exchange.request.woken).toEqual(['b']);
      await one.exchange.answer(['b']);
      expect(one.runs).toEqual(['b']);
      expect(one.told.at(-1)).toBe('solved: queue "q" is served again');
    },
  );

  it('is told once, however often it happens, and its outcomes keep their order', async () => {
    const one = scene(2);
    await one.startWith('a', 'b');
    await one.finish('a');
    await one.exchange.fail('certain');
    await one.finish('b');
    await one.afterBackOff('exchange');
    expect(one.exchange.outcomes).toEqual(['a finished', 'b finished']);
    await one.failAll('certain');
    await one.afterBackOff('exchange');
    expect(one.exchange.outcomes).toEqual(['a finished', 'b finished']);
    expect(one.told.filter((line) => line.startsWith('problem'))).toHaveLength(1);
  });

  it.each(HOW)(
    'while another is under way (%s): its jobs start, and only then others follow',
    async (how) => {
      const one = scene(4);
      await one.start();
      expect(one.underWay).toHaveLength(2);
      await one.exchange.fail(how);
      expect(one.slots.used).toBe(2);
      one.consumer.reconnected();
      await turns();
      expect([one.underWay.length, one.searches.length]).toEqual([1, 0]);

      await one.exchange.answer(['a', 'b']);
      expect(one.runs).toEqual(['a', 'b']);
      expectSlotsOfRunsOnly(one);
      await one.afterBackOff(how === 'uncertain' ? 'search' : 'exchange');
      if (how === 'uncertain') await one.found('a', 'b', 'orphan');
      const sent = one.underWay.flatMap(({ outcomes }) => outcomes);
      expect(sent).toEqual(how === 'uncertain' ? ['orphan released'] : []);
    },
  );

  it('gives back the jobs of the lost answer, the last one first, before it goes on', async () => {
    const one = scene(2);
    await one.startWith('a');
    await one.finish('a');
    await one.exchange.fail('uncertain');
    await one.failAll('uncertain');
    await one.afterBackOff('search');
    await one.found('a', 'x', 'y');
    // `a` is ours: its outcome still waits here, and travels by itself.
    expect(one.underWay.map(({ outcomes }) => outcomes)).toEqual([
      ['a finished'],
      ['y released', 'x released'],
    ]);
    expect(one.underWay.map(({ want }) => want)).toEqual([0, 1]);
    expect(one.runs).toEqual([]);
  });

  it('is followed at once by another when Redis is reachable again', async () => {
    const one = scene(1);
    await one.start();
    await one.exchange.fail('certain');
    one.consumer.reconnected();
    expect(one.underWay).toHaveLength(1);
  });
});

describe('a search for orphans', () => {
  async function searching(): Promise<ConsumerScene> {
    const one = scene(2);
    await one.startWith('a');
    await one.pop.bring('b');
    await one.exchange.fail('uncertain');
    await one.failAll('uncertain');
    await one.afterBackOff('search');
    return one;
  }

  it('holds up outcomes and woken jobs, which travel after it', async () => {
    const one = await searching();
    await one.finish('a');
    one.consumer.dueIn(0);
    await turns();
    expect(one.underWay).toEqual([]);
    await one.found('a');
    expect(one.exchange.request.woken).toEqual(['b']);
    expect(one.exchange.outcomes).toEqual(['a finished']);
  });

  it.each(HOW)('that fails is made again before anything else', async () => {
    const one = await searching();
    one.searches.shift()?.reject(new Error('cut'));
    await turns();
    expect(one.underWay).toEqual([]);
    await one.afterBackOff('search');
    await one.found('a', 'b');
    expect(one.exchange.outcomes).toEqual(['b released']);
  });

  it('takes place while stopping, too: nothing is claimed after it, and all goes back', async () => {
    const one = await searching();
    await one.consumer.stopClaiming();
    expect(one.underWay).toEqual([]);
    await one.found('a', 'x');
    expect(one.exchange.outcomes).toEqual(['x released']);
    expect(one.exchange.request.woken).toEqual(['b']);
    expect(one.exchange.want).toBe(0);
  });

  it('that ends after close brings nothing', async () => {
    const one = await searching();
    one.consumer.close();
    await one.found('x');
    expect(one.underWay).toEqual([]);
  });
});
