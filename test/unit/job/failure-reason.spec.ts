import { inspect } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { describeFailure, FAILURE_TEXT_LIMIT, FailJob } from '../../../lib/job/index.js';

const bytes = (text: string) => Buffer.byteLength(text);

describe('a thrown error', () => {
  it('is described by class, message and stack', () => {
    const failure = describeFailure(new TypeError('no such image'));
    expect(failure).toMatchObject({ name: 'TypeError', message: 'no such image' });
    expect(failure.stack).toMatch(/^TypeError: no such image\n {4}at .*failure-reason\.spec/);
  });

  it('is named by its class when the class forgot to set a name', () => {
    class ImageGoneError extends Error {}
    const failure = describeFailure(new ImageGoneError('gone'));
    expect(failure.name).toBe('ImageGoneError');
    expect(failure.stack).toMatch(/^ImageGoneError: gone\n {4}at /);
  });

  it('shows the message it has now, not the one of when its stack was taken', () => {
    const error = new Error('before');
    expect(error.stack).toContain('before');
    error.message = 'after';
    const { message, stack } = describeFailure(error);
    expect(message).toBe('after');
    expect(stack).toMatch(/^Error: after\n {4}at /);
  });

  it('has one line of message, all lines in the text', () => {
    const failure = describeFailure(new Error('first\n    at second (x)\r\n\tthird'));
    expect(failure.message).toBe('first at second (x) third');
    expect(failure.stack).toContain('first\n    at second (x)');
    expect(failure.stack).toMatch(/third\n {4}at .*failure-reason\.spec/);
  });

  it('may have no message: then its system code, or a word about it', () => {
    expect(describeFailure(new Error()).message).toBe('(no message)');
    const refused = Object.assign(new AggregateError([new Error('connect ::1:1')]), {
      code: 'ECONNREFUSED',
    });
    expect(describeFailure(refused)).toMatchObject({
      name: 'AggregateError',
      message: 'ECONNREFUSED',
    });
    expect(describeFailure(refused).stack).toContain('One of its errors: Error: connect ::1:1');
  });

  it('may come from another realm', () => {
    const foreign: unknown = runInContext(`new RangeError('far')`, createContext({}));
    const failure = describeFailure(foreign);
    expect(failure).toMatchObject({ name: 'RangeError', message: 'far' });
    expect(failure.stack).toMatch(/^RangeError: far\n {4}at /);
  });

  it('may be one of ours', () => {
    expect(describeFailure(new FailJob('gone'))).toMatchObject({
      name: 'FailJob',
      message: 'gone',
    });
  });

  it('may have a stack of another kind, or none', () => {
    const python = Object.assign(new Error('x'), { stack: 'Traceback: line 1' });
    expect(describeFailure(python).stack).toBe('Error: x\nTraceback: line 1');
    const short = Object.assign(new Error('x'), { stack: 'Error: x' });
    expect(describeFailure(short).stack).toBe('Error: x');
    const without = Object.assign(new Error('x'), { stack: undefined });
    expect(describeFailure(without).stack).toMatch(/^Error: x\n {4}\(no stack/);
  });

  it('does not tell its other fields, which may be secret', () => {
    const error = Object.assign(new Error('401'), {
      config: { headers: { authorization: 'hunter2' } },
    });
    expect(JSON.stringify(describeFailure(error))).not.toContain('hunter2');
    const invalid = Object.assign(new Error('400'), {
      errors: [{ property: 'password', value: 'hunter2' }],
    });
    expect(JSON.stringify(describeFailure(invalid))).not.toContain('hunter2');
  });
});

describe('what an HTTP exception refused', () => {
  class BadRequestException extends Error {
    override readonly name = 'BadRequestException';

    constructor(readonly getResponse: unknown) {
      super('Bad Request Exception');
    }
  }
  const refusal = (message: unknown) => new BadRequestException(() => ({ message, error: 'x' }));
  const plain = 'Bad Request Exception';

  it('is part of its message and its text', () => {
    const error = refusal(['path must be a string', 'width must be\n    at least 1']);
    const { message, stack } = describeFailure(error);
    expect(message).toBe(`${plain}: path must be a string; width must be at least 1`);
    expect(stack).toMatch(
      /^BadRequestException: Bad Request Exception: path must be a string; width must be\n {4}at least 1\n {4}at .*failure-reason\.spec/,
    );
    expect(stack.match(/Bad Request/g)).toHaveLength(1);
  });

  it('is limited', () => {
    const { message, stack } = describeFailure(refusal(Array(100_000).fill('x'.repeat(10_000))));
    expect(message.length).toBeLessThan(1100);
    expect(bytes(stack)).toBeLessThanOrEqual(FAILURE_TEXT_LIMIT);
  });

  it('is left out when it is no list of texts', () => {
    expect(describeFailure(refusal(plain)).message).toBe(plain);
    expect(describeFailure(refusal([])).message).toBe(plain);
    expect(describeFailure(refusal([{ password: 'hunter2' }, 5, null, ''])).message).toBe(plain);
    expect(describeFailure(refusal([{ secret: 1 }, 'b is wrong'])).message).toBe(
      `${plain}: b is wrong`,
    );
  });

  it('is left out when it cannot be read', () => {
    const hostile = new Proxy([], {
      get() {
        throw new Error('no');
      },
    });
    const throwing = () => {
      throw new Error('no');
    };
    for (const getResponse of [throwing, () => hostile, () => undefined, 'text', null]) {
      expect(describeFailure(new BadRequestException(getResponse)).message).toBe(plain);
    }
    expect(describeFailure(refusal(hostile)).message).toBe(plain);
    const response = { data: 'hunter2', message: ['hunter2'] };
    expect(describeFailure(Object.assign(new Error('401'), { response })).message).toBe('401');
  });
});

describe('causes', () => {
  it('are described after the error', () => {
    const cause = new TypeError('inner', { cause: 'the cable' });
    const { stack } = describeFailure(new Error('outer', { cause }));
    expect(stack).toMatch(
      /^Error: outer\n[^]*\nCaused by: TypeError: inner\n[^]*\nCaused by: Error: the cable\n/,
    );
  });

  it('may go in a circle', () => {
    const error = new Error('a');
    error.cause = new Error('b', { cause: error });
    expect(describeFailure(error).stack).toMatch(
      /Caused by: Error: b\n[^]*Caused by: \(already shown above\)$/,
    );
  });

  it('may be a tree of thousands', () => {
    const tree = (depth: number): Error =>
      depth === 0
        ? new Error('leaf')
        : new AggregateError(
            Array.from({ length: 4 }, () => tree(depth - 1)),
            `level ${depth}`,
          );
    const { stack } = describeFailure(tree(6), 1_000_000);
    expect(stack).toContain('(not shown: too many errors)');
    expect(stack.match(/Error: /g)!.length).toBeLessThan(100);
  });

  it('may be a chain of thousands', () => {
    let error = new Error('root');
    for (let depth = 0; depth < 5000; depth += 1) {
      error = new Error(`level ${depth}`, { cause: error });
    }
    expect(describeFailure(error).message).toBe('level 4999');
  });
});

describe('what is thrown instead of an error', () => {
  const circular: Record<string, unknown> = { kind: 'circular' };
  circular['self'] = circular;

  it.each<[unknown, string, RegExp]>([
    [undefined, 'Error', /^undefined was thrown, which is no Error$/],
    [null, 'Error', /^null was thrown/],
    ['no such image', 'Error', /^no such image$/],
    ['', 'Error', /^\(an empty text was thrown\)$/],
    [42, 'Error', /^42 was thrown/],
    [NaN, 'Error', /^NaN was thrown/],
    [10n, 'Error', /^10n was thrown/],
    [true, 'Error', /^true was thrown/],
    [Symbol('s'), 'Error', /^Symbol\(s\) was thrown/],
    [function boom() {}, 'Error', /^\[Function: boom\] was thrown/],
    [{ status: 500, headers: { token: 'x' } }, 'Error', /^\{ status: 500, headers: \[Object\] \}/],
    [[1, 2], 'Error', /^\[ 1, 2 \] was thrown/],
    [circular, 'Error', /kind: 'circular', self: \[Circular/],
    [Object.create(null), 'Error', /^\[Object: null prototype\] \{\} was thrown/],
    [Promise.resolve(), 'Error', /^a Promise was thrown/],
    [{ message: 'like an error', name: 'HttpError' }, 'HttpError', /^like an error$/],
    [{ message: 'like an error' }, 'Error', /^like an error$/],
    [{ message: 5 }, 'Error', /^\{ message: 5 \} was thrown/],
  ])('%p is described readably', (thrown, name, message) => {
    const failure = describeFailure(thrown);
    expect(failure.name).toBe(name);
    expect(failure.message).toMatch(message);
    expect(failure.stack).toMatch(/\n {4}\(no stack: throw an Error to get one\)$/);
  });
});

describe('what resists being described', () => {
  const refuse = () => {
    throw new Error('hands off');
  };
  const everyTrap = Object.fromEntries(
    Object.getOwnPropertyNames(Reflect).map((trap) => [trap, refuse]),
  );
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const revokedArray = Proxy.revocable([], {});
  revokedArray.revoke();
  const throwingGetters = (target: object) =>
    Object.defineProperties(
      target,
      Object.fromEntries(
        ['stack', 'name', 'message', 'cause', 'errors', 'code', 'constructor'].map((key) => [
          key,
          { get: refuse, enumerable: true },
        ]),
      ),
    );
  class Unspeakable {
    get [Symbol.toStringTag](): string {
      return refuse();
    }
    toString = refuse;
    toJSON = refuse;
    [inspect.custom] = refuse;
    [Symbol.toPrimitive] = refuse;
  }

  it.each<[string, unknown]>([
    ['a frozen error', Object.freeze(new Error('frozen'))],
    ['a revoked proxy', revoked.proxy],
    ['a proxy that refuses everything', new Proxy({}, everyTrap)],
    ['a proxy of an error that refuses everything', new Proxy(new Error('x'), everyTrap)],
    ['throwing getters on an object', throwingGetters({})],
    ['throwing getters on an error', throwingGetters(new Error('x'))],
    ['an object whose toString throws', new Unspeakable()],
    ['a cause that refuses', new Error('x', { cause: new Proxy({}, everyTrap) })],
    ['errors that refuse', Object.assign(new Error('x'), { errors: revokedArray.proxy })],
    ['errors that refuse one by one', Object.assign(new Error('x'), { errors: [revoked.proxy] })],
    ['fields of wrong types', Object.assign(new Error('x'), { name: 5, message: {}, stack: 7n })],
    ['errors that are no list', Object.assign(new Error('x'), { errors: { length: 1e9 } })],
    ['a huge sparse list of errors', Object.assign(new Error('x'), { errors: Array(1e9) })],
  ])('%s is described all the same', (_, thrown) => {
    const { name, message, stack } = describeFailure(thrown);
    for (const text of [name, message, stack]) {
      expect(typeof text).toBe('string');
      expect(text).not.toBe('');
    }
  });
});

describe('the size of a description', () => {
  it('is limited in bytes, whatever the characters', () => {
    for (const filler of ['x', 'ä', '漢', '😀', '\ud800', '\n', '    at x\n']) {
      const failure = describeFailure(new Error(filler.repeat(50_000)));
      expect(bytes(failure.stack)).toBeLessThanOrEqual(FAILURE_TEXT_LIMIT);
      expect(failure.message.length).toBeLessThanOrEqual(1001);
      expect(bytes(describeFailure(filler.repeat(50_000)).stack)).toBeLessThanOrEqual(
        FAILURE_TEXT_LIMIT,
      );
    }
  });

  it('says that it was cut, and keeps the stack of an error with a huge message', () => {
    const { stack } = describeFailure(new Error('x'.repeat(1_000_000)));
    expect(stack).toMatch(/x…\n {4}at .*failure-reason\.spec/);
    const causes = Array.from({ length: 10 }, () => new Error('y'.repeat(10_000)));
    expect(describeFailure(new AggregateError(causes)).stack).toMatch(/\n… \(cut\)$/);
  });

  it('is an option', () => {
    for (const limit of [0, 1, 5, 100, 1000]) {
      const { stack } = describeFailure(new Error('漢'.repeat(5000)), limit);
      expect(bytes(stack)).toBeLessThanOrEqual(limit);
    }
  });

  it('leaves out what would harm a terminal or a log', () => {
    const { name, message, stack } = describeFailure(
      Object.assign(new Error('\u001b[31mred\u001b[0m \u0000\u0007 line\r\nnext'), {
        name: 'Bad\nName',
      }),
    );
    expect(name).toBe('Bad Name');
    expect(message).toBe('red line next');
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(stack).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
  });
});
