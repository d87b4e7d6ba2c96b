import { ParentResultError } from '../../../../lib/job/index.js';
import { JobRecord, type ResultEntry } from '../../../../lib/wire/index.js';
import { resultsOfParents } from '../../../../lib/worker/run/parent-results.js';

const at = new Date(0);

/** A database with these jobs, and results that were handed over. */
function store(
  jobs: Record<string, Record<string, string>>,
  handed: Record<string, string | number> = {},
  entries: ResultEntry[] = [],
) {
  const read: string[] = [];
  return {
    read: (id: string) => {
      read.push(id);
      const fields = jobs[id];
      if (!fields) return Promise.resolve(undefined);
      const all = Object.entries({ data: '["f",null,[],{}]', ...fields }).flat();
      return Promise.resolve(
        new JobRecord(
          id,
          all.map((text) => Buffer.from(text)),
        ),
      );
    },
    results: () => Promise.resolve(entries),
    handedResults: (_id: string, ids: readonly string[]) =>
      Promise.resolve(ids.map((id) => handed[id])),
    asked: read,
  };
}

describe('the results of the jobs that a job waited for', () => {
  it('are those that were handed over, though the jobs are gone', async () => {
    const redis = store({}, { b: '{"x":[1]}', a: 'null' });
    const parents = { id: 'me', parentIds: ['a', 'b'] };
    expect(await resultsOfParents(parents, redis)).toEqual([null, { x: [1] }]);
    expect(redis.asked).toEqual([]);
  });

  it('are read from the jobs where none was handed over, in the order of dependsOn', async () => {
    const finished = { status: 'finished', result: '"long"' };
    const redis = store({ a: finished }, { b: '1' });
    const parents = { id: 'me', parentIds: ['b', 'a'] };
    expect(await resultsOfParents(parents, redis)).toEqual([1, 'long']);
  });

  it("are taken from RQ's stream where Python ran the job", async () => {
    const redis = store({ a: { status: 'finished' } }, {}, [
      { type: 'finished', at, value: { from: 'python' } },
    ]);
    const parents = { id: 'me', parentIds: ['a'] };
    expect(await resultsOfParents(parents, redis)).toEqual([{ from: 'python' }]);
  });

  it('are none for a job that waited for nobody', async () => {
    expect(await resultsOfParents({ id: 'me', parentIds: [] }, store({}))).toEqual([]);
  });

  it('of one that was too long and is gone, the error says how long it was', async () => {
    const parents = { id: 'me', parentIds: ['a'] };
    const results = resultsOfParents(parents, store({}, { a: 70_002 }));
    await expect(results).rejects.toMatchObject({ jobId: 'a', status: 'missing', size: 70_002 });
    await expect(results).rejects.toThrow('Its result had 70002 bytes.');
  });

  it.each<[Record<string, Record<string, string>>, string, RegExp]>([
    [{}, 'missing', /No result of job "a", which this job waited for: it is gone\..*resultTtl/],
    [{ a: { status: 'failed' } }, 'failed', /it is failed\. With ifFailed: 'run'/],
    [{ a: { status: 'started' } }, 'started', /it is started/],
  ])('are an error when there is none: %j', async (jobs, status, message) => {
    const results = resultsOfParents({ id: 'me', parentIds: ['a'] }, store(jobs));
    await expect(results).rejects.toBeInstanceOf(ParentResultError);
    await expect(results).rejects.toMatchObject({ jobId: 'a', status, code: 'RQ_PARENT_RESULT' });
    await expect(results).rejects.toThrow(message);
  });
});
