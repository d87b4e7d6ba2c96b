import { BadRequestException, UnprocessableEntityException } from '@nestjs/common';
import type { ErrorClass } from '../../job/index.js';

/**
 * A job whose payload is invalid is not retried: the payload will be no better in the next run.
 *
 * Nest's pipes (ValidationPipe, ParseIntPipe and the like) throw these errors. A job that ends with one fails at once.
 * A handler that says otherwise with `retry: { on }` or `retry: { except }` is obeyed: then the errors named there
 * decide alone.
 */
export const INVALID_PAYLOAD_ERRORS: readonly ErrorClass[] = [
  BadRequestException,
  UnprocessableEntityException,
];
