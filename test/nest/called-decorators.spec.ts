// A decorator that is not called, or not called as this library needs it, says so where the class is defined.
import { CurrentJob, InjectQueue, InjectRqService, Job, JobData, JobsOf, OnJob } from 'nestjs-rq';

describe('a decorator without parentheses', () => {
  // As JavaScript calls decorators: TypeScript refuses most of these.
  const onMethod = (decorator: unknown) => {
    class Target {
      method() {}
    }
    const descriptor = Object.getOwnPropertyDescriptor(Target.prototype, 'method');
    (decorator as (...args: unknown[]) => void)(Target.prototype, 'method', descriptor);
  };
  const onParameter = (decorator: unknown) => {
    class Target {
      method() {}
    }
    (decorator as (...args: unknown[]) => void)(Target.prototype, 'method', 0);
  };
  const onClass = (decorator: unknown) => {
    class Target {}
    (decorator as (...args: unknown[]) => void)(Target);
  };
  const onConstructor = (decorator: unknown) => {
    class Target {}
    (decorator as (...args: unknown[]) => void)(Target, undefined, 0);
  };

  it.each<[string, (decorator: unknown) => void, unknown]>([
    ["@Job('images')", onMethod, Job],
    ["@OnJob('failed')", onMethod, OnJob],
    ["@JobsOf('images')", onClass, JobsOf],
    ['@JobData()', onParameter, JobData],
    ['@CurrentJob()', onParameter, CurrentJob],
    ["@InjectQueue('images')", onConstructor, InjectQueue],
    ['@InjectRqService()', onConstructor, InjectRqService],
  ])('is a TypeError where the class is defined: %s', (example, apply, decorator) => {
    expect(() => apply(decorator)).toThrow(TypeError);
    expect(() => apply(decorator)).toThrow(`needs parentheses: write ${example}`);
  });

  it('and one in a project without the older decorators says which setting is missing', () => {
    const apply = Job('q') as unknown as (method: unknown, context: object) => void;
    expect(() => apply(() => undefined, { kind: 'method', name: 'resize' })).toThrow(
      /^@Job: it needs, .*"experimentalDecorators": true in tsconfig.json/,
    );
  });
});
