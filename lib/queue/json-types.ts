/**
 * What JSON makes of a value, as types. A job's data and its result travel as JSON: a `Date` arrives as text, a method
 * or an `undefined` does not arrive at all. So `enqueue` takes what becomes the data that the handler declares
 * (`JsonInput`), and `result()` gives what became of the handler's result (`Jsonified`). Nothing of this exists at run
 * time. What types cannot tell is in docs/json.md: `NaN` becomes `null`, an Error `{}`, a getter is not written.
 */

/** Stands where a value cannot arrive as it was declared: what is assigned to it does not compile, and `Why` tells why. */
export interface NotJson<Why extends string> {
  readonly [notJson]: Why;
}

declare const notJson: unique symbol;

/** What may be given to `enqueue` so that `Data` arrives: `Data` itself, and what JSON writes as `Data`, a Date for text. */
export type JsonInput<Data> =
  IsAnyOrUnknown<Data> extends true
    ? Data
    : Data extends string
      ? string extends Data
        ? Data | WrittenAs<string>
        : Data
      : Data extends number | boolean | null | undefined | void
        ? Data
        : Data extends object
          ? ObjectInput<Data>
          : NotJson<'JSON has no bigint and no symbol: declare a string in the handler'>;

/** What arrives where a value of this type was returned: text for a Date, `null` for nothing. */
export type Jsonified<Value> =
  IsAnyOrUnknown<Value> extends true
    ? Value
    : Value extends undefined | void | NotWritten
      ? null
      : Value extends string | number | boolean | null
        ? Value
        : Value extends bigint
          ? never
          : Value extends { toJSON(key?: string): infer Written }
            ? Jsonified<Written>
            : Value extends Emptied
              ? Record<string, Value extends ArrayLike<number> ? number : never>
              : Value extends readonly unknown[]
                ? { -readonly [Key in keyof Value]: Jsonified<Value[Key]> }
                : Value extends object
                  ? JsonifiedObject<Value>
                  : never;

type ObjectInput<Data extends object> = Data extends Callable
  ? NotJson<'a function does not travel: the data is what JSON can hold'>
  : Data extends Date
    ? NotJson<'a Date arrives as text: declare a string in the handler'>
    : Data extends Emptied
      ? NotJson<'JSON makes {} of it: declare a list or a plain object in the handler'>
      : Data extends { toJSON(key?: string): unknown }
        ? NotJson<'what toJSON() gives arrives, not the object: declare that in the handler'>
        : Data extends readonly unknown[]
          ? { [Key in keyof Data]: ItemInput<Data[Key]> }
          : { [Key in keyof Data]: JsonInput<Data[Key]> } | WrittenAs<Data>;

/** `undefined` in a list is written as `null`. */
type ItemInput<Item> =
  IsAnyOrUnknown<Item> extends true
    ? Item
    : undefined extends Item
      ? NotJson<'undefined in a list arrives as null: declare null in the handler'>
      : JsonInput<Item>;

/** Properties that are not written are left out; those that may be undefined may be missing. */
type JsonifiedObject<Value> = Flat<
  {
    -readonly [Key in keyof Value as IsAlways<Value, Key> extends true ? Key : never]: Jsonified<
      Value[Key]
    >;
  } & {
    -readonly [Key in keyof Value as IsAtTimes<Value, Key> extends true ? Key : never]?: Jsonified<
      Exclude<Value[Key], undefined | NotWritten>
    >;
  }
>;

type IsAlways<Value, Key extends keyof Value> = Key extends symbol
  ? false
  : IsAnyOrUnknown<Value[Key]> extends true
    ? IsRequired<Value, Key>
    : Extract<Value[Key], undefined | NotWritten> extends never
      ? IsRequired<Value, Key>
      : false;

type IsAtTimes<Value, Key extends keyof Value> = Key extends symbol
  ? false
  : IsAlways<Value, Key> extends true
    ? false
    : Exclude<Value[Key], undefined | NotWritten> extends never
      ? false
      : true;

// An index signature says of no key that it is there.
type IsRequired<Value, Key extends keyof Value> =
  object extends Pick<Value, Key>
    ? string extends Key
      ? true
      : number extends Key
        ? true
        : false
    : true;

type Flat<Value> = { [Key in keyof Value]: Value[Key] };

/** JSON writes it as this, as the toJSON() of a Date, a URL or an ObjectId does. */
interface WrittenAs<Written> {
  toJSON(key?: string): Written;
}

type Callable = (...parameters: never[]) => unknown;

/** JSON leaves it out. */
type NotWritten = Callable | (abstract new (...parameters: never[]) => unknown) | symbol;

/** JSON writes them as `{}`, typed arrays as an object of their numbers. */
type Emptied =
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>
  | WeakSet<WeakKey>
  | RegExp
  | Promise<unknown>
  | ArrayBuffer
  | ArrayBufferView;

type IsAnyOrUnknown<Type> = unknown extends Type ? true : false;
