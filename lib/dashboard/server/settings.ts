import { InvalidOptionError } from '../../observe/index.js';
import type { NewAuditEntry } from '../../observe/index.js';
import type { PermissionCheck } from './permissions.js';
import { Redaction } from './redaction.js';

/** How the dashboard behaves, wherever it runs. */
export interface DashboardSettings {
  /** Who may do what; default: everything for all that get in. */
  readonly can?: PermissionCheck<never>;
  /**
   * Further fields whose values are never shown: `password` (of this name anywhere), `*.token`, `data.card`,
   * `payments:data.card` (of one queue). Passwords, tokens, cookies, keys and card numbers are blanked in any case.
   */
  readonly redact?: readonly string[];
  /** Nothing can be changed: the routes are not even there. Default false. */
  readonly readOnly?: boolean;
  /** Where else a job can be looked up: `{traceId}`, `{jobId}`, `{queue}`, `{name}` stand in the address. */
  readonly links?: { readonly trace?: string; readonly logs?: string };
  /** Shown beside the name; `production` in red. */
  readonly environment?: string;
  /** Origins (`https://ops.example.com`) that count as ours, where a proxy changes the host. */
  readonly origins?: readonly string[];
  /** Told of every action, refused ones included. */
  readonly onAudit?: (entry: NewAuditEntry) => void;
  /** Told of errors that are nobody's fault but ours. */
  readonly onError?: (error: unknown) => void;
}

/** Checked settings. */
export interface ReadSettings {
  readonly can: PermissionCheck;
  readonly redaction: Redaction;
  readonly readOnly: boolean;
  readonly links: { readonly trace: string | undefined; readonly logs: string | undefined };
  readonly environment: string | undefined;
  readonly origins: readonly string[];
  readonly onAudit: (entry: NewAuditEntry) => void;
  readonly onError: (error: unknown) => void;
}

/** @throws InvalidOptionError naming the key */
export function readSettings(settings: DashboardSettings, where: string): ReadSettings {
  const { can, redact, readOnly, links, environment, origins, onAudit, onError } = settings;
  const check = (isRight: boolean, option: string, problem: string) => {
    if (!isRight) throw new InvalidOptionError({ option, problem, where });
  };
  const isTexts = (value: unknown) =>
    value === undefined ||
    (Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== ''));
  const isOptional = (value: unknown, type: string) => value === undefined || typeof value === type;
  check(isOptional(can, 'function'), 'can', 'must be a class or a function');
  check(isTexts(redact), 'redact', 'must be a list of texts');
  check(isOptional(readOnly, 'boolean'), 'readOnly', 'must be true or false');
  check(isOptional(environment, 'string'), 'environment', 'must be text');
  check(isTexts(origins), 'origins', 'must be a list of texts');
  for (const origin of origins ?? []) {
    const isOrigin = URL.canParse(origin) && new URL(origin).origin === origin;
    check(isOrigin, 'origins', `must be origins (as 'https://ops.example.com' is), got ${origin}`);
  }
  for (const name of ['trace', 'logs'] as const) {
    const link = links?.[name];
    const isWeb = link === undefined || /^https?:\/\/[^\s]+$/.test(link);
    check(isWeb, `links.${name}`, 'must begin with http:// or https://');
  }
  return {
    can: (can as PermissionCheck | undefined) ?? (() => true),
    redaction: new Redaction(redact),
    readOnly: readOnly ?? false,
    links: { trace: links?.trace, logs: links?.logs },
    environment,
    origins: origins ?? [],
    onAudit: onAudit ?? (() => {}),
    onError: onError ?? (() => {}),
  };
}

/** An address out of a template; values are encoded. Undefined when one of its values is not known. */
export function linkOf(
  template: string | undefined,
  values: Readonly<Record<string, string | undefined>>,
): string | null {
  if (template === undefined) return null;
  let isWhole = true;
  const link = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) isWhole = false;
    return encodeURIComponent(value ?? '');
  });
  return isWhole ? link : null;
}
