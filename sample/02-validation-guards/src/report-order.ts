// What a report job is told, and the rules that its data has to follow. They are checked where the job
// runs: other services, also ones in Python, may enqueue to the same queue.
import { ValidationPipe } from '@nestjs/common';
import { IsInt, IsString, Matches, Max } from 'class-validator';

export class ReportOrder {
  @IsString()
  tenant!: string;

  @Matches(/^\d{4}-\d{2}$/, { message: 'month must look like 2026-01' })
  month!: string;

  @IsInt()
  @Max(12)
  months = 1;
}

/** What it refuses fails the job at once, and the failure names the fields. */
export const validOrder = new ValidationPipe({ transform: true, whitelist: true });
