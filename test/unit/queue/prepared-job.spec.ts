import { inspect } from 'node:util';
import {
  DuplicateJobError,
  EnqueueManyError,
  InvalidOptionError,
  type JobOptions,
  RqConnectionError,
} from '../../../lib/job/index.js';
import { type PreparedJob, Queue, enqueuePrepared } from '../../../lib/queue/index.js';
import type { JobStore, NewJob, Refusal } from '../../../lib/store/index.js';

/** A store that notes what it is asked to enqueue, and answers as it is told. */
class NotingStore {
  readonly maxPayloadBytes = 1000;
  readonly calls: NewJob[][] = [];
  answer: () => Refusal[] = () => [];

  enqueue(jobs: readonly NewJob[]): Promise<Refusal[]> {
    this.calls.push([...jobs]);
    return new Promise((resolve) => resolve(this.answer()));
  }
}

function setUp() {
  const noting = new NotingStore();
  const store = noting as unknown as JobStore;
  return {
    noting,
    store,
    images: new Queue('images', store),
    mail: new Queue('mail', store),
    enqueue: (jobs: readonly PreparedJob[]) => enqueuePrepared(store, jobs, 'enqueueMany'),
  };
}

const uncertain = () => {
  throw new RqConnectionError({ action: 'enqueue', uncertain: true });
};

describe('a prepared job', () => {
  it('has an id, and is not stored', () => {
    const { images, noting } = setUp();
    const job = images.prepare('resize', { path: '/secret' }, { meta: { a: 1 } });
    expect(job.id).toMatch(/^[0-9a-z]{21}$/);
    expect(job.handle()).toMatchObject({ id: job.id, queue: 'images' });
    expect(noting.calls).toEqual([]);
  });

  it('shows no data in logs and JSON', () => {
    const { images } = setUp();
    const job = images.prepare('resize', { path: '/secret' }, { id: 'a' });
    expect(JSON.stringify(job)).toBe('{"queue":"images","id":"a","name":"resize"}');
    expect(inspect(job)).not.toContain('secret');
    expect(Object.keys(job).toSorted()).toEqual(['id', 'name', 'queue']);
  });

  it.each<[string, unknown, object, RegExp]>([
    ['', 1, {}, /name must be text/],
    ['f', 1, { dependsOn: 5 }, /enqueue\("f"\) on queue "images": dependsOn must be a job/],
    ['f', 'x'.repeat(2000), {}, /data of job "f" is too large/],
    ['f', 1, { id: 'a', dependsOn: 'a' }, /dependsOn is the job itself/],
  ])('is checked when it is prepared: %j, %j, %j', (name, data, options, message) => {
    expect(() => setUp().images.prepare(name, data, options)).toThrow(message);
  });
});

describe('prepared jobs that are enqueued together', () => {
  it('go in one call, in order, each into its queue, with what they wait for', async () => {
    const { images, mail, noting, enqueue } = setUp();
    const resize = images.prepare('resize', 1);
    const scan = images.prepare('scan', 2, { retry: { max: 2 } });
    const dependsOn = { jobs: [resize, scan, 'other'], ifFailed: 'run' as const };
    const notify = mail.prepare('notify', 3, { dependsOn });

    const handles = await enqueue([resize, scan, notify]);

    expect(noting.calls).toHaveLength(1);
    expect(noting.calls[0]).toMatchObject([
      { queue: 'images', id: resize.id, check: 'new', waitsFor: undefined },
      { queue: 'images', id: scan.id, options: { retry: { max: 2 } } },
      {
        queue: 'mail',
        id: notify.id,
        waitsFor: { jobs: [resize.id, scan.id, 'other'], ifFailed: 'run' },
      },
    ]);
    expect(handles.map(({ id, queue }) => `${queue} ${id}`)).toEqual([
      `images ${resize.id}`,
      `images ${scan.id}`,
      `mail ${notify.id}`,
    ]);
  });

  it('may be none at all', async () => {
    const { noting, enqueue } = setUp();
    expect(await enqueue([])).toEqual([]);
    expect(noting.calls).toEqual([]);
  });

  it('are at most 1000', async () => {
    const { images, noting, enqueue } = setUp();
    const jobs = Array.from({ length: 1001 }, () => images.prepare('f'));
    await expect(enqueue(jobs)).rejects.toThrow(
      'enqueueMany: jobs are 1001, and one step takes at most 1000',
    );
    expect(noting.calls).toEqual([]);
    await enqueue(jobs.slice(1));
    expect(noting.calls[0]).toHaveLength(1000);
  });

  it.each<[string, (scene: ReturnType<typeof setUp>) => unknown, RegExp]>([
    ['no list', ({ images }) => images.prepare('f'), /jobs must be a list of prepared jobs/],
    ['a handle', ({ images }) => [images.job('a')], /jobs\[0\] must be a prepared job/],
    ['an item', () => [{ name: 'f' }], /jobs\[0\] must be a prepared job/],
    [
      'one that stands there twice',
      ({ images }) => {
        const job = images.prepare('f');
        return [job, images.prepare('f'), job];
      },
      /jobs\[2\] has the id of jobs\[0\]/,
    ],
    [
      'two of one id',
      ({ images }) => [1, 2].map(() => images.prepare('f', 1, { id: 'a' })),
      /jobs\[1\] has the id of jobs\[0\]/,
    ],
    [
      'one of another root',
      ({ images }) => [images.prepare('f'), setUp().images.prepare('f')],
      /jobs\[1\] was prepared by a queue of another root/,
    ],
    [
      'a parent behind its child',
      ({ images }) => {
        const parent = images.prepare('f');
        return [images.prepare('g', 1, { dependsOn: parent }), parent];
      },
      /jobs\[0\] waits for jobs\[1\], which stands behind it/,
    ],
    [
      'a parent behind its child, named by its id',
      ({ images }) => [
        images.prepare('f'),
        images.prepare('g', 1, { dependsOn: 'a' }),
        images.prepare('f', 1, { id: 'a' }),
      ],
      /jobs\[1\] waits for jobs\[2\]/,
    ],
    [
      'a child without its parent',
      ({ images }) => [images.prepare('g', 1, { dependsOn: images.prepare('f') })],
      /jobs\[0\]\.dependsOn names job "\w+", which is prepared and not enqueued/,
    ],
  ])('cannot be %s', async (_what, jobsOf, message) => {
    const scene = setUp();
    const call = scene.enqueue(jobsOf(scene) as PreparedJob[]);
    await expect(call).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(call).rejects.toThrow(message);
    expect(scene.noting.calls).toEqual([]);
  });

  it('are enqueued once', async () => {
    const { images, enqueue, noting } = setUp();
    const job = images.prepare('f');
    const first = enqueue([job]);
    await expect(enqueue([job])).rejects.toThrow(/jobs\[0\] was enqueued before/);
    await first;
    await expect(images.enqueueMany([job])).rejects.toThrow(/jobs\[0\] was enqueued before/);
    expect(noting.calls).toHaveLength(1);
  });

  it('may wait for what was enqueued before', async () => {
    const { images, enqueue, noting } = setUp();
    const parent = images.prepare('f');
    await enqueue([parent]);
    await enqueue([images.prepare('g', 1, { dependsOn: parent })]);
    await images.enqueue('g', 1, { dependsOn: [parent, parent.handle().id + 'x'] });
    expect(noting.calls.slice(1).map(([job]) => job?.waitsFor?.jobs[0])).toEqual([
      parent.id,
      parent.id,
    ]);
  });

  it('can be enqueued after all when the first try was refused', async () => {
    const { images, enqueue, noting } = setUp();
    const job = images.prepare('f', 1, { id: 'a', unique: true });
    noting.answer = () => [{ index: 0, reason: 'duplicate', holder: undefined }];
    await expect(enqueue([job])).rejects.toThrow('Job "a" exists already (enqueued as unique');
    noting.answer = () => [];
    await enqueue([job]);
  });

  it('are refused as a whole when the id of a parent is taken', async () => {
    const { images, enqueue, noting } = setUp();
    const parent = images.prepare('f', 1, { id: 'a' });
    const child = images.prepare('g', 1, { id: 'b', dependsOn: parent });
    noting.answer = () => [{ index: 0, reason: 'duplicate', holder: undefined }];
    const call = enqueue([parent, child]);
    await expect(call).rejects.toBeInstanceOf(DuplicateJobError);
    await expect(call).rejects.toThrow(
      'Job "a" exists already on queue "images", and job "b" of the same call was to wait for it',
    );
  });

  it('are repeated as they are when nobody knows whether they were stored', async () => {
    const { images, enqueue, noting } = setUp();
    const jobs = [images.prepare('f'), images.prepare('f', 1, { id: 'a' })];
    noting.answer = uncertain;
    const call = enqueue(jobs);
    await expect(call).rejects.toMatchObject({ jobIds: jobs.map(({ id }) => id) });
    await expect(call).rejects.toThrow('repeat it with the same prepared jobs');
    noting.answer = () => [{ index: 0, reason: 'exists', holder: undefined }];
    await enqueue(jobs);
    // What the lost call has stored is left alone.
    expect(noting.calls.map((call) => call.map(({ id, check }) => `${id} ${check}`))).toEqual([
      [`${jobs[0]?.id} new`, 'a once'],
      [`${jobs[0]?.id} once`, 'a once'],
    ]);
    await expect(enqueue(jobs)).rejects.toThrow(/was enqueued before/);
  });
});

describe('jobs that wait for a prepared one', () => {
  const call: [
    string,
    (scene: ReturnType<typeof setUp>, options: JobOptions) => Promise<unknown>,
  ][] = [
    ['enqueue', ({ images }, options) => images.enqueue('g', 1, options)],
    ['enqueueIn', ({ images }, options) => images.enqueueIn(5, 'g', 1, options)],
    ['enqueueAt', ({ images }, options) => images.enqueueAt(new Date(), 'g', 1, options)],
    ['enqueueCall', ({ images }, options) => images.enqueueCall('a.b', {}, options)],
    ['enqueueMany', ({ images }, options) => images.enqueueMany([{ name: 'g', options }])],
  ];

  it.each(call)('%s refuses one that is not enqueued', async (_name, enqueue) => {
    const scene = setUp();
    const refused = enqueue(scene, { dependsOn: scene.mail.prepare('f') });
    await expect(refused).rejects.toThrow(/names job "\w+", which is prepared and not enqueued/);
    expect(scene.noting.calls).toEqual([]);
  });

  it.each(call)('%s refuses one of another root, and a handle of one', async (_name, enqueue) => {
    const scene = setUp();
    for (const parent of [setUp().mail.prepare('f'), setUp().mail.job('a')]) {
      await expect(enqueue(scene, { dependsOn: ['b', parent] })).rejects.toThrow(/another root/);
    }
    expect(scene.noting.calls).toEqual([]);
  });
});

describe('enqueueMany of a queue', () => {
  it('takes prepared jobs beside those with data', async () => {
    const { images, mail, noting } = setUp();
    const parent = images.prepare('f', 1);
    const child = mail.prepare('h', 1, { dependsOn: [parent] });
    const item = { name: 'g', data: 5, options: { id: 'a', dependsOn: parent } };
    const handles = await images.enqueueMany([parent, item, child]);
    expect(noting.calls).toMatchObject([
      [
        { queue: 'images', id: parent.id },
        { queue: 'images', id: 'a', waitsFor: { jobs: [parent.id] } },
        { queue: 'mail', waitsFor: { jobs: [parent.id] } },
      ],
    ]);
    expect(handles.map(({ queue }) => queue)).toEqual(['images', 'images', 'mail']);
  });

  it('names the place of a job whose parent stands behind it', async () => {
    const { images } = setUp();
    const jobs = [
      { name: 'g', options: { dependsOn: 'a' } },
      { name: 'f', options: { id: 'a' } },
    ];
    await expect(images.enqueueMany(jobs)).rejects.toThrow(
      'enqueueMany on queue "images": jobs[0] waits for jobs[1], which stands behind it',
    );
  });

  it('goes in slices, and lets the rest be enqueued again', async () => {
    const { images, noting } = setUp();
    const jobs = Array.from({ length: 1500 }, () => images.prepare('f'));
    noting.answer = () => (noting.calls.length > 1 ? uncertain() : []);
    await expect(images.enqueueMany(jobs)).rejects.toBeInstanceOf(EnqueueManyError);
    noting.answer = () => [];
    await expect(images.enqueueMany(jobs)).rejects.toThrow(/jobs\[0\] was enqueued before/);
    await images.enqueueMany(jobs.slice(1000));
    expect(noting.calls.map((call) => call.length)).toEqual([1000, 500, 500]);
  });
});
