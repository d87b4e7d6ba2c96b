import { createInterface } from 'node:readline/promises';
import { CliError, EXIT } from './exit-codes.js';
import type { Session } from './run.js';

/**
 * Asks before something is done that cannot be taken back. Without a terminal nobody can be asked: `--yes` says it.
 * @returns whether it may be done
 * @throws CliError without a terminal and without `--yes`
 */
export async function confirm(
  { io, output }: Session,
  question: string,
  flags: { readonly yes?: boolean },
): Promise<boolean> {
  if (flags.yes) return true;
  if (io.stdin.isTTY !== true) {
    throw new CliError(
      `${output.text([question])} Give --yes, since nobody can be asked here.`,
      EXIT.usage,
    );
  }
  const lines = createInterface({ input: io.stdin, output: io.stderr });
  try {
    const prompt = `${output.text([question])} [y/N] `;
    const answer = await lines.question(prompt, { signal: io.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    // Ctrl-C, or the input has ended.
    return false;
  } finally {
    lines.close();
  }
}
