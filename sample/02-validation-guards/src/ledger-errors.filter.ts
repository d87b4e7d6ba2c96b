// A filter decides what an error means for the job. What it throws replaces the error; what it returns
// becomes the result. Errors of other classes do not come here and count as they are.
import { Catch, type ExceptionFilter } from '@nestjs/common';
import { RetryJob } from 'nestjs-rq';
import { LedgerBusyError, NoEntriesError } from './ledger.js';

@Catch(LedgerBusyError, NoEntriesError)
export class LedgerErrors implements ExceptionFilter<LedgerBusyError | NoEntriesError> {
  catch(error: LedgerBusyError | NoEntriesError) {
    if (error instanceof LedgerBusyError) {
      throw new RetryJob({ in: '500ms', reason: error.message, cause: error });
    }
    return { total: 'nothing', remark: error.message };
  }
}
