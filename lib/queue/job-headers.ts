import { InvalidOptionError, isObject } from '../job/index.js';

/**
 * What travels with a job beside its data: texts by name, such as a trace id or the tenant. Whoever enqueues puts them
 * in, and whoever runs the job takes them out. They live in the job's `meta.headers`, where Python finds them, too.
 */
export type JobHeaders = Record<string, string | undefined>;

/** Puts what belongs to the caller of enqueue into the headers of its job. */
export type HeaderInjector = (headers: JobHeaders) => void;

/**
 * The meta of a new job with what `inject` has put into its headers. What the caller of enqueue gave wins, name by
 * name; when nothing was put in, the meta stays as it is.
 *
 * @throws what `inject` throws, and InvalidOptionError when it puts in what is no text
 */
export function withInjectedHeaders(
  meta: Readonly<Record<string, unknown>> | undefined,
  inject: HeaderInjector,
): Readonly<Record<string, unknown>> | undefined {
  const headers: JobHeaders = Object.create(null) as JobHeaders;
  inject(headers);
  const injected = Object.entries(headers).filter(([, value]) => value !== undefined);
  const wrong = injected.find(([, value]) => typeof value !== 'string');
  if (wrong) {
    throw new InvalidOptionError({
      option: 'context.inject',
      problem: `must put texts into headers: "${wrong[0]}" is a ${typeof wrong[1]}`,
    });
  }
  const given = meta?.headers;
  // Headers of another form are the caller's own business, and stay as they are.
  if (injected.length === 0 || (given !== undefined && !isObject(given))) return meta;
  return { ...meta, headers: { ...Object.fromEntries(injected), ...given } };
}

/**
 * The headers in a job's meta, as far as they are texts. Anybody may have written them: the answer has no prototype, and
 * none that could be set.
 */
export function headersOf(meta: Readonly<Record<string, unknown>> | undefined): JobHeaders {
  const headers: JobHeaders = Object.create(null) as JobHeaders;
  const given = meta && Object.hasOwn(meta, 'headers') ? meta.headers : undefined;
  if (!isObject(given)) return headers;
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'string' && name !== '__proto__') headers[name] = value;
  }
  return headers;
}
