import { signal } from '@preact/signals';
import en from './words/en.json';

/** Every text of the page, in the language of whoever looks; numbers, times and lengths as that language writes them. */

export type Key = keyof typeof en;
type Text = string | Readonly<Record<string, string>>;
type Dictionary = Readonly<Record<Key, Text>>;

/** Languages by their own names. */
export const LANGUAGES = {
  en: 'English',
  de: 'Deutsch',
  fr: 'Français',
  es: 'Español',
  'pt-BR': 'Português (Brasil)',
  ja: '日本語',
  zh: '中文',
  ar: 'العربية',
} as const;
export type Language = keyof typeof LANGUAGES;

const LOADERS: Record<Exclude<Language, 'en'>, () => Promise<{ default: object }>> = {
  de: () => import('./words/de.json'),
  fr: () => import('./words/fr.json'),
  es: () => import('./words/es.json'),
  'pt-BR': () => import('./words/pt-BR.json'),
  ja: () => import('./words/ja.json'),
  zh: () => import('./words/zh.json'),
  ar: () => import('./words/ar.json'),
};

/** Changes when another language is there. */
export const language = signal<string>('en');
let dictionary: Dictionary = en;

/** The language that was chosen before, or the first that the browser asks for and that there is. */
export async function startLanguage(): Promise<void> {
  const asked = [localStorage.getItem('rq.language') ?? '', ...navigator.languages];
  for (const one of asked) {
    if (one === 'xx') return usePseudo();
    const found = (Object.keys(LANGUAGES) as Language[]).find(
      (known) => known === one || known.split('-')[0] === one.split('-')[0],
    );
    if (found) return setLanguage(found, false);
  }
}

export async function setLanguage(to: Language, isChosen = true): Promise<void> {
  if (isChosen) localStorage.setItem('rq.language', to);
  if (to === 'en') return use(to, en);
  // The build leaves the keys out (scripts/compile-dashboard.mjs).
  const texts = (await LOADERS[to]()).default as unknown as readonly Text[];
  const keys = Object.keys(en) as Key[];
  use(to, Object.fromEntries(keys.map((key, at) => [key, texts[at] ?? en[key]])) as Dictionary);
}

function use(tag: string, words: Dictionary): void {
  dictionary = words;
  formats.clear();
  document.documentElement.lang = tag;
  document.documentElement.dir = tag === 'ar' ? 'rtl' : 'ltr';
  language.value = tag;
}

/** Every text longer and marked, to see what is not translated and what does not fit. */
function usePseudo(): void {
  const longer = (text: string): string =>
    `⟦${text.replace(/\{\w+\}|[aeiou]/g, (part) => (part.length > 1 ? part : part + part))}⟧`;
  const words = Object.fromEntries(
    Object.entries(en as Record<string, Text>).map(([key, text]) => [
      key,
      typeof text === 'string'
        ? longer(text)
        : Object.fromEntries(Object.entries(text).map(([form, one]) => [form, longer(one)])),
    ]),
  );
  use('en', words as Dictionary);
}

/** A text; `{n}` and the like are filled in, numbers as the language writes them, `n` chooses the plural. */
export function t(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  void language.value;
  const entry: Text = dictionary[key] ?? key;
  const n = values['n'];
  const text =
    typeof entry === 'string'
      ? entry
      : (entry[plural(typeof n === 'number' ? n : 0)] ?? entry['other'] ?? key);
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? number(value) : value;
  });
}

/** Whether there is a text of this name, for codes that the server may have anew. */
export function isKey(key: string): key is Key {
  return Object.hasOwn(en, key);
}

const formats = new Map<string, unknown>();
function format<Made>(name: string, make: (tag: string) => Made): Made {
  const tag = language.value;
  const key = `${tag} ${name}`;
  if (!formats.has(key)) formats.set(key, make(tag));
  return formats.get(key) as Made;
}

function plural(n: number): string {
  return format('plural', (tag) => new Intl.PluralRules(tag)).select(n);
}

export function number(value: number): string {
  return format('number', (tag) => new Intl.NumberFormat(tag)).format(value);
}

/** 5.2K; below 10 000 the whole number. */
export function compact(value: number): string {
  if (Math.abs(value) < 10_000)
    return number(Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value));
  return format(
    'compact',
    (tag) => new Intl.NumberFormat(tag, { notation: 'compact', maximumFractionDigits: 1 }),
  ).format(value);
}

export function percent(share: number): string {
  return format(
    'percent',
    (tag) => new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 1 }),
  ).format(share);
}

export function bytes(value: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  let unit = 0;
  let left = value;
  while (left >= 1000 && unit < units.length - 1) {
    left /= 1000;
    unit += 1;
  }
  const name = units[unit] as string;
  return format(
    `bytes ${name}`,
    (tag) =>
      new Intl.NumberFormat(tag, {
        style: 'unit',
        unit: name,
        unitDisplay: 'short',
        maximumFractionDigits: left < 10 && unit > 0 ? 1 : 0,
      }),
  ).format(left);
}

/** A length in its largest unit: 220 ms, 1.8 s, 4 min, 3 h, 2 d. */
export function duration(ms: number): string {
  const [unit, size] = unitOf(Math.abs(ms));
  const value = ms / size;
  const digits = unit === 'second' && Math.abs(value) < 10 ? 1 : 0;
  return format(
    `${unit} ${digits}`,
    (tag) =>
      new Intl.NumberFormat(tag, {
        style: 'unit',
        unit,
        unitDisplay: 'short',
        maximumFractionDigits: digits,
      }),
  ).format(value);
}

function unitOf(ms: number): [unit: string, size: number] {
  if (ms < 1000) return ['millisecond', 1];
  if (ms < 60_000) return ['second', 1000];
  if (ms < 3_600_000) return ['minute', 60_000];
  if (ms < 2 * 86_400_000) return ['hour', 3_600_000];
  return ['day', 86_400_000];
}

/** "2 s ago", "in 5 min". */
export function ago(at: number, now: number): string {
  const ms = at - now;
  const [unit, size] = unitOf(Math.max(1000, Math.abs(ms)));
  const formatter = format(
    'ago',
    (tag) => new Intl.RelativeTimeFormat(tag, { numeric: 'auto', style: 'short' }),
  );
  const text = formatter.format(Math.round(ms / size), unit as Intl.RelativeTimeFormatUnit);
  // English alone writes "5 min. ago" beside "5 min".
  return language.value === 'en' ? text.replace('.', '') : text;
}

/** The time of day; with the date when it is another day. */
export function clock(at: number, now = Date.now(), seconds = true): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  const options: Intl.DateTimeFormatOptions = {
    ...(isToday ? {} : { day: 'numeric', month: 'short' }),
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds && isToday ? { second: '2-digit' } : {}),
  };
  return format(
    `clock ${isToday} ${seconds}`,
    (tag) => new Intl.DateTimeFormat(tag, options),
  ).format(at);
}

export function fullTime(at: number): string {
  return format(
    'full',
    (tag) => new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'long' }),
  ).format(at);
}

/** An hour of the day, as the language writes it. */
export function timeOf(hour: number, minute: number): string {
  return format(
    'time',
    (tag) => new Intl.DateTimeFormat(tag, { timeStyle: 'short', timeZone: 'UTC' }),
  ).format(Date.UTC(2024, 0, 1, hour, minute));
}

/** 0 and 7 are Sunday. */
export function weekday(day: number): string {
  return format(
    'weekday',
    (tag) => new Intl.DateTimeFormat(tag, { weekday: 'long', timeZone: 'UTC' }),
  ).format(Date.UTC(2024, 0, 7 + day));
}

/** A day of the year. */
export function dateOf(month: number, day: number): string {
  return format(
    'date',
    (tag) => new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'long', timeZone: 'UTC' }),
  ).format(Date.UTC(2024, month - 1, day));
}

export function listOf(items: readonly string[]): string {
  return format('list', (tag) => new Intl.ListFormat(tag, { type: 'conjunction' })).format(items);
}
