import { signal } from '@preact/signals';
import type { AnchorHTMLAttributes, ComponentChildren } from 'preact';

/** Which page is shown, by its address below the place where the dashboard is mounted, whatever that is. */

const base = new URL(document.baseURI).pathname;
/** Some servers know no address that ends in a slash. */
const home = base === '/' ? '/' : base.slice(0, -1);

export interface Place {
  /** Parts of the path, decoded: `['queues', 'mail']`. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

function read(): Place {
  const { pathname, search } = location;
  const rest = pathname.startsWith(base) ? pathname.slice(base.length) : '';
  const parts = rest.split('/').filter(Boolean).map(decode);
  return { parts, query: new URLSearchParams(search) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const place = signal<Place>(read());
addEventListener('popstate', () => (place.value = read()));

/** The address of a page of ours. @param path without a slash at its beginning; empty: the overview */
export function hrefOf(
  path: string,
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value) search.set(key, value);
  const text = search.toString();
  return (path === '' ? home : base + path) + (text ? `?${text}` : '');
}

/** Names with a slash stand in the query: some proxies refuse them in a path. */
export function queueHref(
  queue: string,
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  return /^[\w.:@!-]+$/.test(queue) && !/^\.+$/.test(queue)
    ? hrefOf(`queues/${encodeURIComponent(queue)}`, query)
    : hrefOf('queues', { queue, ...query });
}

export function jobHref(id: string): string {
  return hrefOf(`jobs/${encodeURIComponent(id)}`);
}

export function go(href: string, replaces = false): void {
  if (replaces) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  const before = place.value;
  place.value = read();
  if (before.parts.join('/') !== place.value.parts.join('/')) {
    scrollTo(0, 0);
    document.getElementById('page')?.focus({ preventScroll: true });
  }
}

/** Changes the query of the page, so that the address says what is seen. */
export function setQuery(
  changes: Readonly<Record<string, string | undefined>>,
  replaces = true,
): void {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === '') query.delete(key);
    else query.set(key, value);
  }
  const text = query.toString();
  go(location.pathname + (text ? `?${text}` : ''), replaces);
}

interface LinkProps extends Omit<
  AnchorHTMLAttributes<HTMLAnchorElement>,
  'href' | 'onClick' | 'role'
> {
  readonly href: string;
  readonly children?: ComponentChildren;
}

/** A link within the dashboard; with a modifier key the browser does what it always does. */
export function Link({ href, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={href}
      onClick={(event) => {
        if (
          event.defaultPrevented ||
          event.metaKey ||
          event.ctrlKey ||
          event.shiftKey ||
          event.button !== 0
        )
          return;
        event.preventDefault();
        go(href);
      }}
    />
  );
}
