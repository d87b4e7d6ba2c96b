import { Logger } from '@nestjs/common';
import { cleanLine, cleanText } from '../job/index.js';
import type { LogFields } from './log-fields.js';

/**
 * The only way of this library's Nest layer into the log. Lines quote what strangers have put into Redis (names, ids,
 * statuses, errors): whatever it is, a line stays one line, and nothing in it is obeyed by a terminal.
 */
export class RqLogger {
  private readonly logger: Logger;

  /**
   * @param context what Nest's logger puts in brackets before the line: `RqModule`, `RqWorker`, `RqExplorer`
   * @param form `fields`: lines that have fields are objects, with the sentence as `message`
   */
  constructor(
    context: string,
    private readonly form: 'text' | 'fields' = 'text',
  ) {
    this.logger = new Logger(context);
  }

  log(line: string, fields?: () => LogFields): void {
    this.logger.log(this.said(line, fields));
  }

  warn(line: string, fields?: () => LogFields): void {
    this.logger.warn(this.said(line, fields));
  }

  /** @param stack goes below the line, over several lines; among fields it is one */
  error(line: string, stack?: string, fields?: () => LogFields): void {
    if (this.form === 'fields' && fields) {
      const stackField = stack === undefined ? {} : { stack: cleanText(stack) };
      this.logger.error({ ...(this.said(line, fields) as object), ...stackField });
    } else if (stack === undefined) this.logger.error(cleanLine(line));
    else this.logger.error(cleanLine(line), cleanText(stack));
  }

  private said(line: string, fields: (() => LogFields) | undefined): string | object {
    if (this.form === 'text' || !fields) return cleanLine(line);
    return { ...(cleaned(fields()) as object), message: cleanLine(line) };
  }
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return cleanLine(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (Array.isArray(value)) return value.map(cleaned);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, cleaned(one)]));
}
