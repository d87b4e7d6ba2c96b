// A method that another decorator has replaced is found all the same, and the function in its place is what runs.
import { type CanActivate, Injectable, UseGuards, UseInterceptors } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { CurrentJob, Job, JobData, RqContext, type RunningJob } from 'nestjs-rq';
import { map } from 'rxjs';
import { explored } from './support/explored.js';

const calls: string[] = [];
beforeEach(() => {
  calls.length = 0;
});

/** A decorator as tracers have it: another function takes the place of the method. */
const Traced = (name = 'traced'): MethodDecorator =>
  ((_: object, __: string, descriptor: PropertyDescriptor) => {
    const inner = descriptor.value as (...args: unknown[]) => unknown;
    descriptor.value = function (this: unknown, ...args: unknown[]) {
      calls.push(name);
      return inner.apply(this, args);
    };
  }) as MethodDecorator;

/** Gives each instance its own bound function, by a getter. */
const Bound: MethodDecorator = ((_: object, key: string, { value }: PropertyDescriptor) => ({
  configurable: true,
  get(this: object) {
    const bound = (value as () => unknown).bind(this);
    Object.defineProperty(this, key, { value: bound });
    return bound;
  },
})) as never;

@Injectable()
class Refuse implements CanActivate {
  canActivate() {
    return false;
  }
}

@Injectable()
class Note implements CanActivate {
  canActivate() {
    calls.push('guard');
    return true;
  }
}

const Double = {
  intercept: (_: unknown, next: { handle(): never }) =>
    (next.handle() as ReturnType<typeof map> & never as any).pipe(
      map((value: number) => value * 2),
    ),
};

describe('a method that another decorator has replaced', () => {
  class Replaced {
    declare readonly jobNames: { second: 'between'; first: 'between' };
    readonly factor = 3;

    @Traced()
    @Job('q')
    above(data: number) {
      return data * this.factor;
    }

    @Job('q')
    @Traced()
    below(data: number) {
      return data * this.factor;
    }

    @Job({ queue: 'q', name: 'second' })
    @Traced()
    @Job({ queue: 'q', name: 'first' })
    between() {
      return 'between';
    }

    @Bound
    @Job('q')
    bound(data: number) {
      return data * this.factor;
    }

    @Traced()
    @UseGuards(Refuse)
    @Job('q')
    guarded() {
      return 'never';
    }

    @UseGuards(Note)
    @Traced()
    @UseGuards(Refuse)
    @Job('q')
    guardedTwice() {
      return 'never';
    }

    @Bound
    @UseGuards(Refuse)
    @Job('q')
    guardedAndBound() {
      return 'never';
    }

    @Traced()
    @Job('q')
    parameters(@CurrentJob() job: RunningJob, @JobData('width') width: number) {
      return `${job.name} ${width}`;
    }

    @Traced()
    @UseInterceptors(Double)
    @Job('q')
    doubled(data: number) {
      return data;
    }
  }

  class Inheriting extends Replaced {}

  class Overriding extends Replaced {
    override above() {
      return 0;
    }
  }

  class InConstructor {
    constructor() {
      this.own = this.own.bind(this);
    }

    @UseGuards(Refuse)
    @Job('q')
    own() {
      return 'never';
    }
  }

  it('is found, and the function in its place is what runs', async () => {
    const jobs = await explored({ providers: [Replaced, Reflector] });
    expect(jobs.handlers.names('q').toSorted()).toEqual(
      [
        'above',
        'below',
        'bound',
        'doubled',
        'first',
        'guarded',
        'guardedAndBound',
        'guardedTwice',
        'parameters',
        'second',
      ].toSorted(),
    );
    expect(await jobs.run('above', 2)).toBe(6);
    expect(await jobs.run('below', 2)).toBe(6);
    expect(await jobs.run('bound', 2)).toBe(6);
    expect(await jobs.run('first')).toBe('between');
    expect(calls).toEqual(['traced', 'traced', 'traced']);
    expect(await jobs.run('parameters', { width: 5 })).toBe('parameters 5');
    expect(await jobs.run('doubled', 4)).toBe(8);
    await jobs.close();
  });

  it.each(['guarded', 'guardedTwice', 'guardedAndBound'])(
    'keeps the guards that stand below: %s',
    async (name) => {
      const jobs = await explored({ providers: [Replaced] });
      await expect(jobs.run(name)).rejects.toThrow(/Forbidden/);
      expect(calls).toEqual([]);
      await jobs.close();
    },
  );

  it('keeps them when the constructor has bound it', async () => {
    const jobs = await explored({ providers: [InConstructor] });
    await expect(jobs.run('own')).rejects.toThrow(/Forbidden/);
    await jobs.close();
  });

  it('is inherited; an override without a decorator is no handler', async () => {
    const inherited = await explored({ providers: [Inheriting] });
    expect(await inherited.run('above', 2)).toBe(6);
    await inherited.close();
    const overridden = await explored({ providers: [Overriding] });
    expect(overridden.handlers.names('q')).not.toContain('above');
    expect(await overridden.run('bound', 2)).toBe(6);
    await overridden.close();
  });
});

it('what handlers find in their context is that of the replaced method', async () => {
  const Roles = Reflector.createDecorator<string[]>();
  class Check implements CanActivate {
    canActivate(context: never) {
      const handler = (context as { getHandler(): () => void }).getHandler();
      calls.push(String(new Reflector().get(Roles, handler)));
      return RqContext.of(context).job.name === 'work';
    }
  }
  class Jobs {
    @Traced()
    @Roles(['admin'])
    @UseGuards(new Check())
    @Job('q')
    work() {
      return 'done';
    }
  }
  const jobs = await explored({ providers: [Jobs] });
  expect(await jobs.run('work')).toBe('done');
  expect(calls).toEqual(['admin', 'traced']);
  await jobs.close();
});
