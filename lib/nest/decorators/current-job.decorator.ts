import { RqParameterType } from '../nest-internals.js';
import { assertCalled } from './called-decorator.js';
import { jobParameter } from './job-parameter.js';

/** Injects the job that is running: its id, attempt, signal, progress and so on. */
export function CurrentJob(): ParameterDecorator;
export function CurrentJob(...given: []): ParameterDecorator {
  assertCalled(given.length > 0, 'CurrentJob', '@CurrentJob()');
  return jobParameter(RqParameterType.JOB);
}
