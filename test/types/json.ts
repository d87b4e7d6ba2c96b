import { Job, type JobResult, type Jsonified, type JsonInput, type Queue, Retry } from 'nestjs-rq';

/**
 * Compiled by `npm run typecheck`, never run. A line under `@ts-expect-error` must not compile: data and results are what
 * JSON makes of them, at both ends.
 */

type Same<Left, Right> =
  (<Type>() => Type extends Left ? 1 : 2) extends <Type>() => Type extends Right ? 1 : 2
    ? true
    : false;

/** Does not compile unless it is given `true`. */
export type Assert<Condition extends true> = Condition;

/** As class-validator's are: decorated fields, no methods. */
class ImageDto {
  path!: string;
  takenAt!: string;
  tags?: readonly string[];
}

interface Tree {
  name: string;
  children: Tree[];
}

type Shape = { kind: 'circle'; radius: number } | { kind: 'square'; side: number };

class Money {
  constructor(private readonly cents: number) {}

  toJSON(): string {
    return String(this.cents);
  }
}

class Point {
  x = 1;

  length(): number {
    return this.x;
  }
}

enum Size {
  Small = 'small',
  Large = 'large',
}

class Jobs {
  @Job('q')
  dto(_data: ImageDto): void {}

  @Job('q')
  tree(_data: Tree): void {}

  @Job('q')
  shape(_data: Shape): void {}

  @Job('q')
  size(_data: { size: Size; note: string | null; extra: unknown; rest: Record<string, unknown> }) {}

  @Job('q')
  pair(_data: [number, string]): void {}

  // Looks like an Error.
  @Job('q')
  report(_data: { name: string; message: string }): void {}

  @Job('q')
  price(_data: { amount: string }): void {}

  @Job('q')
  date(_data: { at: Date }): void {}

  @Job('q')
  dates(_data: { all: { at: Date }[] }): void {}

  @Job('q')
  map(_data: Map<string, number>): void {}

  @Job('q')
  set(_data: { ids: Set<string> }): void {}

  @Job('q')
  big(_data: { count: bigint }): void {}

  @Job('q')
  call(_data: { done: () => void }): void {}

  @Job('q')
  point(_data: Point): void {}

  @Job('q')
  money(_data: { amount: Money }): void {}

  @Job('q')
  holes(_data: (number | undefined)[]): void {}

  @Job('q')
  bytes(_data: { content: Uint8Array }): void {}

  @Job('q')
  async found() {
    return {
      at: new Date(),
      list: [new Date()],
      amount: new Money(5),
      cache: new Map([[1, 2]]),
      point: new Point(),
      maybe: undefined as Date | undefined,
      optional: {} as { at?: Date },
      nothing: undefined,
      shape: { kind: 'circle', radius: 1 } as Shape,
      tree: {} as Tree,
      free: {} as unknown,
      byName: {} as Record<string, Date>,
    };
  }

  @Job('q')
  maybe(): string | undefined {
    return undefined;
  }

  @Job('q')
  again() {
    return Math.random() < 0.5 ? Retry({ max: 3 }) : Math.random();
  }

  @Job('q')
  free(): any {}
}

export async function right(queue: Queue<Jobs>): Promise<void> {
  await queue.enqueue('dto', { path: '/a', takenAt: '2026-01-02' });
  // JSON makes text of it, and text is what the handler expects.
  await queue.enqueue('dto', { path: '/a', takenAt: new Date(), tags: ['x'] });
  await queue.enqueue('dto', new ImageDto());
  await queue.enqueue('tree', { name: 'a', children: [{ name: 'b', children: [] }] });
  await queue.enqueue('shape', { kind: 'square', side: 3 });
  await queue.enqueue('size', { size: Size.Large, note: null, extra: new Date(), rest: { a: 1 } });
  await queue.enqueue('pair', [1, 'a']);
  await queue.enqueue('report', { name: 'a', message: 'b' });
  await queue.enqueue('price', { amount: new Money(5) });
  await queue.enqueue('price', { toJSON: () => ({ amount: '5' }) });
}

export async function wrong(queue: Queue<Jobs>): Promise<void> {
  // @ts-expect-error -- misspelt
  await queue.enqueue('dto', { path: '/a', takenAt: '2026-01-02', tgas: [] });
  // @ts-expect-error -- a Date becomes text, no number
  await queue.enqueue('shape', { kind: 'square', side: new Date() });
  // @ts-expect-error -- JSON makes {} of a Map
  await queue.enqueue('dto', new Map());
  // @ts-expect-error -- text is not one of the sizes
  await queue.enqueue('size', { size: new Date(), note: null, extra: 1, rest: {} });
  // @ts-expect-error -- the second is text
  await queue.enqueue('pair', [1, 2]);
  // @ts-expect-error -- a Date arrives as text
  await queue.enqueue('date', { at: new Date() });
  // @ts-expect-error -- and what arrives would be no Date
  await queue.enqueue('date', { at: '2026-01-02' });
  // @ts-expect-error -- nor in a list
  await queue.enqueue('dates', { all: [{ at: new Date() }] });
  // @ts-expect-error -- a Map arrives as {}
  await queue.enqueue('map', new Map());
  // @ts-expect-error -- so does a Set
  await queue.enqueue('set', { ids: new Set(['a']) });
  // @ts-expect-error -- JSON has no bigint
  await queue.enqueue('big', { count: 1n });
  // @ts-expect-error -- a function does not travel
  await queue.enqueue('call', { done: () => undefined });
  // @ts-expect-error -- nor does a method
  await queue.enqueue('point', new Point());
  // @ts-expect-error -- what toJSON() gives arrives
  await queue.enqueue('money', { amount: new Money(5) });
  // @ts-expect-error -- undefined in a list arrives as null
  await queue.enqueue('holes', [1, undefined]);
  // @ts-expect-error -- bytes arrive as an object
  await queue.enqueue('bytes', { content: new Uint8Array(3) });
  // @ts-expect-error -- of enqueueMany, too
  await queue.enqueueMany([{ name: 'date', data: { at: new Date() } }]);
  // @ts-expect-error -- and of enqueueIn
  await queue.enqueueIn(5, 'date', { at: new Date() });
}

type Found = {
  at: string;
  list: string[];
  amount: string;
  cache: Record<string, never>;
  point: { x: number };
  maybe?: string;
  optional: { at?: string };
  shape: Shape;
  tree: Tree;
  free: unknown;
  byName: Record<string, string>;
};

export type Results = [
  Assert<Same<JobResult<Jobs, 'found'>['maybe'], string | undefined>>,
  Assert<Same<keyof JobResult<Jobs, 'found'>, keyof Found>>,
  Assert<Same<JobResult<Jobs, 'maybe'>, string | null>>,
  Assert<Same<JobResult<Jobs, 'again'>, number>>,
  Assert<Same<JobResult<Jobs, 'dto'>, null>>,
  Assert<Same<JobResult<Jobs, 'free'>, any>>,
  Assert<Same<Jsonified<Size>, Size>>,
  Assert<Same<Jsonified<bigint>, never>>,
  Assert<Same<Jsonified<[Date, undefined]>, [string, null]>>,
  Assert<Same<Jsonified<readonly Date[]>, string[]>>,
  Assert<Same<Jsonified<boolean>, boolean>>,
  Assert<Same<JsonInput<boolean>, boolean>>,
  Assert<Same<JsonInput<any>, any>>,
  Assert<Same<JsonInput<unknown>, unknown>>,
  Assert<Same<JsonInput<'a' | 'b'>, 'a' | 'b'>>,
];

export async function results(queue: Queue<Jobs>): Promise<Found> {
  const found = await (await queue.enqueue('found')).result();
  // @ts-expect-error -- it is text
  found.at.getTime();
  // @ts-expect-error -- methods do not travel
  found.point.length();
  // @ts-expect-error -- it is {}
  found.cache.get(1);
  return found;
}
