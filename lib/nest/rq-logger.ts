import { Logger } from '@nestjs/common';
import { cleanLine, cleanText } from '../job/index.js';

/**
 * The only way of this library's Nest layer into the log. Lines quote what strangers have put into Redis (names, ids,
 * statuses, errors): whatever it is, a line stays one line, and nothing in it is obeyed by a terminal.
 */
export class RqLogger {
  private readonly logger: Logger;

  /** @param context what Nest's logger puts in brackets before the line: `RqModule`, `RqWorker`, `RqExplorer` */
  constructor(context: string) {
    this.logger = new Logger(context);
  }

  log(line: string): void {
    this.logger.log(cleanLine(line));
  }

  warn(line: string): void {
    this.logger.warn(cleanLine(line));
  }

  /** @param stack goes below the line, over several lines */
  error(line: string, stack?: string): void {
    if (stack === undefined) this.logger.error(cleanLine(line));
    else this.logger.error(cleanLine(line), cleanText(stack));
  }
}
