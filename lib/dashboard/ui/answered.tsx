import type { ComponentChildren } from 'preact';
import type { Asked } from './api.js';
import { Loading, Trouble } from './parts.js';

/** What stands where an answer will be: why there is none, grey lines while it comes, a sentence if it is empty, or it. */
export function Answered<Answer>({
  of: { answer, problem, reload },
  empty,
  rows,
  children,
}: {
  readonly of: Asked<Answer>;
  /** What to say instead; undefined or false: there is something to show. */
  readonly empty?: (answer: Answer) => ComponentChildren;
  /** Grey lines. */
  readonly rows?: number;
  readonly children: (answer: Answer) => ComponentChildren;
}) {
  if (answer === undefined) {
    if (problem) return <Trouble problem={problem} retry={reload} />;
    return <Loading {...(rows !== undefined && { rows })} />;
  }
  const nothing = empty?.(answer);
  return <>{nothing === undefined || nothing === false ? children(answer) : nothing}</>;
}
