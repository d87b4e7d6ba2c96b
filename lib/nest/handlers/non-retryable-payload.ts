import { BadRequestException, UnprocessableEntityException } from '@nestjs/common';
import type { ErrorClass } from '../../job/index.js';

/**
 * An invalid payload is not retried: it will be no better in the next run. Nest's pipes (ValidationPipe, ParseIntPipe
 * and the like) throw these errors for one, so that a job which ends with such an error fails at once. A handler that
 * knows better says so with `retry: { on }` or `retry: { except }`: then the errors named there decide alone.
 */
export const INVALID_PAYLOAD_ERRORS: readonly ErrorClass[] = [
  BadRequestException,
  UnprocessableEntityException,
];
