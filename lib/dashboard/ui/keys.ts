import { isAsking } from './dialog.js';
import { openPalette } from './palette.js';
import { go, hrefOf, place } from './router.js';
import { isDense, isLive, theme } from './state.js';

/** Keys that work on every page; those of a page are named by `aria-keyshortcuts` of its buttons. */
export function startKeys(): void {
  let isGoing = false;
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      openPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isAsking())
      return;
    const { key } = event;
    if (isGoing) {
      isGoing = false;
      const page = GOES_TO[key];
      if (page !== undefined) go(hrefOf(page));
      return;
    }
    if (key === 'g') {
      isGoing = true;
      setTimeout(() => (isGoing = false), 1500);
    } else if (key === '/') {
      event.preventDefault();
      document.getElementById('search')?.focus();
    } else if (key === '.') isLive.value = !isLive.value;
    else if (key === 't') theme.value = theme.value === 'dark' ? 'light' : 'dark';
    else if (key === 'd' && place.value.parts.length === 0) isDense.value = !isDense.value;
    else if (key === '?') openPalette();
    else if (key === 'j' || key === 'k') moveRow(key === 'j' ? 1 : -1);
    else if (key === 'x' || key === 'X') choose(event.shiftKey);
    else pressButton(event);
  });
}

const GOES_TO: Readonly<Record<string, string>> = {
  o: '',
  j: 'jobs',
  f: 'failures',
  s: 'schedules',
  w: 'workers',
  m: 'metrics',
  a: 'audit',
  r: 'redis',
};

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.matches('input:not([type=checkbox]), textarea, select, dialog, dialog *')
  );
}

/** Rows are walked by the link that each has. */
function moveRow(step: number): void {
  const links = [...document.querySelectorAll<HTMLElement>('[data-row-link]')];
  const row = document.activeElement?.closest('[data-row]');
  const at = links.findIndex((link) => link.closest('[data-row]') === row);
  const next = links[at === -1 ? (step > 0 ? 0 : links.length - 1) : at + step];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

function choose(isRange: boolean): void {
  const row = document.activeElement?.closest('[data-row]');
  const box = row?.querySelector<HTMLInputElement>('input[type=checkbox]');
  if (!box) return;
  box.dispatchEvent(new MouseEvent('click', { bubbles: true, shiftKey: isRange }));
}

function pressButton(event: KeyboardEvent): void {
  const name = event.key === 'Backspace' ? '⌫' : event.key;
  const buttons = document.querySelectorAll<HTMLButtonElement>('[aria-keyshortcuts]');
  const button = [...buttons].find((one) => one.getAttribute('aria-keyshortcuts') === name);
  if (!button || button.disabled) return;
  event.preventDefault();
  button.click();
}
