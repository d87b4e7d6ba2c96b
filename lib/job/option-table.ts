/**
 * Options as tables: each key with the rule that checks and reads its value. One line says all that holds for a key, the
 * type of what is read follows from the rules, and a key that has no rule is refused.
 *
 * ```ts
 * const TABLE = optionTable<WorkerOptions>()({
 *   concurrency: otherwise(10, wholeNumber(1)),
 *   lease: otherwise(15, duration()),
 * });
 * const { concurrency, lease } = readOptions(options, TABLE, 'worker options');
 * ```
 *
 * What is read at each enqueue (job-options.ts, retry-policy.ts, retry-interval.ts) is written out by hand: a table would
 * take several times as long there.
 */
import { type Duration, toMilliseconds } from './duration.js';
import { InvalidOptionError } from './errors.js';
import { assertJobName, assertQueueName } from './names.js';
import { checkOptions, readFlag } from './option-checks.js';

/**
 * Gives the value as it is used. `undefined` is a key that was not given.
 * @throws InvalidOptionError naming `option`, the key with its path, and `where`, the call or module
 */
export type OptionRule<Read> = (value: unknown, option: string, where: string | undefined) => Read;

type Rules<Options> = { readonly [Key in keyof Required<Options>]: OptionRule<unknown> };

export interface OptionTable<Table> {
  readonly keys: ReadonlySet<string>;
  readonly rules: Table;
}

/** What {@link readOptions} makes of options by a table. */
export type ReadOptions<Table> = {
  readonly [Key in keyof Table]: Table[Key] extends OptionRule<infer Read> ? Read : never;
};

/** A table with exactly the keys of an options type. */
export function optionTable<Options>() {
  return <Table extends Rules<Options>>(rules: Table): OptionTable<Table> => ({
    keys: new Set(Object.keys(rules)),
    rules,
  });
}

/**
 * Checks options and reads them by their table.
 * @param path the options' own key, `''` for the outermost
 * @throws InvalidOptionError
 */
export function readOptions<Table extends Readonly<Record<string, OptionRule<unknown>>>>(
  options: unknown,
  { keys, rules }: OptionTable<Table>,
  where: string | undefined,
  path = '',
): ReadOptions<Table> {
  checkOptions(options, keys, path, where);
  const given = options as Readonly<Record<string, unknown>>;
  const read: Record<string, unknown> = {};
  for (const key of keys) {
    read[key] = rules[key]?.(given[key], path ? `${path}.${key}` : key, where);
  }
  return read as ReadOptions<Table>;
}

/** A value of any kind: its own rules are elsewhere. */
export function unchecked<Value>(): OptionRule<Value> {
  return (value) => value as Value;
}

/** The value as it was given, once its rule has found nothing wrong with it. */
export function checked<Value>(rule: OptionRule<unknown>): OptionRule<Value> {
  return (value, option, where) => {
    rule(value, option, where);
    return value as Value;
  };
}

/** Undefined where nothing is given. */
export function optional<Read>(rule: OptionRule<Read>): OptionRule<Read | undefined> {
  return (value, option, where) => (value === undefined ? undefined : rule(value, option, where));
}

/** What holds where nothing is given, in the form in which a user gives it. */
export function otherwise<Read>(standard: unknown, rule: OptionRule<Read>): OptionRule<Read> {
  return (value, option, where) => rule(value === undefined ? standard : value, option, where);
}

/** False where nothing is given. */
export const flag: OptionRule<boolean> = readFlag;

export function wholeNumber(least: number): OptionRule<number> {
  return rule(
    (value): value is number => Number.isSafeInteger(value) && (value as number) >= least,
    `must be a whole number of at least ${least}`,
  );
}

export const numberAboveZero: OptionRule<number> = rule(
  (value): value is number => Number.isFinite(value) && (value as number) > 0,
  'must be a number above 0',
);

/** In milliseconds. */
export const duration: OptionRule<number> = (value, option, where) =>
  toMilliseconds(value as Duration, option, where);

/** In milliseconds. */
export const durationAboveZero: OptionRule<number> = (value, option, where) => {
  const milliseconds = duration(value, option, where);
  if (milliseconds > 0) return milliseconds;
  throw new InvalidOptionError({ option, problem: 'must be above 0', value, where });
};

export function oneOf<const Choice extends string>(...choices: Choice[]): OptionRule<Choice> {
  const isChoice = (value: unknown): value is Choice => choices.includes(value as Choice);
  return rule(isChoice, `must be one of ${choices.map((one) => `'${one}'`).join(', ')}`);
}

export function either<const Choice extends string>(
  one: Choice,
  other: Choice,
): OptionRule<Choice> {
  const isChoice = (value: unknown): value is Choice => value === one || value === other;
  return rule(isChoice, `must be '${one}' or '${other}'`);
}

export const aFunction: OptionRule<(...args: never[]) => unknown> = rule(
  (value): value is (...args: never[]) => unknown => typeof value === 'function',
  'must be a function',
);

/** @param problem what an error says of any other value: `must be letters` */
export function text(pattern: RegExp, problem: string): OptionRule<string> {
  return rule(
    (value): value is string => typeof value === 'string' && pattern.test(value),
    problem,
  );
}

/** Its errors name `queue`, whatever the key. */
export const queueName: OptionRule<string> = (value, _option, where) => {
  assertQueueName(value, where);
  return value;
};

/** Its errors name `name`, whatever the key. */
export const jobName: OptionRule<string> = (value, _option, where) => {
  assertJobName(value, where);
  return value;
};

function rule<Read>(fits: (value: unknown) => value is Read, problem: string): OptionRule<Read> {
  return (value, option, where) => {
    if (fits(value)) return value;
    throw new InvalidOptionError({ option, problem, value, where });
  };
}
