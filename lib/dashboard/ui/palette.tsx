import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { go, hrefOf, jobHref, queueHref } from './router.js';
import { PAGES } from './shell.js';
import { may, queues } from './state.js';
import { t } from './words.js';

/** Pages, queues and jobs by a few letters (Ctrl K). */

const isOpen = signal(false);

export function openPalette(): void {
  isOpen.value = true;
}

export function Palette() {
  return isOpen.value ? <Open /> : null;
}

function Open() {
  const element = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  useEffect(() => element.current?.showModal(), []);
  const close = () => (isOpen.value = false);
  const found = targets(text);
  const open = (href: string | undefined) => {
    close();
    if (href !== undefined) go(href);
  };
  return (
    <dialog
      ref={element}
      class="palette"
      aria-label={t('palette')}
      onClose={close}
      onClick={(event) => event.target === element.current && close()}
    >
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={`palette-${chosen}`}
        aria-label={t('palette')}
        placeholder={t('palette.hint')}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            event.preventDefault();
            const step = event.key === 'ArrowDown' ? 1 : -1;
            setChosen((chosen + step + found.length) % Math.max(1, found.length));
          } else if (event.key === 'Enter') {
            event.preventDefault();
            open(found[chosen]?.href);
          }
        }}
      />
      <ul id="palette-list" role="listbox" aria-label={t('palette')}>
        {found.map(({ title, kind, href }, index) => (
          <li
            key={href}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === chosen}
            onPointerMove={() => setChosen(index)}
            onClick={() => open(href)}
          >
            <bdi>{title}</bdi> <span class="dim">{kind}</span>
          </li>
        ))}
      </ul>
    </dialog>
  );
}

function targets(text: string) {
  const words = text.toLowerCase().trim();
  const pages = PAGES.filter(([, , needed]) => !needed || may(needed)).map(([path, name]) => ({
    title: t(name),
    kind: t('palette.page'),
    href: hrefOf(path),
  }));
  const named = queues.value.map(({ queue }) => ({
    title: queue,
    kind: t('palette.queue'),
    href: queueHref(queue),
  }));
  const found = [...named, ...pages]
    .filter(({ title }) => title.toLowerCase().includes(words))
    .slice(0, 9);
  if (words === '') return [...pages, ...named].slice(0, 9);
  const typed = text.trim();
  const isId = /^[\w-]{16,}$/.test(typed);
  return [
    ...(isId ? [{ title: typed, kind: t('palette.job'), href: jobHref(typed) }] : []),
    ...found,
    {
      title: t('palette.search', { text: typed }),
      kind: t('nav.jobs'),
      href: hrefOf('jobs', { q: typed }),
    },
  ];
}
