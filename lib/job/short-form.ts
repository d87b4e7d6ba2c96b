import { inspect } from 'node:util';

/**
 * What is shown of the objects that a user can hold: a few names, never a connection or an option. They are returned by
 * controllers and handlers, put into job data and written to logs, all of which look into every corner of an object.
 *
 * Two things together keep the rest private. {@link ShortForm} is what JSON, `console.log` and loggers show.
 * What copies the fields of an object instead (`Object.entries`, Nest's ClassSerializerInterceptor) finds none but
 * the public ones, since the others are `#private` or {@link hideFields hidden}.
 */
export abstract class ShortForm {
  /** What JSON shows of it: names and numbers. */
  abstract toJSON(): object;

  /** What `console.log` shows of it. */
  [inspect.custom](depth: number, options: object): string {
    const { name } = this.constructor;
    return depth < 0 ? `[${name}]` : `${name} ${inspect(this.toJSON(), { ...options, depth })}`;
  }
}

/** Makes all fields that an object has now invisible to those who list its fields, but for the public ones. */
export function hideFields(object: object, ...shown: readonly string[]): void {
  for (const key of Object.keys(object)) {
    if (!shown.includes(key)) Object.defineProperty(object, key, { enumerable: false });
  }
}
