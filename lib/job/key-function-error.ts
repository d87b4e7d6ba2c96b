import { RqError, messageOf } from './errors.js';

/** The function that says a job's key has thrown for a job that was there already: it fails, and is not tried again. */
export class KeyFunctionError extends RqError {
  readonly code = 'RQ_KEY_FUNCTION';
  readonly jobId: string;

  /** @param details.name of the job, and so of its handler */
  constructor(details: { jobId: string; name: string; cause: unknown }) {
    const why = messageOf(details.cause).replace(/\.$/, '');
    super(
      `The function \`key\` of handler "${details.name}" threw for job "${details.jobId}"${why ? ` (${why})` : ''}. ` +
        'Mend it, then requeue the job.',
      { cause: details.cause },
    );
    this.jobId = details.jobId;
  }
}
