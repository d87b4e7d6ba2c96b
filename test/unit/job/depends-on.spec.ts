import { InvalidOptionError, readDependsOn, referencesIn } from '../../../lib/job/index.js';

const WHERE = 'enqueue("report") on queue "mail"';
const read = (value: unknown, own?: string) => readDependsOn(value, own, WHERE, 'own');
const job = (id: string) => ({ id, queue: 'images' });

describe('dependsOn', () => {
  it.each<[unknown, unknown]>([
    ['a', { jobs: ['a'], ifFailed: 'cancel' }],
    [job('a'), { jobs: ['a'], ifFailed: 'cancel' }],
    [[job('a'), 'b'], { jobs: ['a', 'b'], ifFailed: 'cancel' }],
    [{ jobs: 'a' }, { jobs: ['a'], ifFailed: 'cancel' }],
    [{ group: 'g' }, { jobs: [], group: 'g', ifFailed: 'cancel' }],
    [
      { group: 'g', ifFailed: 'run' },
      { jobs: [], group: 'g', ifFailed: 'run' },
    ],
    [
      { jobs: ['b', job('a')], ifFailed: 'run' },
      { jobs: ['b', 'a'], ifFailed: 'run' },
    ],
  ])('%j waits for %j', (value, expected) => {
    expect(read(value)).toEqual(expected);
  });

  it.each([undefined, [], { jobs: [] }, { jobs: [], ifFailed: 'run' }])(
    '%j is nothing to wait for',
    (value) => {
      expect(read(value)).toBeUndefined();
    },
  );

  it.each<[unknown, RegExp]>([
    [null, /dependsOn must be a job, a prepared job, or the id of a job, got null/],
    [5, /dependsOn must be a job/],
    [['a', 5], /dependsOn\[1\] must be a job/],
    [['a', ['b']], /dependsOn\[1\] must be a job/],
    ['a:b', /dependsOn must be 1 to 200 letters/],
    [['a', ''], /dependsOn\[1\] must be 1 to 200 letters/],
    [[{ id: 5, queue: 'q' }], /dependsOn\[0\] must be 1 to 200 letters/],
    [{ jobs: ['a', {}] }, /dependsOn\.jobs\[1\] must be a job/],
    [{ jobs: undefined }, /dependsOn\.jobs must be a job/],
    [{}, /dependsOn\.jobs must be a job/],
    [{ job: 'a' }, /dependsOn\.job is not an option here\. Known: jobs, ifFailed/],
    [{ jobs: 'a', iffailed: 'run' }, /dependsOn\.iffailed is not an option/],
    [
      { jobs: 'a', ifFailed: 'ignore' },
      /dependsOn\.ifFailed must be one of 'cancel', 'run', 'wait'/,
    ],
    [{ group: 'g', jobs: ['a'] }, /dependsOn\.jobs is not an option here\. Known: group, ifFailed/],
    [{ group: '' }, /dependsOn\.group must be text of 1 to 200 characters/],
    [{ group: 5 }, /dependsOn\.group must be text of 1 to 200 characters, got 5/],
    [{ group: 'own' }, /dependsOn\.group is the group of the job itself: it would wait for ever/],
    [['a', 'b', 'a'], /dependsOn\[2\] is the same job as dependsOn\[0\]/],
    [{ jobs: ['a', job('a')] }, /dependsOn\.jobs\[1\] is the same job as dependsOn\.jobs\[0\]/],
    [Array.from({ length: 1001 }, (_, index) => `a${index}`), /names 1001 jobs.*at most 1000/],
  ])('%j is an error', (value, message) => {
    expect(() => read(value)).toThrow(InvalidOptionError);
    expect(() => read(value)).toThrow(message);
    expect(() => read(value)).toThrow(WHERE);
  });

  it('takes 1000 jobs', () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `a${index}`);
    expect(read(ids)?.jobs).toEqual(ids);
  });

  it('is never the job itself', () => {
    expect(() => read(['a', 'me'], 'me')).toThrow('dependsOn[1] is the job itself');
  });

  it('gives what was named as it was given', () => {
    const parent = job('a');
    expect(referencesIn({ jobs: [parent, 'b'] })).toEqual([parent, 'b']);
    expect(referencesIn(parent)).toEqual([parent]);
  });
});
