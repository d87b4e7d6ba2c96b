import { Controller, Injectable, Module } from '@nestjs/common';
import { DuplicateHandlerError, InvalidOptionError, Job, type JobHandlerOptions } from 'nestjs-rq';
import { explored, refusal } from './support/explored.js';

abstract class Base {
  @Job('q')
  inherited() {
    return this.constructor.name;
  }

  @Job('q')
  overridden() {
    return 'base';
  }
}

@Injectable()
class Child extends Base {
  override overridden() {
    return 'child';
  }
}

class Made {
  constructor(private readonly value: number) {}

  @Job('q')
  made() {
    return this.value;
  }
}

@Injectable()
class Plain {
  @Job('q')
  plain() {
    return 'plain';
  }

  notAJob() {}
}

it('handlers are found in classes, what they inherit, factories, values and under tokens', async () => {
  class Given extends Made {
    @Job('q')
    given() {
      return 'given';
    }
    override made() {
      return 0;
    }
  }
  const jobs = await explored({
    providers: [
      Child,
      Plain,
      { provide: 'MADE', useFactory: () => Promise.resolve(new Made(5)) },
      { provide: 'GIVEN', useValue: new Given(1) },
    ],
  });
  expect(jobs.handlers.names('q').toSorted()).toEqual(['given', 'inherited', 'made', 'plain']);
  expect(await jobs.run('inherited')).toBe('Child');
  expect(await jobs.run('made')).toBe(5);
  expect(await jobs.run('given')).toBe('given');
  await jobs.close();
});

it('a provider that useExisting gives a second token is found once', async () => {
  const jobs = await explored({
    providers: [Plain, { provide: 'ALIAS', useExisting: Plain }],
  });
  expect(jobs.handlers.names('q')).toEqual(['plain']);
  await jobs.close();
});

it('providers that are no objects of a class disturb nothing', async () => {
  const jobs = await explored({
    providers: [
      Plain,
      { provide: 'NULL', useValue: null },
      { provide: 'UNDEFINED', useFactory: () => undefined },
      { provide: 'BARE', useValue: Object.create(null) },
      { provide: 'NUMBER', useValue: 5 },
      { provide: 'TEXT', useFactory: () => 'text' },
      { provide: 'FUNCTION', useValue: () => 5 },
    ],
  });
  expect(jobs.handlers.names('q')).toEqual(['plain']);
  await jobs.close();
});

it('names default to the method, and a method may handle several queues and names', async () => {
  class Many {
    declare readonly jobNames: { work: 'work'; other: 'work' };

    @Job('a')
    @Job({ queue: 'a', name: 'other' })
    @Job({ queue: 'b' })
    work() {}
  }
  const jobs = await explored({ providers: [Many] });
  expect(jobs.handlers.queues().toSorted()).toEqual(['a', 'b']);
  expect(jobs.handlers.names('a').toSorted()).toEqual(['other', 'work']);
  expect(jobs.handlers.names('b')).toEqual(['work']);
  await jobs.close();
});

it('a handler of a root that the application has not is an error', async () => {
  class Reports {
    @Job({ queue: 'q', root: 'reports' })
    work() {}
  }
  const error = await refusal({ providers: [Reports] });
  expect(error).toBeInstanceOf(InvalidOptionError);
  expect(error.message).toMatch(/Reports\.work.*root needs RqModule\.forRoot.*"reports"/);
});

it('two handlers for one name on one queue are an error that names both', async () => {
  class One {
    declare readonly jobNames: { work: 'first' };

    @Job({ queue: 'q', name: 'work' })
    first() {}
  }
  class Two {
    @Job('q')
    work() {}
  }
  const error = await refusal({ providers: [One, Two] });
  expect(error).toBeInstanceOf(DuplicateHandlerError);
  expect(error.message).toMatch(/"work" on queue "q": One\.first .* and Two\.work /);
});

it('a class that two modules provide is told by its modules', async () => {
  @Module({ providers: [Plain] })
  class First {}
  @Module({ providers: [Plain] })
  class Second {}
  const error = await refusal({ imports: [First, Second] });
  expect(error.message).toContain('Plain.plain in First and Plain.plain in Second');
});

it('@Job on a controller is an error', async () => {
  @Controller()
  class Pages {
    @Job('q')
    work() {}
  }
  const error = await refusal({ controllers: [Pages] });
  expect(error.message).toMatch(/Pages\.work.*controller.*provider/);
});

it.each<[string, object]>([
  ['queue', { queue: 'a,b' }],
  ['queue', {}],
  ['name', { queue: 'q', name: '' }],
  ['retries', { queue: 'q', retries: 3 }],
  ['retry.max', { queue: 'q', retry: { max: -1 } }],
  ['retry.maximum', { queue: 'q', retry: { maximum: 3 } }],
  ['timeout', { queue: 'q', timeout: 'soon' }],
  ['timeout', { queue: 'q', timeout: 0 }],
  ['concurrency', { queue: 'q', concurrency: 0 }],
])('an impossible %s is an error that names it and the method', async (option, options) => {
  class Bad {
    @Job(options as JobHandlerOptions)
    work() {}
  }
  const error = await refusal({ providers: [Bad] });
  expect(error).toBeInstanceOf(InvalidOptionError);
  expect((error as InvalidOptionError).option).toBe(option);
  expect(error.message).toContain('Bad.work');
});

it('@Job belongs on instance methods with ordinary names', () => {
  const symbol = Symbol('work');
  expect(() => {
    class Static {
      @Job('q')
      static work() {}
    }
    return Static;
  }).toThrow(/@Job on Static\.work/);
  expect(() => {
    class Named {
      @Job('q')
      [symbol]() {}
    }
    return Named;
  }).toThrow(TypeError);
});
