import {
  assertJobId,
  assertJobName,
  assertQueueName,
  InvalidOptionError,
} from '../../../lib/job/index.js';

const notText = [undefined, null, 5, {}, ['images'], Symbol('images'), ''];
const unprintable = ['a\nb', 'a\0b', '\u001b[31m', 'a\u007fb', 'a\u2028b', 'a\ud800b'];

describe('a queue name', () => {
  it.each(['images', 'a', 'high-priority', 'team:images', 'größe 1', 'x'.repeat(200), '{tag}'])(
    'may be %j',
    (name) => {
      expect(() => assertQueueName(name)).not.toThrow();
    },
  );

  it.each([
    ...notText,
    ...unprintable,
    'x'.repeat(201),
    'a,b',
    ' a',
    'a ',
    'images:intermediate',
    ':intermediate',
  ])('may not be %p', (name) => {
    expect(() => assertQueueName(name)).toThrow(InvalidOptionError);
    expect(() => assertQueueName(name)).toThrow(/^queue must /);
  });

  it('is refused with the place where it was given', () => {
    expect(() => assertQueueName('a,b', 'ImageJobs.processImage')).toThrow(
      'ImageJobs.processImage: queue must not contain a comma (RQ separates queue names with it), got "a,b"',
    );
  });
});

describe('a job id', () => {
  it.each(['1', 'b7e2-41', 'A_b-9', 'x'.repeat(200)])('may be %j', (id) => {
    expect(() => assertJobId(id)).not.toThrow();
  });

  it.each([
    ...notText,
    ...unprintable,
    'a:b',
    'a b',
    'a.b',
    'ä',
    'a\n',
    'x'.repeat(201),
    ['id'],
    { toString: () => 'id' },
  ])('may not be %p, which would make a Python worker quit', (id) => {
    expect(() => assertJobId(id)).toThrow(InvalidOptionError);
    expect(() => assertJobId(id)).toThrow(/^id must /);
  });
});

describe('a job name', () => {
  it.each(['processImage', 'tasks.resize', '__proto__', 'constructor', 'größe', 'x'.repeat(500)])(
    'may be %j',
    (name) => {
      expect(() => assertJobName(name)).not.toThrow();
    },
  );

  it.each([...notText, ...unprintable, 'x'.repeat(501)])('may not be %p', (name) => {
    expect(() => assertJobName(name)).toThrow(InvalidOptionError);
    expect(() => assertJobName(name)).toThrow(/^name must /);
  });
});
