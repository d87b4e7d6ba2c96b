/**
 * Secrets are blanked before anything leaves the server: by the names of fields, by paths that the application gives, and
 * by the shape of values (tokens, card numbers). Texts of errors and logs go through the same shapes.
 */
export class Redaction {
  readonly #keys = new Set(KEYS);
  readonly #paths: { readonly queue: string | undefined; readonly parts: readonly string[] }[] = [];
  readonly #inText: RegExp;

  /** @param rules `password` (a field of this name anywhere), `data.card`, `*.token`, `payments:data.card` */
  constructor(rules: readonly string[] = []) {
    for (const rule of rules) {
      const colon = rule.indexOf(':');
      const queue = colon === -1 ? undefined : rule.slice(0, colon);
      const parts = rule.slice(colon + 1).split('.');
      if (parts.length === 1 && queue === undefined) this.#keys.add(plain(parts[0] as string));
      else this.#paths.push({ queue, parts });
    }
    const last = this.#paths
      .map(({ parts }) => plain(parts.at(-1) ?? ''))
      .filter((part) => part !== '*');
    // In a text no path can be told: there the last name of each counts.
    const names = [...this.#keys, ...last]
      .map((key) => key.replace(/[^a-z0-9]/g, ''))
      .filter(Boolean);
    const spread = names.map((name) => name.split('').join('[-_ ]?')).join('|');
    this.#inText = new RegExp(
      `\\b(${spread})(["']?\\s*[=:]\\s*["']?)([^\\s"',;&)}\\]]{1,400})`,
      'gi',
    );
  }

  /**
   * A copy of a value of JSON without what is secret.
   * @param root what it is: `data`, `result`, `meta`; the paths of rules begin with it or below it
   */
  value(value: unknown, queue: string, root: string): Redacted {
    const blanked = { any: false };
    const rules = this.#paths.filter((rule) => rule.queue === undefined || rule.queue === queue);
    const walk = (one: unknown, path: readonly string[], depth: number): unknown => {
      if (typeof one === 'string') {
        const text = this.text(one);
        if (text !== one) blanked.any = true;
        return text;
      }
      if (typeof one !== 'object' || one === null) return one;
      if (depth >= DEEPEST) return '…';
      if (Array.isArray(one)) {
        return one.map((item, index) => walk(item, [...path, String(index)], depth + 1));
      }
      // Fields may be called __proto__: they are defined, never assigned.
      const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
      for (const [key, item] of Object.entries(one)) {
        const below = [...path, key];
        if (this.#keys.has(plain(key)) || rules.some(({ parts }) => fits(parts, below))) {
          blanked.any = true;
          copy[key] = BLANK;
        } else {
          copy[key] = walk(item, below, depth + 1);
        }
      }
      return copy;
    };
    return { value: walk(value, [root], 0), redacted: blanked.any };
  }

  /** A text without what has the shape of a secret, and without what stands behind the name of one. */
  text(text: string): string {
    if (!SUSPECT.test(text) && !this.#inText.test(text)) return text;
    this.#inText.lastIndex = 0;
    return text
      .replace(JWT, BLANK)
      .replace(BEARER, `$1 ${BLANK}`)
      .replace(IN_URL, `$1${BLANK}@`)
      .replace(DIGITS, (digits) => (isCard(digits) ? BLANK : digits))
      .replace(this.#inText, (_, name: string, sign: string) => `${name}${sign}${BLANK}`);
  }

  /** Whether a path is blanked, so that no search may look there. */
  hides(path: readonly string[], queue: string): boolean {
    return path.some((_, end) => {
      const part = path.slice(0, end + 1);
      return (
        this.#keys.has(plain(part.at(-1) as string)) ||
        this.#paths.some(
          (rule) => (rule.queue === undefined || rule.queue === queue) && fits(rule.parts, part),
        )
      );
    });
  }
}

export interface Redacted {
  readonly value: unknown;
  /** Something was blanked. */
  readonly redacted: boolean;
}

/** What stands in place of a secret; the page shows it as such. */
export const BLANK = '•••';

/** `apiKey`, `api_key` and `API-Key` are one name. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, '');
}

/** A rule fits a path from its root, or without its root; `*` is any one part. */
function fits(parts: readonly string[], path: readonly string[]): boolean {
  if (parts[0] === '*') {
    return path.length > parts.length - 1 && endsAs(parts, path.slice(-parts.length));
  }
  return endsAs(parts, path) || endsAs(parts, path.slice(1));
}

function endsAs(parts: readonly string[], path: readonly string[]): boolean {
  return (
    parts.length === path.length &&
    parts.every((part, index) => part === '*' || part === path[index])
  );
}

function isCard(text: string): boolean {
  const digits = text.replace(/[ -]/g, '');
  if (digits.length < 13 || digits.length > 19) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits.at(-1 - index));
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

const KEYS = [
  'password',
  'passwd',
  'secret',
  'clientsecret',
  'token',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'apikey',
  'authorization',
  'cookie',
  'setcookie',
  'privatekey',
  'cardnumber',
  'cvv',
  'cvc',
];
const JWT = /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g;
const BEARER = /\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi;
const IN_URL = /(\b[a-z][\w+.-]{1,20}:\/\/[^\s/:@]{0,100}:)[^\s/@]{1,200}@/gi;
const DIGITS = /\b\d(?:[ -]?\d){12,18}\b/g;
const SUSPECT = /eyJ|bearer|basic|:\/\/|\d{4}/i;
const DEEPEST = 60;
