import { EnqueueBatch } from '../../../lib/queue/enqueue-batch.js';

function batch(send?: (items: number[]) => Promise<(Error | undefined)[]>, limit = 1000) {
  const sent: number[][] = [];
  const one = new EnqueueBatch<number>((items) => {
    sent.push(items);
    return send ? send(items) : Promise.resolve([]);
  }, limit);
  return { batch: one, sent };
}

describe('jobs enqueued in one turn of the event loop', () => {
  it('travel together, in order', async () => {
    const { batch: together, sent } = batch();

    await Promise.all([1, 2, 3].map((item) => together.add(item)));
    await together.add(4);

    expect(sent).toEqual([[1, 2, 3], [4]]);
  });

  it('do so also when they are enqueued by different callbacks of the turn', async () => {
    const { batch: together, sent } = batch();
    const added: Promise<void>[] = [];

    added.push(together.add(1));
    await Promise.resolve();
    added.push(together.add(2));
    await new Promise<void>((resolve) => {
      process.nextTick(() => {
        added.push(together.add(3));
        resolve();
      });
    });
    await Promise.all(added);

    expect(sent).toEqual([[1, 2, 3]]);
  });

  it('go in several calls when there are very many', async () => {
    const { batch: together, sent } = batch(undefined, 2);

    await Promise.all([1, 2, 3, 4, 5].map((item) => together.add(item)));

    expect(sent).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('go in two calls at least when they are more than a few, so that Redis works on one while the other is made', async () => {
    const { batch: together, sent } = batch();
    const numbers = Array.from({ length: 21 }, (_, index) => index);

    await Promise.all(numbers.map((item) => together.add(item)));

    expect(sent.map(({ length }) => length)).toEqual([11, 10]);
    expect(sent.flat()).toEqual(numbers);
  });

  it('each hear of their own problem only', async () => {
    const { batch: together } = batch((items) =>
      Promise.resolve(items.map((item) => (item === 2 ? new Error('exists') : undefined))),
    );

    const outcomes = await Promise.allSettled([1, 2, 3].map((item) => together.add(item)));

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('all hear when the call fails, and those of the next turn are sent all the same', async () => {
    let isAway = true;
    const { batch: together } = batch(() =>
      isAway ? Promise.reject(new Error('away')) : Promise.resolve([]),
    );

    const outcomes = await Promise.allSettled([1, 2].map((item) => together.add(item)));
    expect(outcomes).toMatchObject([{ reason: { message: 'away' } }, { status: 'rejected' }]);

    isAway = false;
    await expect(together.add(3)).resolves.toBeUndefined();
  });
});
