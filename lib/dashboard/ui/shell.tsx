import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { change } from './api.js';
import { Dialogs } from './dialog.js';
import { openPalette, Palette } from './palette.js';
import { Button, Share } from './parts.js';
import { Link, go, hrefOf, place } from './router.js';
import {
  type Theme,
  boot,
  dismiss,
  downSince,
  isDense,
  isLive,
  may,
  needCount,
  needs,
  operations,
  queues,
  say,
  theme,
  toasts,
} from './state.js';
import {
  type Key,
  LANGUAGES,
  type Language,
  clock,
  language,
  number,
  setLanguage,
  t,
} from './words.js';

/** What stands around every page: where one is, what goes on, and who one is. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  return (
    <>
      <a class="skip" href="#page">
        {t('skip')}
      </a>
      <header class="top">
        <Link class="brand" href={hrefOf('')}>
          rq
        </Link>
        {boot.environment && (
          <span
            class={/^prod/i.test(boot.environment) ? 'environment is-production' : 'environment'}
          >
            {boot.environment}
          </span>
        )}
        <Navigation />
        <SearchBox />
        <div class="top-end">
          <Operations />
          {boot.readOnly && (
            <span class="lock" title={t('readOnly.long')}>
              {t('readOnly')}
            </span>
          )}
          <LiveButton />
          <Settings />
        </div>
      </header>
      <Banners />
      <main id="page" tabIndex={-1}>
        {children}
      </main>
      <Dialogs />
      <Palette />
      <Toasts />
      <Announcer />
    </>
  );
}

export const PAGES: readonly (readonly [path: string, name: Key, permission?: string])[] = [
  ['', 'nav.overview'],
  ['jobs', 'nav.jobs'],
  ['failures', 'nav.failures'],
  ['schedules', 'nav.schedules'],
  ['workers', 'nav.workers'],
  ['metrics', 'nav.metrics'],
  ['audit', 'nav.audit', 'audit'],
  ['redis', 'nav.redis'],
];

function Navigation() {
  const [first = ''] = place.value.parts;
  const current = first === 'queues' ? '' : first;
  const failed = queues.value.reduce((sum, queue) => sum + queue.failed, 0);
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a narrow screen the row scrolls: where one is must be seen.
    const bar = element.current;
    const link = bar?.querySelector<HTMLElement>('[aria-current]');
    if (bar && link) bar.scrollLeft = link.offsetLeft - bar.clientWidth / 2;
  }, [current]);
  return (
    <nav ref={element} aria-label={t('nav.pages')}>
      {PAGES.filter(([, , needed]) => !needed || may(needed)).map(([path, name]) => (
        <Link key={path} href={hrefOf(path)} {...(path === current && { 'aria-current': 'page' })}>
          {t(name)}
          {path === 'failures' && failed > 0 && <span class="count">{number(failed)}</span>}
        </Link>
      ))}
    </nav>
  );
}

function SearchBox() {
  const shown = place.value.parts[0] === 'jobs' ? (place.value.query.get('q') ?? '') : '';
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const text = new FormData(event.currentTarget).get('q');
        go(hrefOf('jobs', { q: typeof text === 'string' ? text.trim() : '' }));
      }}
    >
      <input
        key={shown}
        id="search"
        name="q"
        type="search"
        defaultValue={shown}
        placeholder={t('search.hint')}
        aria-label={t('search')}
        autocomplete="off"
        spellcheck={false}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

function LiveButton() {
  const isOn = isLive.value;
  const isDown = downSince.value !== null;
  return (
    <button
      type="button"
      class={`live ${isDown ? 'is-down' : isOn ? 'is-on' : ''}`}
      aria-pressed={isOn}
      aria-keyshortcuts="."
      title={t('live.hint')}
      onClick={() => (isLive.value = !isOn)}
    >
      <span class="dot" aria-hidden="true" />
      {t(isDown ? 'live.down' : isOn ? 'live' : 'live.off')}
    </button>
  );
}

/** What is being done to many jobs, by whomever. */
function Operations() {
  const running = operations.value.filter(({ state }) => state === 'running');
  const [isOpen, setOpen] = useState(false);
  if (operations.value.length === 0) return null;
  const [first] = running;
  return (
    <div class="menu">
      <button
        type="button"
        class="operation-chip"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {first ? (
          <>
            <span class="dim">{t(`action.${first.action}` as Key)}</span>
            <Share part={first.done} whole={first.total ?? first.done} />
          </>
        ) : (
          t('operations')
        )}
      </button>
      {isOpen && (
        <div class="menu-body operations">
          {operations.value.slice(0, 8).map((operation) => (
            <div key={operation.id} class="operation">
              <div>
                <b>{t(`action.${operation.action}` as Key)}</b>{' '}
                <span class="dim">
                  {operation.queue} · {operation.who}
                </span>
              </div>
              <div class="operation-line">
                <Share part={operation.done} whole={operation.total ?? operation.done} />
                <span class={operation.state === 'failed' ? 'bad' : 'dim'}>
                  {t(`operation.${operation.state}` as Key)}
                </span>
                {operation.state === 'running' && !boot.readOnly && (
                  <Button
                    kind="ghost"
                    onClick={() =>
                      change('operation/cancel', { id: operation.id }, t('operation.canceling'))
                    }
                  >
                    {t('cancel')}
                  </Button>
                )}
              </div>
              {operation.undoable && operation.state !== 'running' && may('delete') && (
                <Button kind="ghost" onClick={() => undo(operation.id)}>
                  {t('undo')}
                </Button>
              )}
              {operation.skipped > 0 && (
                <div class="dim">{t('operation.skipped', { n: operation.skipped })}</div>
              )}
              {operation.why && <div class="bad">{operation.why}</div>}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

async function undo(id: string): Promise<void> {
  const done = await change<{ restored: number }>('operation/undo', { id });
  if (done) say(t('undone', { n: done.restored }));
}

function Settings() {
  const [isOpen, setOpen] = useState(false);
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return undefined;
    const close = (event: Event) => {
      if (
        event instanceof KeyboardEvent
          ? event.key === 'Escape'
          : !element.current?.contains(event.target as Node)
      )
        setOpen(false);
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('keydown', close);
    };
  }, [isOpen]);
  return (
    <div class="menu" ref={element}>
      <button type="button" class="who" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <bdi>{boot.who}</bdi> <span aria-hidden="true">▾</span>
      </button>
      {isOpen && (
        <div class="menu-body">
          <label>
            {t('theme')}
            <select
              value={theme.value}
              onChange={(event) => (theme.value = event.currentTarget.value as Theme)}
            >
              {(['system', 'light', 'dark'] as const).map((one) => (
                <option key={one} value={one}>
                  {t(`theme.${one}`)}
                </option>
              ))}
            </select>
          </label>
          <label>
            {t('language')}
            <select
              value={language.value}
              onChange={(event) => void setLanguage(event.currentTarget.value as Language)}
            >
              {Object.entries(LANGUAGES).map(([code, name]) => (
                <option key={code} value={code} lang={code}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label class="check">
            <input
              type="checkbox"
              checked={isDense.value}
              onChange={() => (isDense.value = !isDense.value)}
            />
            {t('dense')}
          </label>
          <button type="button" class="menu-item" onClick={() => openPalette()}>
            {t('palette')} <kbd>Ctrl K</kbd>
          </button>
          <p class="dim">nestjs-rq {boot.version}</p>
        </div>
      )}
    </div>
  );
}

/** What concerns everything: no Redis, everything suspended. */
function Banners() {
  const down = downSince.value;
  const isSuspended = queues.value.some(({ suspended }) => suspended);
  return (
    <>
      {down !== null && (
        <p class="banner banner-bad" role="alert">
          {t('redis.down', { at: clock(down) })}
        </p>
      )}
      {isSuspended && (
        <p class="banner banner-late">
          {t('suspended.banner')}
          {may('suspend') && (
            <Button onClick={() => change('suspend', { on: false }, t('suspended.off'))}>
              {t('resume')}
            </Button>
          )}
        </p>
      )}
    </>
  );
}

function Toasts() {
  return (
    <div class="toasts">
      {toasts.value.map(({ id, text, kind }) => (
        <div key={id} class={`toast toast-${kind}`} role={kind === 'problem' ? 'alert' : 'status'}>
          {text}
          <button type="button" aria-label={t('close')} onClick={() => dismiss(id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}

/** Says aloud what has become worse, at most every ten seconds. */
function Announcer() {
  const [text, setText] = useState('');
  const said = useRef({ at: 0, codes: '' });
  const codes = needs.value
    .filter(({ isMuted }) => !isMuted)
    .map(({ key }) => key)
    .join(',');
  useEffect(() => {
    if (codes === said.current.codes || Date.now() - said.current.at < 10_000) return;
    said.current = { at: Date.now(), codes };
    setText(t('troubles.spoken', { n: needCount.value }));
  }, [codes]);
  return (
    <div class="spoken" role="status" aria-live="polite">
      {text}
    </div>
  );
}
