import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from './api.js';
import { now } from './state.js';
import { type Key, ago, duration, fullTime, isKey, t } from './words.js';

/** Small parts that pages are made of. */

export type Tone = 'plain' | 'late' | 'bad' | 'quiet' | 'good';

/** A state in a word, with a sign beside its colour. */
export function Status({ status }: { readonly status: string }) {
  const key = `status.${status}`;
  return (
    <span class={`status status-${status}`}>
      <span class="dot" aria-hidden="true" />
      {isKey(key) ? t(key) : status}
    </span>
  );
}

export function Tag({
  tone = 'plain',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ComponentChildren;
}) {
  return <span class={`tag tag-${tone}`}>{children}</span>;
}

/** A time as its distance from now; the whole time when one points at it. */
export function When({ at }: { readonly at: number | null }) {
  if (at === null) return <span class="dim">–</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={fullTime(at)}>
      {ago(at, now.value)}
    </time>
  );
}

/** The head of a column of buttons, which is only read aloud. */
export function ActionsHead({ css }: { readonly css?: string }) {
  return (
    <th scope="col" class={css}>
      <span class="spoken">{t('actions')}</span>
    </th>
  );
}

/** A length of time, or a dash. */
export function Length({ ms }: { readonly ms: number | null }) {
  return ms === null ? <span class="dim">–</span> : <>{duration(ms)}</>;
}

interface ButtonProps extends Omit<
  ButtonHTMLAttributes<HTMLButtonElement>,
  'onClick' | 'disabled' | 'class'
> {
  readonly kind?: 'plain' | 'main' | 'danger' | 'ghost';
  /** The key that does the same. */
  readonly shortcut?: string;
  readonly disabled?: boolean;
  readonly onClick?: () => unknown;
}

/** While what it began goes on, it cannot be pressed again. */
export function Button({
  kind = 'plain',
  shortcut,
  onClick,
  children,
  disabled,
  ...rest
}: ButtonProps) {
  const [isBusy, setBusy] = useState(false);
  const isThere = useRef(true);
  useEffect(() => () => void (isThere.current = false), []);
  return (
    <button
      type="button"
      {...rest}
      class={`button button-${kind}`}
      disabled={disabled === true || isBusy}
      {...(shortcut && { 'aria-keyshortcuts': shortcut })}
      onClick={() => {
        const result = onClick?.();
        if (!(result instanceof Promise)) return;
        setBusy(true);
        void result.finally(() => isThere.current && setBusy(false));
      }}
    >
      {children}
      {shortcut && <kbd aria-hidden="true">{shortcut}</kbd>}
    </button>
  );
}

/** A sentence where a list would be, and what to do. */
export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  );
}

/** Grey lines in the shape of what comes. */
export function Loading({ rows = 6 }: { readonly rows?: number }) {
  return (
    <div class="loading" role="status" aria-label={t('loading')}>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} />
      ))}
    </div>
  );
}

/** Why there is nothing to see. */
export function Trouble({
  problem,
  retry,
}: {
  readonly problem: Problem;
  readonly retry?: () => void;
}) {
  const { code, message } = problem;
  const key = `problem.${code}`;
  // What was asked for cannot be: its own words say that best, and to ask again does not help.
  const title = isKey(key) ? t(key) : code === 'option' ? message : t('problem.error');
  const isFinal = code === 'option' || code === 'missing' || code === 'permission';
  return (
    <div class="empty" role="alert">
      <p class="empty-title">{title}</p>
      {message && message !== title && <p>{message}</p>}
      {retry && !isFinal && <Button onClick={retry}>{t('retry')}</Button>}
    </div>
  );
}

/** A part of a page with its title. */
export function Card({ title, aside, children, id, flush }: CardProps) {
  return (
    <section
      class={flush ? 'card card-flush' : 'card'}
      {...(id && { id })}
      {...(title && { 'aria-label': title })}
    >
      {(title || aside) && (
        <header class="card-head">
          {title && <h2>{title}</h2>}
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}

interface CardProps {
  readonly title?: string;
  readonly aside?: ComponentChildren;
  readonly children?: ComponentChildren;
  readonly id?: string;
  /** Its content reaches its edges. */
  readonly flush?: boolean;
}

/** Copies a text; says so for a moment. */
export function Copy({
  text,
  label,
  children,
}: {
  readonly text: string;
  readonly label?: string;
  /** Default: a sign. */
  readonly children?: ComponentChildren;
}) {
  const [isDone, setDone] = useState(false);
  return (
    <button
      type="button"
      class={children ? 'text-button' : 'copy'}
      {...(!children && { title: t('copy'), 'aria-label': label ?? t('copy') })}
      onClick={() => {
        void navigator.clipboard.writeText(text).catch(() => undefined);
        setDone(true);
        setTimeout(() => setDone(false), 1500);
      }}
    >
      {children ? (
        isDone ? (
          t('copied')
        ) : (
          children
        )
      ) : (
        <svg viewBox="0 0 16 16" aria-hidden="true">
          {isDone ? (
            <path d="M3 8.5l3.2 3L13 4.5" />
          ) : (
            <path d="M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2" />
          )}
        </svg>
      )}
    </button>
  );
}

/** How many of how many, as a bar and in numbers. */
export function Share({
  part,
  whole,
  isFull,
}: {
  readonly part: number;
  readonly whole: number;
  readonly isFull?: boolean;
}) {
  const width = whole > 0 ? Math.min(100, (part / whole) * 100) : 0;
  return (
    <span class="share">
      <span class={isFull ? 'share-bar is-full' : 'share-bar'} aria-hidden="true">
        <span style={{ inlineSize: `${width}%` }} />
      </span>
      <span>
        {part}
        <span class="dim">/{whole}</span>
      </span>
    </span>
  );
}

/** Names of things, beside their values. */
export function Facts({ children }: { readonly children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

export function Fact({
  name,
  children,
}: {
  readonly name: Key;
  readonly children: ComponentChildren;
}) {
  return (
    <div>
      <dt>{t(name)}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A number that stands out, in a list of such (`figures`). */
export function Figure({
  name,
  value,
  tone = '',
}: {
  readonly name: Key;
  readonly value: string;
  readonly tone?: string;
}) {
  return (
    <li>
      <span class="label">{t(name)}</span>
      <span class={`figure ${tone}`}>{value}</span>
    </li>
  );
}

/** A choice of a few. */
export function Segments<Value extends string>({
  label,
  value,
  options,
  onChange,
}: SegmentsProps<Value>) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map(([one, text]) => (
        <button key={one} type="button" aria-pressed={one === value} onClick={() => onChange(one)}>
          {text}
        </button>
      ))}
    </div>
  );
}

interface SegmentsProps<Value> {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly (readonly [Value, ComponentChildren])[];
  readonly onChange: (value: Value) => void;
}
