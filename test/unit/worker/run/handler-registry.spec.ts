import { DuplicateHandlerError, InvalidOptionError } from '../../../../lib/job/index.js';
import { type Handler, HandlerRegistry } from '../../../../lib/worker/run/handler-registry.js';

const handler = (parts: Partial<Handler> = {}): Handler => ({
  queue: 'images',
  name: 'resize',
  owner: 'ImageJobs.resize',
  run: () => undefined,
  ...parts,
});

function registryWith(...handlers: Handler[]): HandlerRegistry {
  const registry = new HandlerRegistry();
  for (const one of handlers) registry.register(one);
  return registry;
}

describe('the registry of handlers', () => {
  it('finds a handler by queue and name, and nothing else', () => {
    const registry = registryWith(handler(), handler({ queue: 'mail', name: 'send' }));

    expect(registry.queues()).toEqual(['images', 'mail']);
    expect(registry.names('images')).toEqual(['resize']);
    expect(registry.names('other')).toEqual([]);
    expect(registry.find('images', 'resize')?.owner).toBe('ImageJobs.resize');
    for (const name of ['send', '__proto__', 'constructor', 'toString', 'ImageJobs.resize', '']) {
      expect(registry.find('images', name)).toBeUndefined();
      expect(registry.find(name, 'resize')).toBeUndefined();
    }
  });

  it('names both owners when two want the same job', () => {
    const second = () => registryWith(handler(), handler({ owner: 'ThumbnailJobs.resize' }));
    expect(second).toThrow(DuplicateHandlerError);
    expect(second).toThrow(
      /"resize" on queue "images": ImageJobs\.resize and ThumbnailJobs\.resize/,
    );
    expect(() => registryWith(handler(), handler({ queue: 'mail' }))).not.toThrow();
  });

  it.each<[Partial<Handler>, RegExp]>([
    [{ concurrency: 0 }, /ImageJobs\.resize: concurrency must be a whole number/],
    [{ concurrency: 1.5 }, /concurrency must be a whole number/],
    [{ concurrency: NaN }, /concurrency must be a whole number/],
    [{ concurrency: '5' as unknown as number }, /concurrency must be a whole number/],
    [{ timeout: 0 }, /ImageJobs\.resize: timeout must be above 0/],
    [{ timeout: -5 }, /timeout must not be negative/],
    [{ timeout: 'soon' }, /timeout must be a duration/],
    [{ retry: { max: 0 } }, /ImageJobs\.resize: retry\.max must be a whole number/],
    [{ retry: { max: 1, maxx: 2 } as object }, /retry\.maxx is not an option/],
    [{ retry: { max: 1, on: [] } }, /retry\.on must be a list of error classes/],
    [{ queue: 'a,b' }, /queue must not contain a comma/],
    [{ name: '' }, /name must be text/],
  ])('refuses %j', (parts, message) => {
    const register = () => registryWith(handler(parts));
    expect(register).toThrow(InvalidOptionError);
    expect(register).toThrow(message);
  });

  it('keeps nothing of a handler that it refused', () => {
    const registry = new HandlerRegistry();
    expect(() => registry.register(handler({ concurrency: -1 }))).toThrow(InvalidOptionError);
    expect(registry.queues()).toEqual([]);
    registry.register(handler());
    expect(registry.names('images')).toEqual(['resize']);
  });

  it('resolves what a handler says', () => {
    const registry = registryWith(
      handler({ timeout: '2s', concurrency: 3, retry: { max: 2, interval: 5, on: [TypeError] } }),
      handler({ name: 'plain' }),
      handler({ name: 'endless', timeout: false }),
    );
    expect(registry.find('images', 'resize')).toMatchObject({
      timeout: 2000,
      limits: { perWorker: 3 },
      retry: { max: 2, intervals: [5] },
      retryFilter: { on: [TypeError] },
    });
    expect(registry.find('images', 'plain')).toMatchObject({ gate: undefined });
    expect(registry.find('images', 'plain')).not.toHaveProperty('retry.max');
    expect(registry.find('images', 'endless')?.timeout).toBe(-1);
  });

  it('knows which errors are nonRetryable also of a handler that says nothing of retries', () => {
    const nonRetryable = [TypeError];
    const registry = registryWith(
      handler({ nonRetryable }),
      handler({ name: 'patient', nonRetryable, retry: { max: 1, except: [] } }),
    );
    expect(registry.find('images', 'resize')).toMatchObject({
      retry: undefined,
      retryFilter: { nonRetryable },
    });
    expect(registry.find('images', 'patient')?.retryFilter).toEqual({ except: [] });
  });

  it('keeps the handler as it was registered, with its `this`', () => {
    const own = {
      ...handler(),
      greeting: 'hello',
      run(this: { greeting: string }) {
        return this.greeting;
      },
    };
    const found = registryWith(own).find('images', 'resize');
    const { run } = found ?? {};
    expect(run?.(undefined, undefined as never)).toBe('hello');
  });
});
